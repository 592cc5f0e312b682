/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug console: see debug_console.c. */
#pragma once

#include "vm/console.h"
#include "vm/vdev.h"

#define DEBUG_CONSOLE_BYTES 8 /* of its MMIO range */

extern const struct vdev_ops debug_console_ops;

/* Bytes go to, and are polled from, `console`. ERR_NO_MEMORY. */
status_t debug_console_create(struct vdev **out, struct console *console);
