/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU whose timer a device model arms, on a counter that the test moves. */
#pragma once

#include "arch/fake/fake.h"
#include "kernel/percpu.h"
#include "kernel/timer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct cpu clock_cpu;

static inline void clock_start(void)
{
    clock_cpu = (struct cpu){ 0 };
    arch_set_this_cpu(&clock_cpu);
    arch_timer_set(TIMER_NEVER);
}

/* What has come due by then fires. */
static inline void clock_to(uint64_t ticks)
{
    fake_counter_set(ticks);
    while (ticks >= fake_timer_deadline())
        timer_interrupt();
}

/* Nothing will fire. */
static inline void assert_no_timer(void)
{
    assert_null(clock_cpu.timers.first);
}
