/* SPDX-License-Identifier: BSD-2-Clause */
/* The unit tests' CPU. There is one thread, so who spins on a lock does so for ever. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void fuzz_spins(void);

static inline void cpu_relax(void)
{
    fuzz_spins();
}

void *arch_this_cpu(void);
void arch_set_this_cpu(void *cpu);
