/* SPDX-License-Identifier: BSD-2-Clause */
/* EL1 timers of the unit tests' CPUs, over the fake counter. */
#pragma once

#include "arch/arm64/include/arch/vtimer.h"

/* The selected CPU's registers, for a test that writes them as a guest does. */
struct vtimer_regs *fake_vtimer_regs(void);
uint64_t fake_vtimer_offset(void);
