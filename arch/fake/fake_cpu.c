/* SPDX-License-Identifier: BSD-2-Clause */
/* The per-CPU pointer: one for each thread. */

#include <arch/cpu.h>

static _Thread_local void *cpu;

void *arch_this_cpu(void)
{
    return cpu;
}

void arch_set_this_cpu(void *value)
{
    cpu = value;
}
