/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 interval timer (Intel 231164) and the speaker's port beside it.
 *
 *     0x40  channel 0 --OUT--> ISA IRQ 0          0x43  control word
 *     0x41  channel 1 (memory refresh, once)      0x61  bit 0 gate of channel 2, bit 1 speaker,
 *     0x42  channel 2 --OUT--> speaker                  bit 4 refresh toggles, bit 5 OUT2
 *
 * Nothing counts: a channel remembers when it started, and what is read follows from the time.
 */
#pragma once

#include "arch/bits.h"
#include "vm/devices/vdev_timer.h"
#include "vm/vdev.h"

#define VPIT_HZ 1193182u
#define VPIT_PORT 0x40
#define VPIT_PORT_SPEAKER 0x61
#define VPIT_CHANNELS 3

struct vpit_channel {
    uint8_t control; /* access, mode, BCD: bits 5 to 0 of the control word */
    uint16_t reload; /* as written; 0 counts 65536 (BCD: 10000) */
    bool loaded;     /* it was written since the control word */
    bool counting;   /* loaded, and neither stopped by the gate nor waiting for it to rise */
    bool gate;
    uint64_t start;  /* counting: arch_counter() at tick 0; else ticks that it counted so far */
    bool write_high; /* the next byte written is the count's high one, after `low` */
    bool read_high;
    uint8_t low;
    uint8_t latched; /* bytes of `latch` still to be read */
    uint16_t latch;
    bool has_status; /* the next byte read is `status` */
    uint8_t status;
};

struct vpit {
    struct vdev dev;
    struct irq_line irq;
    struct vdev_timer timer; /* channel 0's next rising edge */
    bool level;              /* of `irq` */
    uint8_t speaker;         /* bits 1 to 3 of its port */
    struct vpit_channel channel[VPIT_CHANNELS];
};

extern const struct vdev_ops vpit_ops;

void vpit_init(struct vpit *pit, struct irq_line irq);

/* vpit_channel.c: the arithmetic of one channel. `now` is arch_counter(). */

#define PIT_BCD BIT(0)
#define PIT_MODE GENMASK(3, 1)
#define PIT_ACCESS GENMASK(5, 4)

enum { PIT_ACCESS_LATCH, PIT_ACCESS_LOW, PIT_ACCESS_HIGH, PIT_ACCESS_BOTH };

unsigned vpit_mode(const struct vpit_channel *channel);
/* PIT ticks since the count was loaded. */
uint64_t vpit_elapsed(const struct vpit_channel *channel, uint64_t now);
/* The counting element, as a guest reads it. */
uint16_t vpit_count(const struct vpit_channel *channel, uint64_t now);
bool vpit_out(const struct vpit_channel *channel, uint64_t now);
/* The count was written whole: it counts from now on, if the gate lets it. */
void vpit_load(struct vpit_channel *channel, uint64_t now);
void vpit_set_gate(struct vpit_channel *channel, bool gate, uint64_t now);
/* When OUT rises next, after `now`; TIMER_NEVER. */
uint64_t vpit_next_rise(const struct vpit_channel *channel, uint64_t now);
