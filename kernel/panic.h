/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: our own invariant failed. Never reachable from what a guest does.
 */
#pragma once

#include "arch/bits.h"

/* Prints, stops every CPU, powers the machine off with failure. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What to do last, from a driver: exit with this status. Registered at boot. */
void panic_set_power_off(void (*power_off)(int status));

/* States what the hypervisor itself guarantees. */
#define assert(condition)                                                         \
    do {                                                                          \
        if (unlikely(!(condition)))                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition); \
    } while (0)
