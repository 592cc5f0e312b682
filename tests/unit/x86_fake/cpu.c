/* SPDX-License-Identifier: BSD-2-Clause */
#include <arch/cpu.h>

#include <stdlib.h>

#include "arch/timer.h"
#include "arch/x86/switch.h"

#define LEAVES_MAX 64

static struct {
    uint32_t leaf, subleaf;
    struct cpuid words;
} leaves[LEAVES_MAX];
static size_t leaf_count;

uint64_t fake_msr, fake_tsc, fake_tsc_hz = 2500000000;

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    for (size_t i = 0; i < leaf_count; i++)
        if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf)
            return leaves[i].words;
    return (struct cpuid){ 0 };
}

void fake_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid words)
{
    size_t i = 0;

    while (i < leaf_count && (leaves[i].leaf != leaf || leaves[i].subleaf != subleaf))
        i++;
    if (i == LEAVES_MAX)
        abort();
    leaf_count += i == leaf_count;
    leaves[i].leaf = leaf;
    leaves[i].subleaf = subleaf;
    leaves[i].words = words;
}

void fake_cpuid_reset(void)
{
    leaf_count = 0;
}

uint64_t rdmsr(uint32_t index)
{
    (void)index;
    return fake_msr;
}

uint64_t arch_counter(void)
{
    return fake_tsc;
}

uint64_t arch_counter_hz(void)
{
    return fake_tsc_hz;
}

void x86_switch_xcr0(struct hv_vcpu *vcpu, uint64_t value)
{
    vcpu->xcr0 = value;
}

void x86_switch_note_xcr0(struct hv_vcpu *vcpu)
{
    (void)vcpu;
}
