/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that each CPU took, counted: for guests that send some and see who got them. */
#pragma once

#include "tests/guests/x86/lib/guest.h"

static volatile unsigned taken[MAX_CPUS], last_vector;

/* For on_interrupt. */
static inline void note(unsigned vector)
{
    taken[cpu_self()]++;
    last_vector = vector;
}

/* A moment for interrupts to come. */
static inline void settle(void)
{
    sti();
    for (unsigned i = 0; i < 300; i++)
        in8(0x80);
    cli();
}

static inline unsigned total(void)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < MAX_CPUS; i++)
        sum += taken[i];
    return sum;
}
