/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PrimeCell General Purpose Input/Output (PL061), as in ARM's Technical Reference Manual
 * (DDI 0190B). Eight pins; inputs are driven from outside, outputs lead nowhere.
 *
 *     pin --edge (IBE, IEV)--> latch --+
 *     pin --level (IEV)----------------+-- IS chooses --> RIS --& IE--> MIS --any--> line
 *
 * Bits [9:2] of a data access's address say which pins it is about.
 */

#include "vm/devices/pl061.h"

#include "arch/bits.h"
#include "kernel/panic.h"
#include "kernel/pmm.h"
#include "vm/devices/primecell.h"
#include "vm/devices/vdev_timer.h"
#include "vm/state.h"

enum {
    GPIODATA_END = 0x400,
    GPIODIR = 0x400,
    GPIOIS = 0x404,  /* level, not edge */
    GPIOIBE = 0x408, /* both edges */
    GPIOIEV = 0x40c, /* rising edge, high level */
    GPIOIE = 0x410,
    GPIORIS = 0x414,
    GPIOMIS = 0x418,
    GPIOIC = 0x41c,
    GPIOAFSEL = 0x420,
};

#define PERIPHID PRIMECELL_PERIPHID(0x061, 0)

/* One bit a pin in each. */
struct pl061_pins {
    uint8_t output;  /* data register: what was written */
    uint8_t input;   /* level outside */
    uint8_t latched; /* edges seen */
    uint8_t dir, is, ibe, iev, ie, afsel;
    uint8_t pressed; /* keys to be released by the timer */
};

struct pl061 {
    struct vdev dev;
    struct irq_line line;
    bool level; /* of the line, as last set */
    struct pl061_pins pins;
    struct vdev_timer release;
};

static struct pl061 *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct pl061, dev);
}

static uint8_t data(const struct pl061_pins *pins)
{
    return (uint8_t)((pins->output & pins->dir) | (pins->input & ~pins->dir));
}

static uint8_t raw_status(const struct pl061_pins *pins)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): plain()'s NULL says nothing of pins */
    uint8_t at_level = (uint8_t)(~(pins->input ^ pins->iev) & ~pins->dir);

    return (uint8_t)((pins->latched & ~pins->is) | (at_level & pins->is));
}

static void update_line(struct pl061 *gpio)
{
    bool level = (raw_status(&gpio->pins) & gpio->pins.ie) != 0;

    if (level != gpio->level) {
        gpio->level = level;
        irq_line_set(&gpio->line, level);
    }
}

/* Registers of eight plain bits; NULL for the others. */
static uint8_t *plain(struct pl061_pins *pins, uint64_t offset)
{
    switch (offset) {
    case GPIODIR: return &pins->dir;
    case GPIOIS: return &pins->is;
    case GPIOIBE: return &pins->ibe;
    case GPIOIEV: return &pins->iev;
    case GPIOIE: return &pins->ie;
    case GPIOAFSEL: return &pins->afsel;
    default: return NULL;
    }
}

static uint64_t pl061_read(struct vdev *dev, struct vdev_access access)
{
    struct pl061_pins *pins = &from_vdev(dev)->pins;
    uint64_t offset = access.offset;

    if (!IS_ALIGNED(offset, 4))
        return 0;
    if (offset < GPIODATA_END)
        return data(pins) & (offset >> 2);
    if (offset >= PRIMECELL_ID)
        return primecell_id(PERIPHID, offset);
    if (offset == GPIORIS)
        return raw_status(pins);
    if (offset == GPIOMIS)
        return raw_status(pins) & pins->ie;

    const uint8_t *reg = plain(pins, offset);

    return reg != NULL ? *reg : 0;
}

