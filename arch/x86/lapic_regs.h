/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's registers, by x2APIC MSR number; at 16 times that in memory. */
#pragma once

#include <stdint.h>

enum lapic_register {
    LAPIC_TPR = 0x08,
    LAPIC_EOI = 0x0b,
    LAPIC_SVR = 0x0f,
    LAPIC_ICR = 0x30,
    LAPIC_ICR_HIGH = 0x31, /* xAPIC only */
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_LINT0 = 0x35,
    LAPIC_LVT_LINT1 = 0x36,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_TIMER_INITIAL = 0x38,
    LAPIC_TIMER_CURRENT = 0x39,
    LAPIC_TIMER_DIVIDE = 0x3e,
};

uint32_t lapic_read(enum lapic_register reg);
void lapic_write(enum lapic_register reg, uint32_t value);
