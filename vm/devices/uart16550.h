/* SPDX-License-Identifier: BSD-2-Clause */
/* 16550 UART with FIFOs: see uart16550.c. */
#pragma once

#include "vm/console.h"
#include "vm/vdev.h"

#define UART16550_PORTS 8

extern const struct vdev_ops uart16550_ops;

/*
 * Transmits to `console`; when `listens`, it is its reader until destroyed. `line` is INTR,
 * gated by OUT2 as on a PC's card. ERR_NO_MEMORY.
 */
status_t uart16550_create(struct vdev **out, struct console *console, bool listens,
                          struct irq_line line);
