/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real time clock with 128 bytes of memory that a battery keeps, as in Motorola's MC146818A
 * data sheet, at a PC's ports.
 *
 *     port 0  index (bit 7, the NMI's mask, is ignored)      port 1  the byte there
 *
 *     00 seconds  02 minutes  04 hours     01 03 05 alarm at    06 weekday  07 day  08 month
 *     09 year     32 century  0a..0d registers A to D           the rest: memory
 *
 *     time = wall clock at creation + seconds since + what the guest has moved it by
 *
 * A snapshot keeps the last of the three only, so a restored guest reads the right time. The
 * flags of register C follow from the time that has passed and are found out when it is read;
 * a timer runs only for those that interrupt and are not set yet. The clock goes on through a
 * reset, and the memory stays.
 */

#include "vm/devices/cmos.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/devices/cmos_memory.h"
#include "vm/devices/cmos_registers.h"
#include "vm/devices/vdev_timer.h"
#include "vm/irqchip/x86/ticks.h"
#include "vm/state.h"

#define A_UIP BIT(7)
#define A_RATE 0x0f
#define A_CREATED 0x26 /* 32.768 kHz, 1024 Hz */
#define B_SET BIT(7)
#define B_INTERRUPTS 0x70 /* periodic, alarm, update: as in C */
#define B_SQWE BIT(3)
#define C_IRQF BIT(7)
#define C_PF BIT(6)
#define C_AF BIT(5)
#define C_UF BIT(4)
#define C_FLAGS (C_PF | C_AF | C_UF)
#define D_VALID BIT(7) /* the battery is good */

#define CRYSTAL_HZ 32768u
#define UIP_HZ 4098u /* its period, 244 us, is how long UIP warns */

struct cmos {
    struct vdev dev;
    struct irq_line line;
    bool level;       /* of the line, as last set */
    uint64_t created; /* arch_counter() */
    uint64_t base;    /* wall clock then */
    uint64_t moved;   /* by the guest */
    uint64_t seen;    /* arch_counter() up to which C's flags are right */
    uint8_t index;
    uint8_t byte[CMOS_BYTES]; /* the time's only while B_SET holds it still */
    struct vdev_timer timer;
};

static struct cmos *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct cmos, dev);
}

/* --- the clock --- */

static uint64_t seconds_at(const struct cmos *rtc, uint64_t counter)
{
    return rtc->base + rtc->moved + (counter - rtc->created) / arch_counter_hz();
}

static uint64_t seconds_now(const struct cmos *rtc)
{
    return seconds_at(rtc, arch_counter());
}

static void set_time(struct cmos *rtc, uint64_t seconds)
{
    rtc->moved += seconds - seconds_now(rtc);
}

static bool is_held(const struct cmos *rtc)
{
    return (rtc->byte[REG_B] & B_SET) != 0;
}

/* Is an update less than UIP's warning away? */
static bool is_updating(const struct cmos *rtc)
{
    const uint64_t hz = arch_counter_hz();

    return !is_held(rtc) && (arch_counter() - rtc->created) % hz >= hz - hz / UIP_HZ;
}

/* Periods per second, by register A; 0: none. */
static unsigned rate(const struct cmos *rtc)
{
    const unsigned select = rtc->byte[REG_A] & A_RATE;

    if (select == 0)
        return 0;
    return CRYSTAL_HZ >> (select <= 2 ? select + 6 : select - 1);
}

static uint64_t periods_at(const struct cmos *rtc, uint64_t counter)
{
    return ticks_down(counter - rtc->created, rate(rtc), arch_counter_hz());
}

/* --- flags and the interrupt --- */

static void catch_up(struct cmos *rtc)
{
    const uint64_t now = arch_counter();
    const uint64_t before = seconds_at(rtc, rtc->seen), seconds = seconds_at(rtc, now);

    if (rate(rtc) != 0 && periods_at(rtc, rtc->seen) != periods_at(rtc, now))
        rtc->byte[REG_C] |= C_PF;
    if (!is_held(rtc) && before != seconds) {
        rtc->byte[REG_C] |= C_UF;
        if (cmos_next_alarm(rtc->byte, before + 1) <= seconds)
            rtc->byte[REG_C] |= C_AF;
    }
    rtc->seen = now;
}

/* When the flag will be set, in counts of arch_counter(). */
static uint64_t when(const struct cmos *rtc, uint8_t flag)
{
    const uint64_t hz = arch_counter_hz();
    const uint64_t seconds = seconds_at(rtc, rtc->seen);
    uint64_t at = seconds + 1;

    if (flag == C_PF)
        return rate(rtc) == 0
                   ? TIMER_NEVER
                   : rtc->created + ticks_up(periods_at(rtc, rtc->seen) + 1, hz, rate(rtc));
    if (is_held(rtc))
        return TIMER_NEVER;
    if (flag == C_AF)
        at = cmos_next_alarm(rtc->byte, seconds + 1);
    return at == CMOS_NO_ALARM ? TIMER_NEVER : rtc->created + (at - rtc->base - rtc->moved) * hz;
}

/* The line, and the timer for the next flag that would change it. */
static void update(struct cmos *rtc)
{
    const uint8_t enabled = rtc->byte[REG_B] & B_INTERRUPTS;
    const bool level = (rtc->byte[REG_C] & enabled) != 0;
    uint64_t next = TIMER_NEVER;

    rtc->byte[REG_C] = (rtc->byte[REG_C] & C_FLAGS) | (level ? C_IRQF : 0);
    if (level != rtc->level) {
        rtc->level = level;
        irq_line_set(&rtc->line, level);
    }
    for (uint8_t flag = C_UF; !level && flag <= C_PF; flag = (uint8_t)(flag << 1))
        if (enabled & flag)
            next = MIN(next, when(rtc, flag));
    vdev_timer_disarm(&rtc->timer);
    if (next != TIMER_NEVER)
        vdev_timer_arm(&rtc->timer, next);
}