static void pl061_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct pl061 *gpio = from_vdev(dev);
    struct pl061_pins *pins = &gpio->pins;
    uint8_t *reg = plain(pins, access.offset);

    if (access.offset < GPIODATA_END && IS_ALIGNED(access.offset, 4)) {
        uint8_t mask = (uint8_t)(access.offset >> 2) & pins->dir;

        pins->output = (uint8_t)((pins->output & ~mask) | (value & mask));
    } else if (access.offset == GPIOIC) {
        pins->latched &= (uint8_t)~value;
    } else if (reg != NULL) {
        *reg = (uint8_t)value;
    }
    update_line(gpio);
}

static void drive_input(struct pl061 *gpio, uint8_t bit, bool level)
{
    struct pl061_pins *pins = &gpio->pins;
    uint8_t before = pins->input;

    pins->input = level ? before | bit : before & (uint8_t)~bit;
    if (pins->input != before && !(pins->dir & bit) &&
        ((pins->ibe & bit) || ((pins->iev & bit) != 0) == level))
        pins->latched |= bit & (uint8_t)~pins->is;
    update_line(gpio);
}

void pl061_set_input(struct vdev *dev, unsigned pin, bool level)
{
    assert(pin < PL061_PINS);
    spin_lock(&dev->lock);
    drive_input(from_vdev(dev), (uint8_t)BIT(pin), level);
    spin_unlock(&dev->lock);
}

static void arm_release(struct pl061 *gpio)
{
    vdev_timer_arm(&gpio->release, arch_counter() + ns_to_ticks(PL061_PRESS_NS));
}

static void release(struct vdev *dev)
{
    struct pl061 *gpio = from_vdev(dev);

    for (unsigned pin = 0; pin < PL061_PINS; pin++)
        if (gpio->pins.pressed & BIT(pin))
            drive_input(gpio, (uint8_t)BIT(pin), false);
    gpio->pins.pressed = 0;
}

void pl061_press(struct vdev *dev, unsigned pin)
{
    struct pl061 *gpio = from_vdev(dev);

    assert(pin < PL061_PINS);
    spin_lock(&dev->lock);
    drive_input(gpio, (uint8_t)BIT(pin), true);
    gpio->pins.pressed |= (uint8_t)BIT(pin);
    arm_release(gpio);
    spin_unlock(&dev->lock);
}

static void pl061_reset(struct vdev *dev)
{
    struct pl061 *gpio = from_vdev(dev);

    vdev_timer_disarm(&gpio->release);
    gpio->pins = (struct pl061_pins){ 0 };
    update_line(gpio);
}

static void pl061_save(const struct vdev *dev, struct state_writer *out)
{
    state_put_bytes(out, &from_vdev(dev)->pins, sizeof(struct pl061_pins)); /* bytes only */
}

static status_t pl061_restore(struct vdev *dev, struct state_reader *in)
{
    struct pl061 *gpio = from_vdev(dev);
    struct pl061_pins pins;

    state_get_bytes(in, &pins, sizeof(pins)); /* any value of any of them is possible */
    if (state_status(in) != OK)
        return ERR_INVALID_ARGS;
    gpio->pins = pins;
    vdev_timer_disarm(&gpio->release);
    if (pins.pressed != 0)
        arm_release(gpio);
    update_line(gpio);
    return OK;
}

static void pl061_destroy(struct vdev *dev)
{
    struct pl061 *gpio = from_vdev(dev);

    vdev_timer_put_away(&gpio->release);
    pmm_free_wired(gpio);
}

const struct vdev_ops pl061_ops = {
    .name = "pl061",
    .read = pl061_read,
    .write = pl061_write,
    .reset = pl061_reset,
    .save = pl061_save,
    .restore = pl061_restore,
    .destroy = pl061_destroy,
};

status_t pl061_create(struct vdev **out, struct irq_line line)
{
    struct pl061 *gpio = pmm_alloc_wired(sizeof(*gpio));

    if (gpio == NULL)
        return ERR_NO_MEMORY;
    gpio->dev.ops = &pl061_ops;
    gpio->line = line;
    vdev_timer_init(&gpio->release, &gpio->dev, release);
    *out = &gpio->dev;
    return OK;
}
