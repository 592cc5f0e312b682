/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock: read once from the host's RTC, counted on with the CPU's counter. */
#pragma once

#include <stdint.h>

/* Seconds since 1970, by the Arm PrimeCell RTC (PL031) whose registers are at `regs`. */
uint32_t rtc_read_pl031(const void *regs);

/* It is now `seconds` since 1970. */
void rtc_start(uint32_t seconds);

/* Seconds since 1970; since the boot where no RTC told. */
uint32_t rtc_now(void);
