/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's reset ports: see pc_reset.c. */
#pragma once

#include "vm/devices/pc_events.h"
#include "vm/vdev.h"

/* Ranges of the device, in the order that they are attached; one port each. */
enum pc_reset_range {
    PC_RESET_RANGE_CONTROL, /* 0xcf9 */
    PC_RESET_RANGE_PORT92,  /* 0x92 */
};

extern const struct vdev_ops pc_reset_ops;

/* Uses events->reset. ERR_NO_MEMORY. */
status_t pc_reset_create(struct vdev **out, const struct pc_events *events);
