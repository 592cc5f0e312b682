/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving a guest past an instruction that was carried out for it. */
#pragma once

#include <arch/vcpu.h>

#include "arch/arm64/syndrome.h"

/* AArch32 at EL0: instructions of 2 or 4 bytes, and the IT block goes on. */
void arm64_skip_aarch32(struct hv_vcpu *vcpu);

/* The same for AArch64, which some exception classes come from only. */
static inline void arm64_skip_aarch64(struct hv_vcpu *vcpu)
{
    vcpu->pc += 4;
    vcpu->pstate &= ~(PSTATE_SS | PSTATE_BTYPE);
}

/*
 * The instruction that vcpu->esr tells of is done. A guest that single-steps takes its step
 * exception next, as after any instruction that retired (Arm ARM D2.12).
 */
static inline void arm64_skip(struct hv_vcpu *vcpu)
{
    if (unlikely(vcpu->pstate & PSTATE_NRW))
        arm64_skip_aarch32(vcpu);
    else
        arm64_skip_aarch64(vcpu);
}
