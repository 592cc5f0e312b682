/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC (Intel 82093AA; version 0x20 with its EOI register, as in ICHs): 24 pins, each
 * with an entry that says where its interrupts go.
 *
 *     IOREGSEL 0x00   IOWIN 0x10   EOI 0x40
 */
#pragma once

#include "vm/vdev.h"

#define VIOAPIC_BASE 0xfec00000u
#define VIOAPIC_BYTES 0x1000u
#define VIOAPIC_PINS 24

struct virqchip;

struct vioapic {
    struct vdev dev;
    struct virqchip *chip;
    uint64_t entry[VIOAPIC_PINS];
    uint32_t line; /* levels of the pins: 1 is asserted, whatever polarity an entry names */
    uint8_t select;
    uint8_t id;
};

extern const struct vdev_ops vioapic_ops;

/* These take the device's lock. */
void vioapic_set_pin(struct vioapic *ioapic, unsigned pin, bool level);
void vioapic_pulse(struct vioapic *ioapic, unsigned pin);
/* A local APIC has ended a level-triggered vector. */
void vioapic_eoi(struct vioapic *ioapic, uint8_t vector);
