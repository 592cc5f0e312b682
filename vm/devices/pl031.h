/* SPDX-License-Identifier: BSD-2-Clause */
/* PL031 real-time clock: see pl031.c. */
#pragma once

#include "vm/vdev.h"

extern const struct vdev_ops pl031_ops;

/*
 * `now` is the wall clock at this moment, in seconds since 1970; `line` is RTCINTR. The MMIO
 * range is PRIMECELL_BYTES long. ERR_NO_MEMORY.
 */
status_t pl031_create(struct vdev **out, uint32_t now, struct irq_line line);
