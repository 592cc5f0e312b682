/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two 8259As. Pins, requests and priorities first, then what the ports do.
 *
 * An edge-triggered request is an edge that has not gone away again: the part wants its input
 * to stay high until it is acknowledged. Priorities run upwards from the pin after `lowest`.
 * The cascade is the second one's INT as it is, so nothing that waits there is ever missed.
 */

#include "vm/irqchip/x86/vpic.h"

#include "arch/bits.h"

#define ICW1 BIT(4)
#define ICW1_SINGLE BIT(1)
#define ICW1_ICW4 BIT(0)
#define ICW4_AUTO_EOI BIT(1)
#define ICW4_FULLY_NESTED BIT(4)
#define OCW3 BIT(3)
#define OCW3_SET_SPECIAL BIT(6)
#define OCW3_SPECIAL BIT(5)
#define OCW3_POLL BIT(2)
#define OCW3_READ GENMASK(1, 0)
#define OCW2_COMMAND GENMASK(7, 5)
#define OCW2_LEVEL GENMASK(2, 0)
#define POLL_REQUEST 0x80u

#define NO_PIN 8u
#define SPURIOUS 7u

/* IRQ 0, 1, 2, 8 and 13 are the board's own, and edge-triggered. */
const uint8_t vpic_elcr_bits[2] = { 0xf8, 0xde };

enum range { FIRST, SECOND, ELCR };

/* --- requests and priorities --- */

static uint8_t bit(unsigned pin)
{
    return (uint8_t)(1u << pin);
}

/* The pin of highest priority, and how high: 0 first. NO_PIN: none. */
static unsigned rank(const struct i8259 *chip, uint8_t pins)
{
    unsigned first = (chip->lowest + 1u) & 7;
    uint32_t turned = ((uint32_t)pins << 8 | pins) >> first & 0xff;

    return turned == 0 ? NO_PIN : (unsigned)__builtin_ctz(turned);
}

static unsigned pin_of(const struct i8259 *chip, unsigned ranked)
{
    return (ranked + chip->lowest + 1) & 7;
}

static uint8_t requests(const struct i8259 *chip)
{
    return (uint8_t)((chip->latch & ~chip->elcr) | (chip->line & chip->elcr));
}

/* In special mask mode what is masked does not block; in special fully nested mode the
 * cascade's pin does not. */
static uint8_t blocking(const struct vpic *pic, const struct i8259 *chip)
{
    uint8_t isr = chip->isr;

    if (chip->special_mask)
        isr &= (uint8_t)~chip->imr;
    if (chip->fully_nested && chip == &pic->chip[0])
        isr &= (uint8_t)~bit(VPIC_CASCADE);
    return isr;
}

static unsigned next_pin(const struct vpic *pic, const struct i8259 *chip);

static uint8_t all_requests(const struct vpic *pic, const struct i8259 *chip)
{
    uint8_t irr = requests(chip);

    if (chip == &pic->chip[0] && next_pin(pic, &pic->chip[1]) != NO_PIN)
        irr |= bit(VPIC_CASCADE);
    return irr;
}

/* What the part would give to the CPU now. */
static unsigned next_pin(const struct vpic *pic, const struct i8259 *chip)
{
    uint8_t serving = blocking(pic, chip);
    uint8_t ready = (uint8_t)(all_requests(pic, chip) & ~chip->imr);
    unsigned best;

    if (!chip->ready || chip->next != 0)
        return NO_PIN;
    best = rank(chip, ready);
    return best < rank(chip, serving) ? pin_of(chip, best) : NO_PIN;
}

void vpic_update(struct vpic *pic)
{
    bool level = next_pin(pic, &pic->chip[0]) != NO_PIN;

    if (level == pic->level)
        return;
    pic->level = level;
    pic->output(pic, level);
}

static void take(struct i8259 *chip, unsigned pin)
{
    chip->latch &= (uint8_t)~bit(pin);
    if (!chip->auto_eoi)
        chip->isr |= bit(pin);
    else if (chip->rotate_auto)
        chip->lowest = (uint8_t)pin;
}

/* Pin taken; IR7's number where there is nothing any more, and nothing in service then. */
static unsigned acknowledge_chip(struct vpic *pic, struct i8259 *chip)
{
    unsigned pin = next_pin(pic, chip);

    if (pin == NO_PIN)
        return SPURIOUS;
    take(chip, pin);
    return pin;
}

uint8_t vpic_acknowledge(struct vpic *pic)
{
    struct i8259 *chip = &pic->chip[0];
    bool cascaded;
    unsigned pin;

    spin_lock(&pic->dev.lock);
    cascaded = next_pin(pic, chip) == VPIC_CASCADE;
    /* The second one first: taken from there, the first one's request is gone. */
    pin = cascaded ? acknowledge_chip(pic, &pic->chip[1]) : acknowledge_chip(pic, chip);
    if (cascaded) {
        take(chip, VPIC_CASCADE);
        chip = &pic->chip[1];
    }
    vpic_update(pic);
    spin_unlock(&pic->dev.lock);
    return (uint8_t)(chip->base + pin);
}

/* --- pins --- */

void vpic_set_irq(struct vpic *pic, unsigned irq, bool level)
{
    struct i8259 *chip = &pic->chip[irq / 8];
    uint8_t pin = bit(irq % 8);

    spin_lock(&pic->dev.lock);
    if (level && !(chip->line & pin))
        chip->latch |= pin;
    else if (!level)
        chip->latch &= (uint8_t)~pin;
    chip->line = (uint8_t)(level ? chip->line | pin : chip->line & ~pin);
    vpic_update(pic);
    spin_unlock(&pic->dev.lock);
}

