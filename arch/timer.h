/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's counter, and one comparator of it that belongs to the hypervisor. */
#pragma once

#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

/* Ticks since reset, the same on every CPU. */
uint64_t arch_counter(void);

/* Ticks per second; constant after boot, never 0. */
uint64_t arch_counter_hz(void);

/* Interrupt this CPU when arch_counter() reaches `deadline`; TIMER_NEVER disarms. */
void arch_timer_set(uint64_t deadline);
