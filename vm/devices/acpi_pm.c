/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI fixed hardware, as in the ACPI specification 6.4, 4.8.3: the PM1a event and control
 * registers and the power management timer. General-purpose events and an SMI port are not
 * there, so the machine is always in ACPI mode.
 *
 *     0  PM1_STS (write 1 to clear)   2  PM1_EN     --&--any--> SCI
 *     4  PM1_CNT                      8  PM_TMR     3.579545 MHz, 24 bits
 *
 * TMR_STS is set whenever the timer's highest bit changes; nothing but the SCI shows when, so
 * that is found out when the register is used, and by a timer while the SCI is asked for it.
 */

#include "vm/devices/acpi_pm.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/devices/vdev_timer.h"
#include "vm/irqchip/x86/ticks.h"
#include "vm/state.h"

#define TMR BIT(0)
#define PWRBTN BIT(8)
#define STS_WAK BIT(15)
#define STS_BITS (STS_WAK | PWRBTN | TMR) /* what ever gets set */
#define EN_BITS 0x0721                    /* RTC, SLPBTN, PWRBTN, GBL, TMR */
#define CNT_SCI_EN BIT(0)
#define CNT_SLP_TYP GENMASK(12, 10)
#define CNT_SLP_EN BIT(13)
#define CNT_KEPT (BIT(1) | CNT_SLP_TYP) /* bit 1: BM_RLD */

#define TIMER_BITS 24
#define TIMER_MASK GENMASK(TIMER_BITS - 1, 0)
#define HALF_TURN_SHIFT (TIMER_BITS - 1) /* how often the highest bit changes */

struct acpi_pm {
    struct vdev dev;
    struct irq_line sci;
    struct pc_events events;
    bool level;       /* of the line, as last set */
    uint64_t created; /* arch_counter() */
    uint64_t ahead;   /* of the timer's ticks since then */
    uint64_t turns;   /* of the highest bit, up to which TMR_STS says it */
    uint16_t sts, en, cnt;
    struct vdev_timer timer;
};

static struct acpi_pm *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct acpi_pm, dev);
}

/* Does not wrap; the guest sees TIMER_MASK of it. */
static uint64_t timer_now(const struct acpi_pm *pm)
{
    return pm->ahead +
           ticks_down(arch_counter() - pm->created, ACPI_PM_TIMER_HZ, arch_counter_hz());
}

static void catch_up(struct acpi_pm *pm)
{
    const uint64_t turns = timer_now(pm) >> HALF_TURN_SHIFT;

    if (turns != pm->turns)
        pm->sts |= TMR;
    pm->turns = turns;
}

/* The SCI, and the timer for when TMR_STS would change it. */
static void update(struct acpi_pm *pm)
{
    const bool level = (pm->sts & pm->en) != 0;

    if (level != pm->level) {
        pm->level = level;
        irq_line_set(&pm->sci, level);
    }
    vdev_timer_disarm(&pm->timer);
    if ((pm->en & TMR) && !(pm->sts & TMR)) {
        const uint64_t then = (pm->turns + 1) << HALF_TURN_SHIFT;
        const uint64_t next = then > pm->ahead ? then - pm->ahead : 0;

        vdev_timer_arm(&pm->timer,
                       pm->created + ticks_up(next, arch_counter_hz(), ACPI_PM_TIMER_HZ));
    }
}

static void turned(struct vdev *dev)
{
    struct acpi_pm *pm = from_vdev(dev);

    catch_up(pm);
    update(pm);
}

/* The aligned four bytes at `offset`. */
static uint64_t read_word(struct acpi_pm *pm, uint64_t offset)
{
    switch (offset) {
    case ACPI_PM_EVENT: catch_up(pm); return (uint32_t)pm->en << 16 | pm->sts;
    case ACPI_PM_CONTROL: return pm->cnt | CNT_SCI_EN;
    case ACPI_PM_TIMER: return timer_now(pm) & TIMER_MASK;
    default: return 0;
    }
}

static uint64_t acpi_pm_read(struct vdev *dev, struct vdev_access access)
{
    return read_word(from_vdev(dev), ALIGN_DOWN(access.offset, 4)) >> (8 * (access.offset % 4));
}

