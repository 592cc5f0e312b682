/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID shows to every guest alike: made by cpuid_shown.c, read by cpuid.c. */
#pragma once

#include <arch/cpu.h>

#include "arch/x86/cpuid.h"

#define CPUID_BASIC_MAX 0x16
#define CPUID_HYPERVISOR 0x40000000u
#define CPUID_TIMING 0x40000010u /* a convention: TSC and APIC timer in kHz */
#define CPUID_EXTENDED 0x80000000u
#define CPUID_EXTENDED_MAX 0x80000008u
#define CPUID_SUBLEAVES 8 /* of leaves that have some: 4, 7, 0xd */

struct x86_shown {
    struct cpuid basic[CPUID_BASIC_MAX + 1];
    struct cpuid extended[CPUID_EXTENDED_MAX - CPUID_EXTENDED + 1];
    struct cpuid leaf7[CPUID_SUBLEAVES];
    struct cpuid leaf_d[CPUID_SUBLEAVES];
    struct cpuid caches[CPUID_SUBLEAVES]; /* leaf 4, as the host has it */
    struct cpuid signature;
};
extern struct x86_shown x86_shown;

/* Bytes of these XSAVE components in the standard format; x87 and SSE are always among them. */
uint32_t x86_xsave_bytes(uint64_t components);
