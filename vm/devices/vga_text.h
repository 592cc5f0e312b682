/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA in text mode: see vga_text.c. */
#pragma once

#include "vm/console.h"
#include "vm/vdev.h"

/* Ranges of the device, in the order that they are attached. */
enum vga_text_range {
    VGA_TEXT_RANGE_MEMORY, /* MMIO at 0xb8000 */
    VGA_TEXT_RANGE_PORTS,  /* 0x3c0 to 0x3df */
};

#define VGA_TEXT_MEMORY_BYTES 0x8000
#define VGA_TEXT_PORTS 0x20

/* What is on the screen is on the console so long after the guest's last change of it; while
 * it does not stop changing, VGA_TEXT_PATIENCE times that. */
#define VGA_TEXT_QUIET_NS 20000000u
#define VGA_TEXT_PATIENCE 5

extern const struct vdev_ops vga_text_ops;

/* Shows its screen on `console`. ERR_NO_MEMORY. */
status_t vga_text_create(struct vdev **out, struct console *console);
