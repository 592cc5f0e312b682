/* SPDX-License-Identifier: BSD-2-Clause */
/* PL061 general-purpose I/O: see pl061.c. */
#pragma once

#include "vm/vdev.h"

#define PL061_PINS 8
#define PL061_PIN_POWER 3 /* the power key of machine virt */
#define PL061_PRESS_NS 100000000u

extern const struct vdev_ops pl061_ops;

/* `line` is GPIOINTR. The MMIO range is PRIMECELL_BYTES long. ERR_NO_MEMORY. */
status_t pl061_create(struct vdev **out, struct irq_line line);

/*
 * Drives an input from outside; takes the device's lock. Inputs are low at first and after a
 * reset, so that a guest that was restarted by its power key does not find it still pressed.
 */
void pl061_set_input(struct vdev *dev, unsigned pin, bool level);

/*
 * Presses a key: the input is high for PL061_PRESS_NS, longer than a guest takes a bouncing
 * contact for. Takes the device's lock.
 */
void pl061_press(struct vdev *dev, unsigned pin);
