/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers that trap: MSR, MRS and SYS from AArch64, exception class 0x18. */
#pragma once

#include <arch/ipi.h>
#include <arch/vcpu.h>

#include "arch/bits.h"
#include "arch/hv.h"

/* ISS of the exception class. */
#define ISS_READ BIT(0)
#define ISS_CRM GENMASK(4, 1)
#define ISS_RT GENMASK(9, 5)
#define ISS_OP2 GENMASK(19, 17)
#define ISS_REGISTER (GENMASK(21, 10) | ISS_CRM)

#define SYSREG(op0, op1, crn, crm, op2) \
    ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)

#define ICC_SGI1R SYSREG(3, 0, 12, 11, 5)

/* A write of ICC_SGI1R_EL1; a read, which is UNDEF, has the direction bit. */
static inline bool sysreg_is_sgi(uint64_t iss)
{
    return (iss & (ISS_REGISTER | ISS_READ)) == ICC_SGI1R;
}

/* What a write stores. */
static inline uint64_t sysreg_value(const struct hv_vcpu *vcpu, uint64_t iss)
{
    const size_t rt = FIELD_GET(ISS_RT, iss);

    return rt == 31 ? 0 : vcpu->x[rt];
}

/* Describes the interrupt that the guest sends by the write that `iss` tells of. */
static inline void sysreg_send(const struct hv_vcpu *vcpu, uint64_t iss, enum arm64_ipi kind,
                               struct vm_exit *exit)
{
    exit->reason = VM_EXIT_IPI;
    exit->ipi.kind = (uint8_t)kind;
    exit->ipi.value = sysreg_value(vcpu, iss);
}

/*
 * Answers the access that `iss` of ESR_EL2 describes, of the loaded vCPU. True: done, the PC
 * is behind it, or at the guest's handler of an undefined instruction. False: it sends an
 * interrupt; `exit` says so and the PC still stands at it.
 */
bool sysreg_trap(struct hv_vcpu *vcpu, uint32_t iss, struct vm_exit *exit);
