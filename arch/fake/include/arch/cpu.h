/* SPDX-License-Identifier: BSD-2-Clause */
/* The unit tests' CPU: a process with one thread for each. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void cpu_relax(void)
{
}

/* The calling thread's per-CPU pointer. */
void *arch_this_cpu(void);
void arch_set_this_cpu(void *cpu);
