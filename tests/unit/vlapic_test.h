/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest writes to its local APIC, and x2APIC mode. */
#pragma once

#include "tests/unit/pc_machine.h"

#define SELF 0x40000u
#define ALL 0x80000u
#define OTHERS 0xc0000u
#define LOGICAL 0x800u
#define NMI 0x400u
#define INIT 0x500u
#define STARTUP 0x600u
#define ASSERTED 0x4000u
#define X2(reg) (MSR_X2APIC + (reg))
#define X2_BASE (VLAPIC_BASE | 0xc00u)

static inline void enter_x2(unsigned cpus)
{
    for (unsigned id = 0; id < cpus; id++)
        assert_true(msr_write(id, MSR_APIC_BASE, X2_BASE));
}
