/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One channel of the 8254, as a function of time. N is the count, a digit a tick:
 *
 *     mode 0  ______/------   rises after N            mode 1  the same, started by the gate
 *     mode 2  ------\_/----   low for a tick every N   mode 3  high and low for half of N each
 *     mode 4  ------\_/----   low for a tick, once     mode 5  the same, started by the gate
 */

#include "vm/irqchip/x86/ticks.h"
#include "vm/irqchip/x86/vpit.h"

#define BCD_RANGE 10000u
#define BINARY_RANGE 65536u

unsigned vpit_mode(const struct vpit_channel *channel)
{
    unsigned mode = (unsigned)FIELD_GET(PIT_MODE, channel->control);

    return mode > 5 ? mode - 4 : mode; /* 6 and 7 are 2 and 3 */
}

static bool waits_for_gate(const struct vpit_channel *channel)
{
    return vpit_mode(channel) == 1 || vpit_mode(channel) == 5;
}

static bool is_periodic(const struct vpit_channel *channel)
{
    return vpit_mode(channel) == 2 || vpit_mode(channel) == 3;
}

static uint32_t range(const struct vpit_channel *channel)
{
    return channel->control & PIT_BCD ? BCD_RANGE : BINARY_RANGE;
}

static uint32_t from_bcd(uint32_t bcd)
{
    return (bcd & 0xf) + (bcd >> 4 & 0xf) * 10 + (bcd >> 8 & 0xf) * 100 + (bcd >> 12) * 1000;
}

static uint16_t to_bcd(uint32_t value)
{
    return (uint16_t)(value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 |
                      value / 1000 % 10 << 12);
}

/* Ticks of a whole count. */
static uint32_t period(const struct vpit_channel *channel)
{
    uint32_t ticks = channel->control & PIT_BCD ? from_bcd(channel->reload) : channel->reload;

    return ticks == 0 ? range(channel) : ticks;
}

uint64_t vpit_elapsed(const struct vpit_channel *channel, uint64_t now)
{
    if (!channel->counting)
        return channel->start;
    return ticks_down(now - channel->start, VPIT_HZ, arch_counter_hz());
}

static uint64_t time_of(const struct vpit_channel *channel, uint64_t tick)
{
    return channel->start + ticks_up(tick, arch_counter_hz(), VPIT_HZ);
}

uint16_t vpit_count(const struct vpit_channel *channel, uint64_t now)
{
    uint64_t ticks = vpit_elapsed(channel, now);
    uint32_t whole = period(channel), modulus = range(channel), count;

    if (!channel->loaded)
        return 0;
    switch (vpit_mode(channel)) {
    case 2: count = whole - (uint32_t)(ticks % whole); break;
    case 3: count = whole - (uint32_t)(2 * ticks % whole); break;
    default: count = (whole + modulus - (uint32_t)(ticks % modulus)) % modulus; break;
    }
    return channel->control & PIT_BCD ? to_bcd(count) : (uint16_t)count;
}

bool vpit_out(const struct vpit_channel *channel, uint64_t now)
{
    uint64_t ticks = vpit_elapsed(channel, now);
    uint32_t whole = period(channel);

    if (!channel->loaded)
        return vpit_mode(channel) != 0;
    if (!channel->counting && vpit_mode(channel) != 0)
        return true;
    switch (vpit_mode(channel)) {
    case 0:
    case 1: return ticks >= whole;
    case 2: return ticks % whole != whole - 1;
    case 3: return ticks % whole < (whole + 1) / 2;
    default: return ticks != whole;
    }
}

/* Counting goes on from `ticks`, so as if it had begun earlier. */
static void count_from(struct vpit_channel *channel, uint64_t ticks, uint64_t now)
{
    channel->counting = true;
    channel->start = now - ticks_up(ticks, arch_counter_hz(), VPIT_HZ);
}

static void stop_at(struct vpit_channel *channel, uint64_t ticks)
{
    channel->counting = false;
    channel->start = ticks;
}

/* A new count for a mode that the gate starts is for the next time that it does. */
void vpit_load(struct vpit_channel *channel, uint64_t now)
{
    channel->loaded = true;
    if (waits_for_gate(channel))
        return;
    if (channel->gate)
        count_from(channel, 0, now);
    else
        stop_at(channel, 0);
}

void vpit_set_gate(struct vpit_channel *channel, bool gate, uint64_t now)
{
    bool changes = gate != channel->gate;

    channel->gate = gate;
    if (!changes || !channel->loaded)
        return;
    if (gate && (waits_for_gate(channel) || is_periodic(channel)))
        count_from(channel, 0, now);
    else if (gate)
        count_from(channel, channel->start, now);
    else if (!waits_for_gate(channel))
        stop_at(channel, vpit_elapsed(channel, now));
}

uint64_t vpit_next_rise(const struct vpit_channel *channel, uint64_t now)
{
    uint64_t ticks = vpit_elapsed(channel, now);
    uint64_t whole = period(channel);
    uint64_t pulse = vpit_mode(channel) >= 4;

    if (!channel->counting)
        return TIMER_NEVER;
    if (is_periodic(channel))
        return time_of(channel, (ticks / whole + 1) * whole);
    return ticks < whole + pulse ? time_of(channel, whole + pulse) : TIMER_NEVER;
}
