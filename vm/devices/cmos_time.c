/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Gregorian calendar, in years that begin with March: so the leap day is the last one,
 * and the months' lengths repeat 31 30 31 30 31, five months in 153 days.
 */

#include "vm/devices/cmos_time.h"

#define DAY 86400u
#define DAYS_OF_400_YEARS 146097u
#define EPOCH_DAYS 719468u /* from March 1 of year 0 to January 1, 1970 */

/* Days before March 1 of a year, from March 1 of year 0. */
static uint64_t days_before(uint64_t year)
{
    return year * 365 + year / 4 - year / 100 + year / 400;
}

struct cmos_time cmos_time_of(uint64_t seconds)
{
    const uint64_t since_epoch = seconds % CMOS_TIME_END;
    const uint64_t days = since_epoch / DAY + EPOCH_DAYS;
    const unsigned second = (unsigned)(since_epoch % DAY);
    uint64_t year = days * 400 / DAYS_OF_400_YEARS; /* right, or one too many or few */

    while (days_before(year + 1) <= days)
        year++;
    while (days_before(year) > days)
        year--;

    const unsigned day = (unsigned)(days - days_before(year));
    const unsigned month = (5 * day + 2) / 153; /* 0: March */

    return (struct cmos_time){
        .second = second % 60,
        .minute = second / 60 % 60,
        .hour = second / 3600,
        .weekday = (unsigned)((days + 3) % 7) + 1, /* March 1 of year 0 was a Wednesday */
        .day = day - (153 * month + 2) / 5 + 1,
        .month = month < 10 ? month + 3 : month - 9,
        .year = (unsigned)(month < 10 ? year : year + 1),
    };
}

uint64_t cmos_time_seconds(const struct cmos_time *time)
{
    const unsigned month = (time->month + 9) % 12; /* 0: March */
    const uint64_t year = time->year < 1970 ? 1970 : time->year;
    const uint64_t days = days_before(month < 10 ? year : year - 1) + (153 * month + 2) / 5 +
                          time->day - 1 - EPOCH_DAYS;

    return days * DAY + time->hour * 3600 + time->minute * 60 + time->second;
}
