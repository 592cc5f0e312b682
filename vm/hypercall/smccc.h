/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64 hypercalls: the SMC Calling Convention (Arm DEN0028) and the standards that use it.
 *
 * Arguments come in X1..X17 (W1..W17 for a 32-bit call), results go back in X0..X3; what a
 * call does not return keeps its value.
 */
#pragma once

#include <arch/smccc.h>

#include "vm/vcpu.h"

#define SMCCC_SUCCESS 0
#define SMCCC_NOT_SUPPORTED (-1)
#define SMCCC_INVALID_PARAMETER (-3)

/* Reads X0..X17, sets results, says what becomes of the vCPU. */
typedef enum vcpu_next (*smccc_handler)(struct vcpu *vcpu);

/* A call's handlers: by W0 bit 30, the 32-bit and the 64-bit one. NULL: not supported. */
struct smccc_call {
    smccc_handler handler[2];
};

#define PSCI_CALLS 0x13 /* of the range 0x8400_0000 on */
#define TRNG_FIRST 0x50
#define TRNG_CALLS 4

extern const struct smccc_call psci_calls[PSCI_CALLS];
extern const struct smccc_call trng_calls[TRNG_CALLS];

/* NULL: no such call. */
smccc_handler smccc_find(uint32_t id);

/* Argument `n`, as wide as the call is. */
static inline uint64_t smccc_arg(const struct vcpu *vcpu, unsigned n)
{
    return vcpu->hv.x[0] & SMCCC_64 ? vcpu->hv.x[n] : (uint32_t)vcpu->hv.x[n];
}

static inline enum vcpu_next smccc_return(struct vcpu *vcpu, int64_t result)
{
    vcpu->hv.x[0] = (uint64_t)result;
    return VCPU_ENTER;
}
