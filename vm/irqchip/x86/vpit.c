/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 and the speaker's port: what is written and read, and channel 0's interrupt.
 *
 * Each time OUT of channel 0 rises, the interrupt's line falls and rises, and stays high: the
 * PIC wants to see the edge until it is acknowledged. A tick that nobody could be told of in
 * time is dropped; the next one comes when it would have come anyway.
 */

#include "vm/irqchip/x86/vpit.h"

#include "arch/timer.h"
#include "vm/irqchip/x86/ticks.h"
#include "vm/state.h"

enum range { TIMER, SPEAKER };

#define CONTROL_PORT 3
#define CONTROL_CHANNEL GENMASK(7, 6)
#define CONTROL_KEPT GENMASK(5, 0)
#define READ_BACK 3
#define READ_BACK_NO_COUNT BIT(5)
#define READ_BACK_NO_STATUS BIT(4)
#define STATUS_OUT BIT(7)
#define STATUS_NULL BIT(6)

#define SPEAKER_GATE BIT(0)
#define SPEAKER_KEPT GENMASK(3, 1)
#define SPEAKER_REFRESH BIT(4)
#define SPEAKER_OUT BIT(5)

#define MODE_SQUARE 0x36u /* access both, mode 3, binary */
#define MODE_RATE 0x14u   /* access low, mode 2, binary */
#define REFRESH_COUNT 18u

#define MIN_PERIOD_HZ 20000u /* the most often that the hypervisor is to be bothered */

static struct vpit *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct vpit, dev);
}

/* --- channel 0's interrupt --- */

static void set_level(struct vpit *pit, bool level)
{
    if (level == pit->level)
        return;
    pit->level = level;
    irq_line_set(&pit->irq, level);
}

static void arm(struct vpit *pit, uint64_t after)
{
    uint64_t next = vpit_next_rise(&pit->channel[0], after);

    if (next == TIMER_NEVER)
        vdev_timer_disarm(&pit->timer);
    else
        vdev_timer_arm(&pit->timer, next);
}

static void rise(struct vdev *dev)
{
    struct vpit *pit = from_vdev(dev);
    uint64_t now = arch_counter();

    set_level(pit, false);
    set_level(pit, true);
    arm(pit, now + arch_counter_hz() / MIN_PERIOD_HZ);
}

/* After its control word or count was written: OUT is low in modes 0 and 1 until they end. */
static void restart(struct vpit *pit, uint64_t now)
{
    set_level(pit, vpit_mode(&pit->channel[0]) > 1 || vpit_out(&pit->channel[0], now));
    arm(pit, now);
}

/* --- reading --- */

static void latch_count(struct vpit_channel *channel, uint64_t now)
{
    if (channel->latched != 0)
        return;
    channel->latch = vpit_count(channel, now);
    channel->latched = FIELD_GET(PIT_ACCESS, channel->control) == PIT_ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct vpit_channel *channel, uint64_t now)
{
    if (channel->has_status)
        return;
    channel->has_status = true;
    channel->status = (uint8_t)(channel->control | (vpit_out(channel, now) ? STATUS_OUT : 0) |
                                (channel->loaded ? 0 : STATUS_NULL));
}

static uint8_t half(uint16_t count, bool high)
{
    return (uint8_t)(high ? count >> 8 : count);
}

static uint8_t read_channel(struct vpit_channel *channel, uint64_t now)
{
    uint64_t access = FIELD_GET(PIT_ACCESS, channel->control);
    bool high = access == PIT_ACCESS_HIGH;

    if (channel->has_status) {
        channel->has_status = false;
        return channel->status;
    }
    if (channel->latched != 0) {
        if (access == PIT_ACCESS_BOTH)
            high = channel->latched == 1;
        channel->latched--;
        return half(channel->latch, high);
    }
    if (access == PIT_ACCESS_BOTH) {
        high = channel->read_high;
        channel->read_high = !high;
    }
    return half(vpit_count(channel, now), high);
}

static uint8_t read_speaker(const struct vpit *pit, uint64_t now)
{
    const struct vpit_channel *channel = &pit->channel[2];
    uint64_t refresh = ticks_down(now, VPIT_HZ, arch_counter_hz()) / REFRESH_COUNT;

    return (uint8_t)(pit->speaker | (channel->gate ? SPEAKER_GATE : 0) |
                     (refresh & 1 ? SPEAKER_REFRESH : 0) |
                     (vpit_out(channel, now) ? SPEAKER_OUT : 0));
}

