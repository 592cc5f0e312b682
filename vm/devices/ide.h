/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's primary IDE channel with one disk: see ide.c. */
#pragma once

#include "vm/ram_disk.h"
#include "vm/vdev.h"

/* Ranges of the device, in the order that they are attached. */
enum ide_range {
    IDE_RANGE_COMMAND, /* 0x1f0 to 0x1f7 */
    IDE_RANGE_CONTROL, /* 0x3f6, 1 port */
};

#define IDE_COMMAND_PORTS 8

extern const struct vdev_ops ide_ops;

/* `disk` is device 0 and outlives the channel; `line` is IRQ 14. ERR_NO_MEMORY. */
status_t ide_create(struct vdev **out, struct ram_disk *disk, struct irq_line line);
