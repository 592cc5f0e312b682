/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs: numbering, the per-CPU pointer, starting the others. */
#pragma once

#include "arch/addr.h"
#include "arch/status.h"

/*
 * Starts the CPU that the firmware calls `hwid` (MPIDR affinity, APIC id). It arrives in
 * arch_secondary_main's C world on `stack_top` with this_cpu() == `percpu`, then calls
 * `main`, which does not return.
 * ERR_UNSUPPORTED: the firmware refused.
 */
status_t arch_cpu_start(uint64_t hwid, void *percpu, void *stack_top, void (*main)(void));

/* The firmware's name of the calling CPU. */
uint64_t arch_cpu_hwid(void);

/* Turns the calling CPU off for good. */
_Noreturn void arch_cpu_stop(void);
