/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock's registers: binary or decimal digits, 24 hours or twice 12. */

#include "vm/devices/cmos_registers.h"

#include "arch/bits.h"
#include "vm/devices/cmos_time.h"

#define HOURS_PM BIT(7)
#define ANY_ALARM 0xc0 /* and above: every value */

static uint8_t encode(const uint8_t *byte, unsigned value)
{
    return (uint8_t)(byte[REG_B] & B_BINARY ? value : value / 10 % 10 << 4 | value % 10);
}

static unsigned decode(const uint8_t *byte, uint8_t value)
{
    return byte[REG_B] & B_BINARY ? value : (unsigned)(value >> 4) * 10 + (value & 0x0f);
}

static uint8_t encode_hour(const uint8_t *byte, unsigned hour)
{
    if (byte[REG_B] & B_24H)
        return encode(byte, hour);
    return encode(byte, (hour + 11) % 12 + 1) | (hour >= 12 ? HOURS_PM : 0);
}

static unsigned decode_hour(const uint8_t *byte, uint8_t value)
{
    if (byte[REG_B] & B_24H)
        return decode(byte, value);
    return decode(byte, value & (uint8_t)~HOURS_PM) % 12 + (value & HOURS_PM ? 12 : 0);
}

bool cmos_is_time(unsigned index)
{
    return index == CENTURY || (index <= YEAR && index != SECONDS_ALARM && index != MINUTES_ALARM &&
                                index != HOURS_ALARM);
}

void cmos_put_time(uint8_t *byte, uint64_t seconds)
{
    const struct cmos_time time = cmos_time_of(seconds);

    byte[SECONDS] = encode(byte, time.second);
    byte[MINUTES] = encode(byte, time.minute);
    byte[HOURS] = encode_hour(byte, time.hour);
    byte[WEEKDAY] = encode(byte, time.weekday);
    byte[DAY] = encode(byte, time.day);
    byte[MONTH] = encode(byte, time.month);
    byte[YEAR] = encode(byte, time.year % 100);
    byte[CENTURY] = encode(byte, time.year / 100);
}

uint64_t cmos_get_time(const uint8_t *byte)
{
    const struct cmos_time time = {
        .second = decode(byte, byte[SECONDS]),
        .minute = decode(byte, byte[MINUTES]),
        .hour = decode_hour(byte, byte[HOURS]),
        .day = decode(byte, byte[DAY]),
        .month = decode(byte, byte[MONTH]),
        .year = decode(byte, byte[CENTURY]) % 100 * 100 + decode(byte, byte[YEAR]) % 100,
    };

    return cmos_time_seconds(&time);
}

static bool alarm_matches(const uint8_t *byte, unsigned alarm, unsigned value)
{
    if (byte[alarm] >= ANY_ALARM)
        return true;
    return value ==
           (alarm == HOURS_ALARM ? decode_hour(byte, byte[alarm]) : decode(byte, byte[alarm]));
}

/* The first value of [from, end) that the alarm register matches; `end`: none. */
static unsigned first_match(const uint8_t *byte, unsigned alarm, unsigned from, unsigned end)
{
    while (from < end && !alarm_matches(byte, alarm, from))
        from++;
    return from;
}

/* Each turn skips to the next hour, minute or second that can match. */
uint64_t cmos_next_alarm(const uint8_t *byte, uint64_t seconds)
{
    uint64_t at = seconds;

    while (at < seconds + 2 * 86400) {
        const unsigned hour = (unsigned)(at / 3600 % 24), minute = (unsigned)(at / 60 % 60);
        const unsigned to_hour = first_match(byte, HOURS_ALARM, hour, 24);
        const unsigned to_minute = first_match(byte, MINUTES_ALARM, minute, 60);
        const unsigned to_second = first_match(byte, SECONDS_ALARM, (unsigned)(at % 60), 60);

        if (to_hour != hour)
            at += (to_hour - hour) * 3600 - at % 3600;
        else if (to_minute != minute)
            at += (to_minute - minute) * 60 - at % 60;
        else if (to_second == 60)
            at += 60 - at % 60;
        else
            return at + to_second - at % 60;
    }
    return CMOS_NO_ALARM;
}
