/* SPDX-License-Identifier: BSD-2-Clause */
/* A counter that a test moves, and a comparator that only remembers. */

#include "arch/timer.h"

#include "arch/fake/fake.h"

static uint64_t counter;
static _Thread_local uint64_t deadline = TIMER_NEVER;

void fake_counter_set(uint64_t ticks)
{
    __atomic_store_n(&counter, ticks, __ATOMIC_RELAXED);
}

uint64_t fake_timer_deadline(void)
{
    return deadline;
}

uint64_t arch_counter(void)
{
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}

uint64_t arch_counter_hz(void)
{
    return FAKE_COUNTER_HZ;
}

void arch_timer_set(uint64_t ticks)
{
    deadline = ticks;
}
