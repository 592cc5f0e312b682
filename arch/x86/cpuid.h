/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID tells a guest: an allow list per leaf and register over what the host has. What
 * is not switched, or not known here, is hidden. The rest of the house asks here, too, what a
 * guest was told, so that registers accept what CPUID announced and nothing else.
 */
#pragma once

#include <arch/cpu.h>
#include <arch/vcpu.h>

/* Once, at boot, before any guest: reads the host's leaves. */
void x86_cpuid_init(void);

/* The instruction: EAX and ECX of the vCPU in, all four registers out. RIP stays. */
void x86_cpuid(struct hv_vcpu *vcpu);

/* As x86_cpuid, for one leaf. */
struct cpuid x86_cpuid_leaf(const struct hv_vcpu *vcpu, uint32_t leaf, uint32_t subleaf);

/* Announced to guests, from the same tables; constant after x86_cpuid_init. */
struct x86_features {
    uint64_t cr4;   /* bits that may be set */
    uint64_t efer;  /* bits that may be written; LMA is never */
    uint64_t xcr0;  /* components; 0: no XSAVE */
    bool hides_cr4; /* the host has CR4 bits that are not to be set */
    bool is_intel;
    bool has_rdtscp;
    uint32_t signature;    /* leaf 1's EAX: family, model, stepping */
    uint8_t physical_bits; /* of guest-physical addresses */
};
extern struct x86_features x86_features;
