/* SPDX-License-Identifier: BSD-2-Clause */
/* <arch/cpu.h> for unit tests of x86 code: a CPU that answers what the test wants. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Leaves that no test set are all zero. */
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
void fake_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid words);
void fake_cpuid_reset(void);

/* Every MSR of the host reads as this. */
extern uint64_t fake_msr;
uint64_t rdmsr(uint32_t index);

extern uint64_t fake_tsc, fake_tsc_hz;
