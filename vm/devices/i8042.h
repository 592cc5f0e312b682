/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's keyboard controller with its keyboard: see i8042.c. */
#pragma once

#include "vm/console.h"
#include "vm/devices/pc_events.h"
#include "vm/vdev.h"

/* Ranges of the device, in the order that they are attached; one port each. */
enum i8042_range {
    I8042_RANGE_DATA,    /* 0x60 */
    I8042_RANGE_COMMAND, /* 0x64 */
};

/* Between characters from the console: nobody types faster, and no guest expects it. */
#define I8042_TYPING_NS 10000000u

extern const struct vdev_ops i8042_ops;

/*
 * `line` is IRQ 1; uses events->reset. What is typed on `console` is typed on the keyboard, and
 * the device is its reader until destroyed; NULL: on none. ERR_NO_MEMORY.
 */
status_t i8042_create(struct vdev **out, struct console *console, struct irq_line line,
                      const struct pc_events *events);

/* Types one ASCII character. False: the guest has not taken the one before yet, or has
 * switched the keyboard off. Any CPU. */
bool i8042_type(struct vdev *dev, uint8_t byte);