/* Where a guest falls asleep that was not told of a state to sleep in, it wakes up at once. */
static void sleep(struct acpi_pm *pm)
{
    if (FIELD_GET(CNT_SLP_TYP, pm->cnt) == ACPI_PM_S5)
        pm->events.power_off(pm->events.context);
    else
        pm->sts |= STS_WAK;
}

static void acpi_pm_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct acpi_pm *pm = from_vdev(dev);
    const unsigned shift = 8 * (access.offset % 4);
    const uint32_t mask = (uint32_t)(low_bytes(~0ull, access.size) << shift);
    const uint32_t bits = (uint32_t)(value << shift) & mask;

    switch (ALIGN_DOWN(access.offset, 4)) {
    case ACPI_PM_EVENT:
        catch_up(pm);
        pm->sts &= (uint16_t)~bits;
        pm->en = (uint16_t)(((pm->en & ~(mask >> 16)) | bits >> 16) & EN_BITS);
        break;
    case ACPI_PM_CONTROL:
        pm->cnt = (uint16_t)(((pm->cnt & ~mask) | bits) & CNT_KEPT);
        if (bits & CNT_SLP_EN)
            sleep(pm);
        break;
    default: return;
    }
    update(pm);
}

void acpi_pm_press_power(struct vdev *dev)
{
    struct acpi_pm *pm = from_vdev(dev);

    spin_lock(&dev->lock);
    pm->sts |= PWRBTN;
    update(pm);
    spin_unlock(&dev->lock);
}

static void acpi_pm_reset(struct vdev *dev)
{
    struct acpi_pm *pm = from_vdev(dev);

    pm->sts = pm->en = pm->cnt = 0;
    pm->created = arch_counter();
    pm->ahead = pm->turns = 0;
    update(pm);
}

static void acpi_pm_save(const struct vdev *dev, struct state_writer *out)
{
    const struct acpi_pm *pm = from_vdev(dev);

    state_put_u64(out, timer_now(pm));
    state_put_u64(out, pm->turns);
    state_put_u16(out, pm->sts);
    state_put_u16(out, pm->en);
    state_put_u16(out, pm->cnt);
}

/* The timer goes on from where it was. A thousand years of it are more than there can be. */
static status_t acpi_pm_restore(struct vdev *dev, struct state_reader *in)
{
    struct acpi_pm *pm = from_vdev(dev);
    const uint64_t timer = state_get_u64(in);
    const uint64_t turns = state_get_u64(in);
    const uint16_t sts = state_get_u16(in);
    const uint16_t en = state_get_u16(in);
    const uint16_t cnt = state_get_u16(in);

    if (state_status(in) != OK || timer >> 57 != 0 || turns > timer >> HALF_TURN_SHIFT ||
        (sts & ~STS_BITS) || (en & ~EN_BITS) || (cnt & ~CNT_KEPT))
        return ERR_INVALID_ARGS;
    pm->created = arch_counter();
    pm->ahead = timer;
    pm->turns = turns;
    pm->sts = sts;
    pm->en = en;
    pm->cnt = cnt;
    update(pm);
    return OK;
}

static void acpi_pm_destroy(struct vdev *dev)
{
    struct acpi_pm *pm = from_vdev(dev);

    vdev_timer_put_away(&pm->timer);
    pmm_free_wired(pm);
}

const struct vdev_ops acpi_pm_ops = {
    .name = "acpi-pm",
    .read = acpi_pm_read,
    .write = acpi_pm_write,
    .reset = acpi_pm_reset,
    .save = acpi_pm_save,
    .restore = acpi_pm_restore,
    .destroy = acpi_pm_destroy,
};

status_t acpi_pm_create(struct vdev **out, struct irq_line sci, const struct pc_events *events)
{
    struct acpi_pm *pm = pmm_alloc_wired(sizeof(*pm));

    if (pm == NULL)
        return ERR_NO_MEMORY;
    pm->dev.ops = &acpi_pm_ops;
    pm->sci = sci;
    pm->events = *events;
    vdev_timer_init(&pm->timer, &pm->dev, turned);
    acpi_pm_reset(&pm->dev);
    *out = &pm->dev;
    return OK;
}
