/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock's registers as its guest writes them: `byte` is all that index reaches, and
 * register B there says how the time is written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum cmos_index {
    SECONDS = 0x00,
    SECONDS_ALARM = 0x01,
    MINUTES = 0x02,
    MINUTES_ALARM = 0x03,
    HOURS = 0x04,
    HOURS_ALARM = 0x05,
    WEEKDAY = 0x06,
    DAY = 0x07,
    MONTH = 0x08,
    YEAR = 0x09,
    REG_A = 0x0a,
    REG_B = 0x0b,
    REG_C = 0x0c,
    REG_D = 0x0d,
    CENTURY = 0x32,
    CMOS_BYTES = 0x80,
};

#define B_BINARY (1u << 2)
#define B_24H (1u << 1)

/* Does the clock itself count this one? */
bool cmos_is_time(unsigned index);

/* Seconds since 1970, to the registers and from whatever a guest has put there. */
void cmos_put_time(uint8_t *byte, uint64_t seconds);
uint64_t cmos_get_time(const uint8_t *byte);

/*
 * The alarm's first second from `seconds` on, within two days; CMOS_NO_ALARM: its registers
 * hold what no clock shows.
 */
#define CMOS_NO_ALARM UINT64_MAX
uint64_t cmos_next_alarm(const uint8_t *byte, uint64_t seconds);
