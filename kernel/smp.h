/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing up all CPUs of the machine. */
#pragma once

#include "arch/status.h"

#include <stdint.h>

/* The boot CPU gets its struct cpu. First thing of all. */
void smp_init_boot_cpu(void);

/*
 * Starts the CPUs whose firmware names are given (the caller's own is skipped), up to
 * MAX_CPUS. Each runs `main` on a stack of its own with guard pages. Returns when all that
 * came up are online; one that does not come is reported and left out.
 */
void smp_start(const uint64_t *hwids, unsigned count, void (*main)(void));

/* Every other CPU stops where it is, once it takes interrupts: before the end of a panic. */
void smp_stop_others(void);
