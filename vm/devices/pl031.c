/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PrimeCell Real Time Clock (PL031), as in ARM's Technical Reference Manual (DDI 0224C).
 *
 *     RTCDR = wall clock at creation + seconds since + what the guest has moved it by
 *
 * A snapshot keeps the last of the three only, so a restored guest reads the right time. The
 * clock always runs, and goes on through a reset: the battery's half of the part.
 */

#include "vm/devices/pl031.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/devices/primecell.h"
#include "vm/devices/vdev_timer.h"
#include "vm/state.h"

enum {
    RTCDR = 0x00,
    RTCMR = 0x04,
    RTCLR = 0x08,
    RTCCR = 0x0c,
    RTCIMSC = 0x10,
    RTCRIS = 0x14,
    RTCMIS = 0x18,
    RTCICR = 0x1c,
};

#define PERIPHID PRIMECELL_PERIPHID(0x031, 0)
#define RTCCR_START BIT(0)
#define INT_MATCH BIT(0)

struct pl031 {
    struct vdev dev;
    struct irq_line line;
    uint64_t created; /* arch_counter() */
    uint32_t base;    /* wall clock then */
    uint32_t moved;   /* by the guest */
    uint32_t match, load;
    bool masked_in, raised; /* IMSC, RIS */
    bool level;             /* of the line, as last set */
    struct vdev_timer timer;
};

static struct pl031 *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct pl031, dev);
}

static uint64_t elapsed_seconds(const struct pl031 *rtc)
{
    return (arch_counter() - rtc->created) / arch_counter_hz();
}

static uint32_t seconds(const struct pl031 *rtc)
{
    return rtc->base + rtc->moved + (uint32_t)elapsed_seconds(rtc);
}

static void update_line(struct pl031 *rtc)
{
    bool level = rtc->raised && rtc->masked_in;

    if (level != rtc->level) {
        rtc->level = level;
        irq_line_set(&rtc->line, level);
    }
}

/* The match comes when the clock has become equal, which may be now. */
static void arm(struct pl031 *rtc)
{
    uint32_t ahead = rtc->match - seconds(rtc);

    vdev_timer_disarm(&rtc->timer);
    if (ahead == 0) {
        rtc->raised = true;
        return;
    }
    vdev_timer_arm(&rtc->timer, rtc->created + (elapsed_seconds(rtc) + ahead) * arch_counter_hz());
}

static void matched(struct vdev *dev)
{
    struct pl031 *rtc = from_vdev(dev);

    rtc->raised = true;
    update_line(rtc);
}

static uint64_t pl031_read(struct vdev *dev, struct vdev_access access)
{
    struct pl031 *rtc = from_vdev(dev);

    if (!IS_ALIGNED(access.offset, 4))
        return 0;
    switch (access.offset) {
    case RTCDR: return seconds(rtc);
    case RTCMR: return rtc->match;
    case RTCLR: return rtc->load;
    case RTCCR: return RTCCR_START;
    case RTCIMSC: return rtc->masked_in;
    case RTCRIS: return rtc->raised;
    case RTCMIS: return rtc->raised && rtc->masked_in;
    default: break;
    }
    return access.offset >= PRIMECELL_ID ? primecell_id(PERIPHID, access.offset) : 0;
}

static void pl031_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct pl031 *rtc = from_vdev(dev);

    switch (access.offset) {
    case RTCMR:
        rtc->match = (uint32_t)value;
        arm(rtc);
        break;
    case RTCLR:
        rtc->load = (uint32_t)value;
        rtc->moved += rtc->load - seconds(rtc);
        arm(rtc);
        break;
    case RTCIMSC: rtc->masked_in = (value & INT_MATCH) != 0; break;
    case RTCICR:
        if (value & INT_MATCH)
            rtc->raised = false;
        break;
    default: break;
    }
    update_line(rtc);
}

static void pl031_reset(struct vdev *dev)
{
    struct pl031 *rtc = from_vdev(dev);

    vdev_timer_disarm(&rtc->timer);
    rtc->match = rtc->load = 0;
    rtc->masked_in = rtc->raised = false;
    update_line(rtc);
}

static void pl031_save(const struct vdev *dev, struct state_writer *out)
{
    const struct pl031 *rtc = from_vdev(dev);

    state_put_u32(out, rtc->moved);
    state_put_u32(out, rtc->match);
    state_put_u32(out, rtc->load);
    state_put_u8(out, rtc->masked_in);
    state_put_u8(out, rtc->raised);
}

static status_t pl031_restore(struct vdev *dev, struct state_reader *in)
{
    struct pl031 *rtc = from_vdev(dev);
    uint32_t moved = state_get_u32(in);
    uint32_t match = state_get_u32(in);
    uint32_t load = state_get_u32(in);
    uint8_t masked_in = state_get_u8(in);
    uint8_t raised = state_get_u8(in);

    if (state_status(in) != OK || masked_in > 1 || raised > 1)
        return ERR_INVALID_ARGS;
    rtc->moved = moved;
    rtc->match = match;
    rtc->load = load;
    rtc->masked_in = masked_in;
    rtc->raised = raised;
    if (match != seconds(rtc))
        arm(rtc);
    update_line(rtc);
    return OK;
}

static void pl031_destroy(struct vdev *dev)
{
    struct pl031 *rtc = from_vdev(dev);

    vdev_timer_put_away(&rtc->timer);
    pmm_free_wired(rtc);
}

const struct vdev_ops pl031_ops = {
    .name = "pl031",
    .read = pl031_read,
    .write = pl031_write,
    .reset = pl031_reset,
    .save = pl031_save,
    .restore = pl031_restore,
    .destroy = pl031_destroy,
};

status_t pl031_create(struct vdev **out, uint32_t now, struct irq_line line)
{
    struct pl031 *rtc = pmm_alloc_wired(sizeof(*rtc));

    if (rtc == NULL)
        return ERR_NO_MEMORY;
    rtc->dev.ops = &pl031_ops;
    rtc->line = line;
    rtc->created = arch_counter();
    rtc->base = now;
    vdev_timer_init(&rtc->timer, &rtc->dev, matched);
    *out = &rtc->dev;
    return OK;
}
