/* SPDX-License-Identifier: BSD-2-Clause */
/* The byte order of a guest's data, by where it was when it trapped (Arm ARM B2.6). */
#pragma once

#include <arch/cpu.h>
#include <arch/vcpu.h>

#include "arch/arm64/syndrome.h"

static inline bool in_el0(const struct hv_vcpu *vcpu)
{
    return (vcpu->pstate & PSTATE_EL) == 0;
}

/* Big-endian. The usual guest is not: told by two tests. */
static inline bool swaps_data(const struct hv_vcpu *vcpu)
{
    uint64_t sctlr = sysreg_read(sctlr_el1);

    if (unlikely(vcpu->pstate & PSTATE_NRW))
        return vcpu->pstate & PSTATE32_E;
    if (likely(!(sctlr & (SCTLR_EE | SCTLR_E0E))))
        return false;
    return sctlr & (in_el0(vcpu) ? SCTLR_E0E : SCTLR_EE);
}
