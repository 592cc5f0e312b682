/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as one vCPU sees it: what every guest is shown (cpuid_shown.c), with its identity, its
 * VM's topology, and what follows its registers.
 */
#include "arch/x86/cpuid.h"

#include "arch/bits.h"
#include "arch/timer.h"
#include "arch/x86/cpuid_shown.h"
#include "arch/x86/guest.h"

#define LEAF1_EBX_LOGICAL GENMASK(23, 16)
#define LEAF1_EBX_APIC_ID GENMASK(31, 24)
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_EDX_APIC (1u << 9)
#define LEAF1_EDX_HTT (1u << 28)
#define LEAF_D1_EAX_XSAVEC (1u << 1)
#define LEAF_D_ECX_ALIGNED (1u << 1)
#define EXT1_ECX_CMP_LEGACY (1u << 1)

/* APIC ids of a VM take this many bits. */
static uint32_t id_bits(const struct hv_vcpu *vcpu)
{
    return vcpu->cpus > 1 ? 64 - (uint32_t)__builtin_clzll(vcpu->cpus - 1) : 0;
}

static struct cpuid with_identity(const struct hv_vcpu *vcpu, struct cpuid out)
{
    out.ebx |= (uint32_t)(FIELD_PREP(LEAF1_EBX_APIC_ID, vcpu->id) |
                          FIELD_PREP(LEAF1_EBX_LOGICAL, BIT(id_bits(vcpu))));
    if (vcpu->cpus > 1)
        out.edx |= LEAF1_EDX_HTT;
    if (vcpu->apic == HV_APIC_OFF)
        out.edx &= ~LEAF1_EDX_APIC;
    if (x86_guest->get(vcpu, REG_CR4) & CR4_OSXSAVE)
        out.ecx |= LEAF1_ECX_OSXSAVE;
    return out;
}

/* Caches belong to each CPU, but for the last level: all share it. */
static struct cpuid caches(const struct hv_vcpu *vcpu, uint32_t subleaf)
{
    const uint32_t cores = (uint32_t)BIT(id_bits(vcpu)) - 1;
    struct cpuid out = { 0 };

    if (!x86_features.is_intel || subleaf >= CPUID_SUBLEAVES)
        return out;
    out = x86_shown.caches[subleaf];
    if ((out.eax & 0x1f) != 0) {
        const uint32_t sharing = (out.eax >> 5 & 7) >= 3 ? cores : 0;

        out.eax = (out.eax & 0x3fff) | sharing << 14 | (cores & 0x3f) << 26;
    }
    return out;
}

/* Leaf 0xb: one thread to a core, all cores in one package. */
static struct cpuid topology(const struct hv_vcpu *vcpu, uint32_t subleaf)
{
    struct cpuid out = { .ecx = subleaf & 0xff, .edx = (uint32_t)vcpu->id };

    if (subleaf == 0) {
        out.ebx = 1;
        out.ecx |= 1 << 8; /* thread */
    } else if (subleaf == 1) {
        out.eax = id_bits(vcpu);
        out.ebx = (uint32_t)MAX(vcpu->cpus, 1);
        out.ecx |= 2 << 8; /* core */
    }
    return out;
}

/* Bytes of these components in XSAVEC's format: no gaps, but for components that want 64 bytes'
 * alignment. */
static uint32_t xsavec_bytes(uint64_t components)
{
    uint32_t bytes = 512 + 64;

    for (unsigned i = 2; i < CPUID_SUBLEAVES; i++)
        if (components & BIT(i))
            bytes = (x86_shown.leaf_d[i].ecx & LEAF_D_ECX_ALIGNED ? ALIGN_UP(bytes, 64) : bytes) +
                    x86_shown.leaf_d[i].eax;
    return bytes;
}

static struct cpuid xsave(const struct hv_vcpu *vcpu, uint32_t subleaf)
{
    struct cpuid out = subleaf < CPUID_SUBLEAVES ? x86_shown.leaf_d[subleaf] : (struct cpuid){ 0 };

    if (subleaf == 0 && out.eax != 0)
        out.ebx = x86_xsave_bytes(vcpu->xcr0);
    if (subleaf == 1 && out.eax & LEAF_D1_EAX_XSAVEC)
        out.ebx = xsavec_bytes(vcpu->xcr0);
    return out;
}

/* AMD's way to tell how many cores there are. */
static struct cpuid with_cores(const struct hv_vcpu *vcpu, uint32_t leaf, struct cpuid out)
{
    if (x86_features.is_intel || vcpu->cpus < 2)
        return out;
    if (leaf == 0x80000001)
        out.ecx |= EXT1_ECX_CMP_LEGACY;
    else
        out.ecx = (uint32_t)(vcpu->cpus - 1) | id_bits(vcpu) << 12;
    return out;
}

/* How fast the TSC runs: exact to 25 kHz, and such that a guest's 32-bit product fits. */
static struct cpuid frequencies(uint32_t leaf)
{
    const uint64_t hz = arch_counter_hz();
    const uint32_t denominator = 1000;

    switch (leaf) {
    case 0x15:
        return (struct cpuid){ .eax = denominator,
                               .ebx = (uint32_t)(hz / (X86_GUEST_CRYSTAL_HZ / denominator)),
                               .ecx = X86_GUEST_CRYSTAL_HZ };
    case 0x16:
        return (struct cpuid){ .eax = (uint32_t)(hz / 1000000),
                               .ebx = (uint32_t)(hz / 1000000),
                               .ecx = X86_GUEST_CRYSTAL_HZ / 1000000 };
    default:
        return (struct cpuid){ .eax = (uint32_t)(hz / 1000), .ebx = X86_GUEST_CRYSTAL_HZ / 1000 };
    }
}

struct cpuid x86_cpuid_leaf(const struct hv_vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
    switch (leaf) {
    case 0x1: return with_identity(vcpu, x86_shown.basic[1]);
    case 0x4: return caches(vcpu, subleaf);
    case 0x7: return subleaf < CPUID_SUBLEAVES ? x86_shown.leaf7[subleaf] : (struct cpuid){ 0 };
    case 0xb: return topology(vcpu, subleaf);
    case 0xd: return xsave(vcpu, subleaf);
    case CPUID_HYPERVISOR: return x86_shown.signature;
    case 0x15:
    case 0x16:
    case CPUID_TIMING: return frequencies(leaf);
    case 0x80000001:
    case 0x80000008: return with_cores(vcpu, leaf, x86_shown.extended[leaf - CPUID_EXTENDED]);
    default: break;
    }
    if (leaf < ARRAY_SIZE(x86_shown.basic))
        return x86_shown.basic[leaf];
    if (leaf - CPUID_EXTENDED < ARRAY_SIZE(x86_shown.extended))
        return x86_shown.extended[leaf - CPUID_EXTENDED];
    return (struct cpuid){ 0 };
}

void x86_cpuid(struct hv_vcpu *vcpu)
{
    const struct cpuid out =
        x86_cpuid_leaf(vcpu, (uint32_t)vcpu->gpr[GPR_RAX], (uint32_t)vcpu->gpr[GPR_RCX]);

    vcpu->gpr[GPR_RAX] = out.eax;
    vcpu->gpr[GPR_RBX] = out.ebx;
    vcpu->gpr[GPR_RCX] = out.ecx;
    vcpu->gpr[GPR_RDX] = out.edx;
}
