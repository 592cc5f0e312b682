/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What devices of a PC ask of their machine. Called with the device's lock held, on the vCPU
 * that made the access. None may be NULL in a device that uses it.
 */
#pragma once

#include <stdint.h>

struct pc_events {
    void *context;
    void (*reset)(void *context);
    void (*power_off)(void *context);
    /* The guest's own word about how it ended; 0: well. */
    void (*debug_exit)(void *context, unsigned cpu, uint8_t value);
};
