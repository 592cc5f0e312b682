/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving a guest past an instruction that was carried out for it. */
#pragma once

#include <arch/vcpu.h>

#include "arch/arm64/syndrome.h"

/* AArch32 at EL0: instructions of 2 or 4 bytes, and the IT block goes on. */
void arm64_skip_aarch32(struct hv_vcpu *vcpu);

/*
 * The instruction that vcpu->esr tells of is done. A guest that single-steps takes its step
 * exception next, as after any instruction that retired (Arm ARM D2.12).
 */
static inline void arm64_skip(struct hv_vcpu *vcpu)
{
    if (unlikely(vcpu->pstate & PSTATE_NRW)) {
        arm64_skip_aarch32(vcpu);
        return;
    }
    vcpu->pc += 4;
    vcpu->pstate &= ~(PSTATE_SS | PSTATE_BTYPE);
}
