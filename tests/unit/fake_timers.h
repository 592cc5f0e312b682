/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's timers on a counter that the test moves: they fire when it says so. */
#pragma once

#include "kernel/timer.h"

/* None armed. */
void fake_timers_reset(void);
/* Deadline of the earliest; TIMER_NEVER. */
uint64_t fake_timers_next(void);
/* Those that have come due, the earliest first. */
void fake_timers_fire(void);
