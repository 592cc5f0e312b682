/* SPDX-License-Identifier: BSD-2-Clause */
/* PL011 UART: see pl011.c. */
#pragma once

#include "vm/console.h"
#include "vm/vdev.h"

extern const struct vdev_ops pl011_ops;

/*
 * Transmits to `console` and is its reader until destroyed; `line` is UARTINTR, the
 * combined interrupt. The MMIO range is PRIMECELL_BYTES long. ERR_NO_MEMORY.
 */
status_t pl011_create(struct vdev **out, struct console *console, struct irq_line line);
