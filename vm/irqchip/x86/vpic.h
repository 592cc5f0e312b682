/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two 8259A interrupt controllers, cascaded (Intel 231468), with the ELCR that EISA brought.
 *
 *     ISA IRQ 8..15 --> second --INT--> IR2
 *     ISA IRQ 0..7  ------------------> first --INT--> LINT0, IOAPIC pin 0
 */
#pragma once

#include "vm/vdev.h"

#define VPIC_PORT_FIRST 0x20
#define VPIC_PORT_SECOND 0xa0
#define VPIC_PORT_ELCR 0x4d0
#define VPIC_CASCADE 2

struct i8259 {
    uint8_t line;  /* levels of the pins */
    uint8_t latch; /* edges that have come and not gone: edge-triggered requests */
    uint8_t imr, isr;
    uint8_t elcr;   /* pins that are level-triggered */
    uint8_t base;   /* vector of IR0 */
    uint8_t lowest; /* pin of lowest priority: 7 unless rotated */
    uint8_t next;   /* ICW expected at the odd port; 0: none */
    bool needs_icw4, single;
    bool ready; /* has had its ICWs */
    bool auto_eoi, rotate_auto, special_mask, fully_nested;
    bool read_isr, poll;
};

struct vpic {
    struct vdev dev;
    void (*output)(struct vpic *pic, bool level); /* INT of the first; with the lock held */
    bool level;                                   /* as last told */
    struct i8259 chip[2];
};

extern const struct vdev_ops vpic_ops;

/* These take the device's lock. `irq` is 0 to 15 but for the cascade. */
void vpic_set_irq(struct vpic *pic, unsigned irq, bool level);
/* An edge that does not go away before it is taken. */
void vpic_pulse(struct vpic *pic, unsigned irq);
/* The CPU's acknowledgement: a vector, IR7's where the request is gone. */
uint8_t vpic_acknowledge(struct vpic *pic);

/* For the two files of this model. */

#define VPIC_LOWEST_RESET 7u
#define VPIC_BASE_BITS 0xf8u

extern const uint8_t vpic_elcr_bits[2]; /* pins that can be level-triggered */

/* Tells `output` what has become of INT. The lock is held. */
void vpic_update(struct vpic *pic);

void vpic_save(const struct vdev *dev, struct state_writer *out);
status_t vpic_restore(struct vdev *dev, struct state_reader *in);
