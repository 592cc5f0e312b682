/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers as the hypervisor wants them, the same on every CPU. */
#include <arch/cpu.h>

#include "arch/bits.h"
#include "arch/x86/msr.h"
#include "arch/x86/x86.h"

#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_CD BIT(30)
#define CR0_NW BIT(29)

#define CR4_DE BIT(3)
#define CR4_MCE BIT(6)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)

/*
 * What PWT and PCD select, SDM 3A 12.12: WB, WC, UC-, UC. Reset has WT in the second place, which
 * nothing here uses.
 */
#define PAT_VALUE 0x0007040600070106ULL

enum { EBX, ECX, EDX };

/* A CR4 bit for what the CPU announces in a CPUID leaf. */
static const struct feature {
    uint32_t leaf;
    uint8_t where, bit;
    uint64_t cr4;
} features[] = {
    { 1, EDX, 2, CR4_DE },   { 1, EDX, 7, CR4_MCE },   { 1, ECX, 26, CR4_OSXSAVE },
    { 7, EBX, 7, CR4_SMEP }, { 7, EBX, 20, CR4_SMAP }, { 7, ECX, 2, CR4_UMIP },
};

static bool has(const struct feature *feature)
{
    if (cpuid(0, 0).eax < feature->leaf)
        return false;

    const struct cpuid words = cpuid(feature->leaf, 0);
    const uint32_t by_place[] = { [EBX] = words.ebx, [ECX] = words.ecx, [EDX] = words.edx };

    return by_place[feature->where] & BIT(feature->bit);
}

void x86_features_init(void)
{
    uint64_t cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;

    for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
        cr4 |= has(&features[i]) ? features[i].cr4 : 0;
    write_cr0((read_cr0() | CR0_MP | CR0_NE) & ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW));
    write_cr4(cr4);
    wrmsr(MSR_PAT, PAT_VALUE);
}