/* --- writing --- */

static void program(struct vpit_channel *channel, uint8_t control)
{
    bool gate = channel->gate;

    *channel = (struct vpit_channel){ .control = control & CONTROL_KEPT,
                                      .gate = gate,
                                      .reload = channel->reload };
}

static void read_back(struct vpit *pit, uint8_t command, uint64_t now)
{
    for (unsigned i = 0; i < VPIT_CHANNELS; i++) {
        if (!(command >> (i + 1) & 1))
            continue;
        if (!(command & READ_BACK_NO_COUNT))
            latch_count(&pit->channel[i], now);
        if (!(command & READ_BACK_NO_STATUS))
            latch_status(&pit->channel[i], now);
    }
}

static void write_control(struct vpit *pit, uint8_t control, uint64_t now)
{
    unsigned which = (unsigned)FIELD_GET(CONTROL_CHANNEL, control);

    if (which == READ_BACK) {
        read_back(pit, control, now);
    } else if (FIELD_GET(PIT_ACCESS, control) == PIT_ACCESS_LATCH) {
        latch_count(&pit->channel[which], now);
    } else {
        program(&pit->channel[which], control);
        if (which == 0)
            restart(pit, now);
    }
}

/* True: the count is whole now. The first of two bytes stops mode 0. */
static bool write_count(struct vpit_channel *channel, uint8_t value, uint64_t now)
{
    uint64_t access = FIELD_GET(PIT_ACCESS, channel->control);

    if (access == PIT_ACCESS_BOTH && !channel->write_high) {
        channel->low = value;
        channel->write_high = true;
        if (vpit_mode(channel) == 0)
            channel->loaded = channel->counting = false;
        return false;
    }
    channel->reload = (uint16_t)(access == PIT_ACCESS_LOW ? value : value << 8);
    if (channel->write_high)
        channel->reload |= channel->low;
    channel->write_high = false;
    vpit_load(channel, now);
    return true;
}

static void write_timer(struct vpit *pit, unsigned port, uint8_t value, uint64_t now)
{
    bool whole;

    if (port == CONTROL_PORT) {
        write_control(pit, value, now);
        return;
    }
    whole = write_count(&pit->channel[port], value, now);
    if (port == 0 && (whole || !pit->channel[0].loaded))
        restart(pit, now);
}

static void write_speaker(struct vpit *pit, uint8_t value, uint64_t now)
{
    pit->speaker = value & SPEAKER_KEPT;
    vpit_set_gate(&pit->channel[2], (value & SPEAKER_GATE) != 0, now);
}

static uint64_t vpit_read(struct vdev *dev, struct vdev_access access)
{
    struct vpit *pit = from_vdev(dev);
    uint64_t now = arch_counter();

    if (access.range == SPEAKER)
        return read_speaker(pit, now);
    return access.offset < VPIT_CHANNELS ? read_channel(&pit->channel[access.offset], now) : 0;
}

static void vpit_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct vpit *pit = from_vdev(dev);
    uint64_t now = arch_counter();

    if (access.range == SPEAKER)
        write_speaker(pit, (uint8_t)value, now);
    else if (access.offset <= CONTROL_PORT)
        write_timer(pit, (unsigned)access.offset, (uint8_t)value, now);
}

/* As a PC's firmware leaves it: channel 0 ticks 18.2 times a second, channel 1 refreshes. */
static void vpit_reset(struct vdev *dev)
{
    static const struct vpit_channel after_reset[VPIT_CHANNELS] = {
        { .control = MODE_SQUARE, .gate = true },
        { .control = MODE_RATE, .gate = true, .reload = REFRESH_COUNT },
        { .control = MODE_SQUARE },
    };
    struct vpit *pit = from_vdev(dev);
    uint64_t now = arch_counter();

    pit->speaker = 0;
    for (unsigned i = 0; i < VPIT_CHANNELS; i++) {
        pit->channel[i] = after_reset[i];
        vpit_load(&pit->channel[i], now);
    }
    set_level(pit, false);
    arm(pit, now);
}

/* --- snapshots: with ticks counted in place of `start` --- */

