/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug exit: one port, by which a test says how it ended and stops its VM. A byte of 0 is
 * success: the VM is powered off. Any other is a failure: the VM crashes, with the report of
 * the vCPU that wrote it. Reads give 0, which tells that the port is there.
 */
#pragma once

#include "vm/devices/pc_events.h"
#include "vm/vdev.h"

#define DEBUG_EXIT_PORT 0xf4u

extern const struct vdev_ops debug_exit_ops;

/* Uses events->debug_exit. ERR_NO_MEMORY. */
status_t debug_exit_create(struct vdev **out, const struct pc_events *events);