static void tick(struct vdev *dev)
{
    struct cmos *rtc = from_vdev(dev);

    catch_up(rtc);
    update(rtc);
}

/* --- accesses --- */

static uint8_t read_byte(struct cmos *rtc)
{
    uint8_t value;

    if (cmos_is_time(rtc->index) && !is_held(rtc))
        cmos_put_time(rtc->byte, seconds_now(rtc));
    if (rtc->index == REG_A)
        return rtc->byte[REG_A] | (is_updating(rtc) ? A_UIP : 0);
    if (rtc->index != REG_C)
        return rtc->byte[rtc->index];
    tick(&rtc->dev);
    value = rtc->byte[REG_C];
    rtc->byte[REG_C] = 0;
    update(rtc);
    return value;
}

static void write_b(struct cmos *rtc, uint8_t value)
{
    const bool held = is_held(rtc);

    if (value & B_SET)
        value &= (uint8_t)~C_UF; /* its enable falls */
    rtc->byte[REG_B] = value;
    if (!held && is_held(rtc))
        cmos_put_time(rtc->byte, seconds_now(rtc));
    else if (held && !is_held(rtc))
        set_time(rtc, cmos_get_time(rtc->byte));
}

static void write_time(struct cmos *rtc, uint8_t value)
{
    if (!is_held(rtc))
        cmos_put_time(rtc->byte, seconds_now(rtc));
    rtc->byte[rtc->index] = value;
    if (!is_held(rtc))
        set_time(rtc, cmos_get_time(rtc->byte));
}

static void write_byte(struct cmos *rtc, uint8_t value)
{
    catch_up(rtc);
    switch (rtc->index) {
    case REG_A: rtc->byte[REG_A] = value & (uint8_t)~A_UIP; break;
    case REG_B: write_b(rtc, value); break;
    case REG_C:
    case REG_D: break;
    default:
        if (cmos_is_time(rtc->index))
            write_time(rtc, value);
        else
            rtc->byte[rtc->index] = value;
        break;
    }
    update(rtc);
}

static uint64_t cmos_read(struct vdev *dev, struct vdev_access access)
{
    return access.offset == 1 ? read_byte(from_vdev(dev)) : 0xff;
}

static void cmos_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct cmos *rtc = from_vdev(dev);

    if (access.offset == 0)
        rtc->index = (uint8_t)value % CMOS_BYTES;
    else if (access.offset == 1)
        write_byte(rtc, (uint8_t)value);
}

/* --- life --- */

static void cmos_reset(struct vdev *dev)
{
    struct cmos *rtc = from_vdev(dev);

    rtc->index = 0;
    rtc->byte[REG_B] &= (uint8_t) ~(B_INTERRUPTS | B_SQWE);
    rtc->byte[REG_C] = 0;
    rtc->seen = arch_counter();
    update(rtc);
}

static void cmos_save(const struct vdev *dev, struct state_writer *out)
{
    const struct cmos *rtc = from_vdev(dev);

    state_put_u64(out, rtc->moved);
    state_put_u8(out, rtc->index);
    state_put_bytes(out, rtc->byte, CMOS_BYTES);
}

static bool is_possible(const uint8_t *byte, uint8_t index)
{
    const bool raised = (byte[REG_C] & byte[REG_B] & B_INTERRUPTS) != 0;

    return index < CMOS_BYTES && !(byte[REG_A] & A_UIP) && byte[REG_D] == D_VALID &&
           !(byte[REG_C] & ~(C_FLAGS | C_IRQF)) && raised == !!(byte[REG_C] & C_IRQF);
}

static status_t cmos_restore(struct vdev *dev, struct state_reader *in)
{
    struct cmos *rtc = from_vdev(dev);
    uint64_t moved = state_get_u64(in);
    uint8_t index = state_get_u8(in);
    uint8_t byte[CMOS_BYTES];

    state_get_bytes(in, byte, sizeof(byte));
    if (state_status(in) != OK || !is_possible(byte, index))
        return ERR_INVALID_ARGS;
    rtc->moved = moved;
    rtc->index = index;
    for (unsigned i = 0; i < CMOS_BYTES; i++)
        rtc->byte[i] = byte[i];
    rtc->seen = arch_counter();
    update(rtc);
    return OK;
}

static void cmos_destroy(struct vdev *dev)
{
    struct cmos *rtc = from_vdev(dev);

    vdev_timer_put_away(&rtc->timer);
    pmm_free_wired(rtc);
}

const struct vdev_ops cmos_ops = {
    .name = "cmos",
    .byte_ports = true,
    .read = cmos_read,
    .write = cmos_write,
    .reset = cmos_reset,
    .save = cmos_save,
    .restore = cmos_restore,
    .destroy = cmos_destroy,
};

status_t cmos_create(struct vdev **out, const struct cmos_config *config, struct irq_line line)
{
    struct cmos *rtc = pmm_alloc_wired(sizeof(*rtc));

    if (rtc == NULL)
        return ERR_NO_MEMORY;
    rtc->dev.ops = &cmos_ops;
    rtc->line = line;
    rtc->created = rtc->seen = arch_counter();
    rtc->base = config->now;
    rtc->byte[REG_A] = A_CREATED;
    rtc->byte[REG_B] = B_24H;
    rtc->byte[REG_D] = D_VALID;
    cmos_memory_fill(rtc->byte, config);
    vdev_timer_init(&rtc->timer, &rtc->dev, tick);
    *out = &rtc->dev;
    return OK;
}
