/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock: read once from the host's RTC, counted on with the CPU's counter. */
#pragma once

#include <stdint.h>

#include "drivers/firmware/host_info.h"

/* Reads the board's clock, if it has one. */
void rtc_init(const struct host_info *host);

/* For drivers: it is now `seconds` since 1970. */
void rtc_start(uint32_t seconds);

/* Seconds since 1970; since the boot where no RTC told. */
uint32_t rtc_now(void);
