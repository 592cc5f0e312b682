/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's clock and its battery-backed memory: see cmos.c. */
#pragma once

#include "vm/vdev.h"

#define CMOS_PORTS 2

/* What firmware would have found out, for those who ask the memory for it. */
struct cmos_config {
    uint64_t now;         /* seconds since 1970: the wall clock */
    uint64_t memory;      /* bytes of RAM below 4 GiB, from 0 on */
    uint64_t high_memory; /* above */
    unsigned cpus;
    bool has_disk;
};

extern const struct vdev_ops cmos_ops;

/* `line` is IRQ 8. ERR_NO_MEMORY. */
status_t cmos_create(struct vdev **out, const struct cmos_config *config, struct irq_line line);