void vpic_pulse(struct vpic *pic, unsigned irq)
{
    spin_lock(&pic->dev.lock);
    pic->chip[irq / 8].latch |= bit(irq % 8);
    vpic_update(pic);
    spin_unlock(&pic->dev.lock);
}

/* --- commands --- */

/* Edges that came before count no more; levels do. */
static void write_icw1(struct i8259 *chip, uint8_t value)
{
    chip->imr = chip->isr = chip->latch = 0;
    chip->lowest = VPIC_LOWEST_RESET;
    chip->special_mask = chip->read_isr = chip->poll = false;
    chip->auto_eoi = chip->rotate_auto = chip->fully_nested = false;
    chip->needs_icw4 = (value & ICW1_ICW4) != 0;
    chip->single = (value & ICW1_SINGLE) != 0;
    chip->next = 2;
}

static void write_icw(struct i8259 *chip, uint8_t value)
{
    if (chip->next == 2) {
        chip->base = value & VPIC_BASE_BITS;
        chip->next = chip->single ? (chip->needs_icw4 ? 4 : 0) : 3;
    } else if (chip->next == 3) {
        chip->next = chip->needs_icw4 ? 4 : 0; /* the wiring is what it is */
    } else {
        chip->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
        chip->fully_nested = (value & ICW4_FULLY_NESTED) != 0;
        chip->next = 0;
    }
    chip->ready |= chip->next == 0;
}

/* The pin in service of highest priority; what is masked in special mask mode is passed over. */
static unsigned serving_pin(const struct i8259 *chip)
{
    unsigned best = rank(chip, (uint8_t)(chip->special_mask ? chip->isr & ~chip->imr : chip->isr));

    return best == NO_PIN ? NO_PIN : pin_of(chip, best);
}

static void end(struct i8259 *chip, unsigned pin, bool rotate)
{
    if (pin == NO_PIN)
        return;
    chip->isr &= (uint8_t)~bit(pin);
    if (rotate)
        chip->lowest = (uint8_t)pin;
}

static void write_ocw2(struct i8259 *chip, uint8_t value)
{
    unsigned named = (unsigned)FIELD_GET(OCW2_LEVEL, value);

    switch (FIELD_GET(OCW2_COMMAND, value)) {
    case 0: chip->rotate_auto = false; break;
    case 1: end(chip, serving_pin(chip), false); break;
    case 3: end(chip, named, false); break;
    case 4: chip->rotate_auto = true; break;
    case 5: end(chip, serving_pin(chip), true); break;
    case 6: chip->lowest = (uint8_t)named; break;
    case 7: end(chip, named, true); break;
    default: break;
    }
}

static void write_ocw3(struct i8259 *chip, uint8_t value)
{
    if (value & OCW3_SET_SPECIAL)
        chip->special_mask = (value & OCW3_SPECIAL) != 0;
    if (FIELD_GET(OCW3_READ, value) >= 2)
        chip->read_isr = (value & 1) != 0;
    chip->poll = (value & OCW3_POLL) != 0;
}

static void write_port(struct i8259 *chip, unsigned port, uint8_t value)
{
    if (port == 0 && (value & ICW1))
        write_icw1(chip, value);
    else if (port == 0 && (value & OCW3))
        write_ocw3(chip, value);
    else if (port == 0)
        write_ocw2(chip, value);
    else if (chip->next != 0)
        write_icw(chip, value);
    else
        chip->imr = value;
}

/* An acknowledgement without the CPU's. */
static uint8_t poll(struct vpic *pic, struct i8259 *chip)
{
    unsigned pin = next_pin(pic, chip);

    chip->poll = false;
    if (pin == NO_PIN)
        return 0;
    take(chip, pin);
    return (uint8_t)(POLL_REQUEST | pin);
}

static uint8_t read_port(struct vpic *pic, struct i8259 *chip, unsigned port)
{
    if (chip->poll)
        return poll(pic, chip);
    if (port == 1)
        return chip->imr;
    return chip->read_isr ? chip->isr : all_requests(pic, chip);
}

static uint64_t vpic_read(struct vdev *dev, struct vdev_access access)
{
    struct vpic *pic = container_of(dev, struct vpic, dev);
    unsigned port = access.offset & 1;
    uint8_t value;

    if (access.range == ELCR)
        return pic->chip[port].elcr;
    value = read_port(pic, &pic->chip[access.range], port);
    vpic_update(pic);
    return value;
}

static void vpic_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct vpic *pic = container_of(dev, struct vpic, dev);
    unsigned port = access.offset & 1;

    if (access.range == ELCR)
        pic->chip[port].elcr = (uint8_t)value & vpic_elcr_bits[port];
    else
        write_port(&pic->chip[access.range], port, (uint8_t)value);
    vpic_update(pic);
}

static void vpic_reset(struct vdev *dev)
{
    struct vpic *pic = container_of(dev, struct vpic, dev);

    for (unsigned i = 0; i < ARRAY_SIZE(pic->chip); i++)
        pic->chip[i] = (struct i8259){ .lowest = VPIC_LOWEST_RESET };
    vpic_update(pic);
}

const struct vdev_ops vpic_ops = {
    .name = "pic",
    .byte_ports = true,
    .read = vpic_read,
    .write = vpic_write,
    .reset = vpic_reset,
    .save = vpic_save,
    .restore = vpic_restore,
};