enum {
    FLAG_LOADED = 1 << 0,
    FLAG_COUNTING = 1 << 1,
    FLAG_GATE = 1 << 2,
    FLAG_WRITE_HIGH = 1 << 3,
    FLAG_READ_HIGH = 1 << 4,
    FLAG_STATUS = 1 << 5,
    FLAGS_ALL = (1 << 6) - 1,
};

static void save_channel(const struct vpit_channel *channel, struct state_writer *out)
{
    state_put_u8(out, channel->control);
    state_put_u16(out, channel->reload);
    state_put_u8(
        out,
        (uint8_t)((channel->loaded ? FLAG_LOADED : 0) | (channel->counting ? FLAG_COUNTING : 0) |
                  (channel->gate ? FLAG_GATE : 0) | (channel->write_high ? FLAG_WRITE_HIGH : 0) |
                  (channel->read_high ? FLAG_READ_HIGH : 0) |
                  (channel->has_status ? FLAG_STATUS : 0)));
    state_put_u64(out, vpit_elapsed(channel, arch_counter()));
    state_put_u8(out, channel->low);
    state_put_u8(out, channel->latched);
    state_put_u16(out, channel->latch);
    state_put_u8(out, channel->status);
}

#define ELAPSED_MAX BIT(50) /* some thirty years */

static bool is_possible(const struct vpit_channel *channel, uint8_t flags, unsigned which)
{
    uint64_t access = FIELD_GET(PIT_ACCESS, channel->control);

    return (channel->control & ~CONTROL_KEPT) == 0 && access != PIT_ACCESS_LATCH &&
           (flags & ~FLAGS_ALL) == 0 && (channel->loaded || !channel->counting) &&
           channel->latched <= (access == PIT_ACCESS_BOTH ? 2 : 1) &&
           (channel->gate || which == 2) && channel->start < ELAPSED_MAX;
}

static void restore_channel(struct vpit *pit, unsigned which, struct state_reader *in)
{
    struct vpit_channel *channel = &pit->channel[which];
    struct vpit_channel read = { .control = state_get_u8(in) };
    uint8_t flags;

    read.reload = state_get_u16(in);
    flags = state_get_u8(in);
    read.loaded = flags & FLAG_LOADED;
    read.counting = flags & FLAG_COUNTING;
    read.gate = flags & FLAG_GATE;
    read.write_high = flags & FLAG_WRITE_HIGH;
    read.read_high = flags & FLAG_READ_HIGH;
    read.has_status = flags & FLAG_STATUS;
    read.start = state_get_u64(in);
    read.low = state_get_u8(in);
    read.latched = state_get_u8(in);
    read.latch = state_get_u16(in);
    read.status = state_get_u8(in);
    if (!is_possible(&read, flags, which)) {
        state_reject(in);
        return;
    }
    if (read.counting)
        read.start = arch_counter() - ticks_up(read.start, arch_counter_hz(), VPIT_HZ);
    *channel = read;
}

static void vpit_save(const struct vdev *dev, struct state_writer *out)
{
    const struct vpit *pit = from_vdev(dev);

    state_put_u8(out, pit->speaker);
    state_put_u8(out, pit->level);
    for (unsigned i = 0; i < VPIT_CHANNELS; i++)
        save_channel(&pit->channel[i], out);
}

/* The controllers remember the line's level themselves. */
static status_t vpit_restore(struct vdev *dev, struct state_reader *in)
{
    struct vpit *pit = from_vdev(dev);
    uint8_t speaker = state_get_u8(in), level = state_get_u8(in);

    if ((speaker & ~SPEAKER_KEPT) != 0 || level > 1)
        state_reject(in);
    pit->speaker = speaker & SPEAKER_KEPT;
    pit->level = level;
    for (unsigned i = 0; i < VPIT_CHANNELS; i++)
        restore_channel(pit, i, in);
    arm(pit, arch_counter());
    return state_status(in);
}

static void vpit_destroy(struct vdev *dev)
{
    vdev_timer_put_away(&from_vdev(dev)->timer);
}

const struct vdev_ops vpit_ops = {
    .name = "pit",
    .byte_ports = true,
    .read = vpit_read,
    .write = vpit_write,
    .reset = vpit_reset,
    .save = vpit_save,
    .restore = vpit_restore,
    .destroy = vpit_destroy,
};

void vpit_init(struct vpit *pit, struct irq_line irq)
{
    pit->dev.ops = &vpit_ops;
    pit->irq = irq;
    vdev_timer_init(&pit->timer, &pit->dev, rise);
}
