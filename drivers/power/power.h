/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning the machine off and starting it again. */
#pragma once

#include <stdbool.h>

struct power_means {
    bool psci;        /* 0.2 or later, reached by SMC */
    bool semihosting; /* a debugger or emulator answers HLT #0xf000 */
};

/* Also registers power_off for panics. */
void power_init(const struct power_means *means);

/*
 * Stops the machine. Semihosting hands `status` to whoever started it; else the last line
 * of the log says it ("socle: power off, status 0") and PSCI turns the power off. Any CPU, any lock
 * held.
 */
_Noreturn void power_off(int status);

/* From the firmware on. */
_Noreturn void power_reset(void);
