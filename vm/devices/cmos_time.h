/* SPDX-License-Identifier: BSD-2-Clause */
/* Seconds since 1970 as a calendar's date and time, and back. */
#pragma once

#include <stdint.h>

struct cmos_time {
    unsigned second, minute, hour; /* from 0 */
    unsigned weekday;              /* 1: Sunday */
    unsigned day, month;           /* from 1 */
    unsigned year;                 /* 0 to 9999 */
};

#define CMOS_TIME_END 253402300800ull /* the first second of the year 10000 */

/* Of the years up to 9999: what is later, or before 1970, wraps into them. */
struct cmos_time cmos_time_of(uint64_t seconds);

/* Years before 1970 count as 1970. Values past their range carry: February 30 is March 1 or 2. */
uint64_t cmos_time_seconds(const struct cmos_time *time);
