/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259As in a snapshot: for each its registers, a byte each, then its flags. */

#include "arch/bits.h"
#include "vm/irqchip/x86/vpic.h"
#include "vm/state.h"

enum {
    FLAG_ICW4 = 1 << 0,
    FLAG_SINGLE = 1 << 1,
    FLAG_READY = 1 << 2,
    FLAG_AUTO_EOI = 1 << 3,
    FLAG_ROTATE_AUTO = 1 << 4,
    FLAG_SPECIAL_MASK = 1 << 5,
    FLAG_FULLY_NESTED = 1 << 6,
    FLAG_READ_ISR = 1 << 7,
    FLAG_POLL = 1 << 8,
    FLAGS_ALL = (1 << 9) - 1,
};

static void save_chip(const struct i8259 *chip, struct state_writer *out)
{
    const uint8_t bytes[] = { chip->line, chip->latch, chip->imr,    chip->isr,
                              chip->elcr, chip->base,  chip->lowest, chip->next };

    state_put_bytes(out, bytes, sizeof(bytes));
    state_put_u16(out,
                  (uint16_t)((chip->needs_icw4 ? FLAG_ICW4 : 0) | (chip->single ? FLAG_SINGLE : 0) |
                             (chip->ready ? FLAG_READY : 0) | (chip->auto_eoi ? FLAG_AUTO_EOI : 0) |
                             (chip->rotate_auto ? FLAG_ROTATE_AUTO : 0) |
                             (chip->special_mask ? FLAG_SPECIAL_MASK : 0) |
                             (chip->fully_nested ? FLAG_FULLY_NESTED : 0) |
                             (chip->read_isr ? FLAG_READ_ISR : 0) | (chip->poll ? FLAG_POLL : 0)));
}

static bool is_possible(const struct i8259 *chip, unsigned which)
{
    return (chip->elcr & ~vpic_elcr_bits[which]) == 0 && (chip->base & ~VPIC_BASE_BITS) == 0 &&
           chip->lowest < 8 && chip->next != 1 && chip->next <= 4;
}

static void restore_chip(struct i8259 *chip, unsigned which, struct state_reader *in)
{
    uint8_t bytes[8];
    uint16_t flags;

    state_get_bytes(in, bytes, sizeof(bytes));
    flags = state_get_u16(in);
    *chip = (struct i8259){
        .line = bytes[0],
        .latch = bytes[1],
        .imr = bytes[2],
        .isr = bytes[3],
        .elcr = bytes[4],
        .base = bytes[5],
        .lowest = bytes[6],
        .next = bytes[7],
        .needs_icw4 = flags & FLAG_ICW4,
        .single = flags & FLAG_SINGLE,
        .ready = flags & FLAG_READY,
        .auto_eoi = flags & FLAG_AUTO_EOI,
        .rotate_auto = flags & FLAG_ROTATE_AUTO,
        .special_mask = flags & FLAG_SPECIAL_MASK,
        .fully_nested = flags & FLAG_FULLY_NESTED,
        .read_isr = flags & FLAG_READ_ISR,
        .poll = flags & FLAG_POLL,
    };
    if (!is_possible(chip, which) || (flags & ~FLAGS_ALL)) {
        state_reject(in);
        *chip = (struct i8259){ .lowest = VPIC_LOWEST_RESET };
    }
}

void vpic_save(const struct vdev *dev, struct state_writer *out)
{
    const struct vpic *pic = container_of(dev, const struct vpic, dev);

    for (unsigned i = 0; i < ARRAY_SIZE(pic->chip); i++)
        save_chip(&pic->chip[i], out);
}

status_t vpic_restore(struct vdev *dev, struct state_reader *in)
{
    struct vpic *pic = container_of(dev, struct vpic, dev);

    for (unsigned i = 0; i < ARRAY_SIZE(pic->chip); i++)
        restore_chip(&pic->chip[i], i, in);
    vpic_update(pic);
    return state_status(in);
}
