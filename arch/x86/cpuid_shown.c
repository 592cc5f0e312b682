/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID by allow list: a line for each leaf and register says which of the host's bits a
 * guest sees, and which are set whatever the host says, because a model provides them. A leaf
 * without a line reads as zero. What depends on the vCPU is added in cpuid.c.
 *
 * Hidden are, with their leaves: VMX, SVM, SMX, monitor and MWAIT, performance counters, debug
 * store, trace, power and thermal management, speculation control, MPX, TSX, protection keys,
 * CET, 5-level paging, XSAVES, SGX, machine-check banks, AMD's extended topology.
 *
 * SDM 2A CPUID; APM 3 appendix E.
 */
#include "arch/x86/cpuid_shown.h"

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/x86/guest.h"

enum { EAX, EBX, ECX, EDX };

#define ALL 0xffffffffu
#define B(n) (1u << (n))

#define LEAF1_ECX_XSAVE B(26)
#define LEAF1_ECX_AVX B(28)
#define EXT1_EDX_RDTSCP B(27)

#define PHYSICAL_BITS_MAX 46 /* of guest-physical addresses */
#define LINEAR_BITS 48

#define XCR0_X87_SSE 3u
#define XCR0_AVX B(2)
#define XCR0_AVX512 (B(5) | B(6) | B(7))

/* Leaf 1's and 0x80000001's EDX have these in common on AMD's. */
#define EDX_COMMON                                                                                 \
    (B(0) | B(1) | B(2) | B(3) | B(4) | B(5) | B(6) | B(7) | B(8) | B(9) | B(12) | B(13) | B(14) | \
     B(15) | B(16) | B(17) | B(23) | B(24))

struct allowed {
    uint32_t leaf, subleaf;
    uint8_t where;
    uint32_t pass; /* bits shown as the host has them */
    uint32_t set;  /* bits shown as 1 */
};

/* clang-format off */
static const struct allowed allowed[] = {
    /* Vendor. */
    { 0x00, 0, EBX, ALL, 0 }, { 0x00, 0, ECX, ALL, 0 }, { 0x00, 0, EDX, ALL, 0 },
    /* Family, model, stepping; CLFLUSH size. */
    { 0x01, 0, EAX, ALL, 0 },
    { 0x01, 0, EBX, 0x0000ff00, 0 },
    /* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND;
     * x2APIC, TSC deadline and "a hypervisor is present" are ours. */
    { 0x01, 0, ECX, B(0) | B(1) | B(9) | B(12) | B(13) | B(17) | B(19) | B(20) | B(22) | B(23) |
                    B(25) | B(26) | B(28) | B(29) | B(30), B(21) | B(24) | B(31) },
    /* … SEP CLFSH SSE SSE2 SS; the APIC and the MTRRs are ours. */
    { 0x01, 0, EDX, EDX_COMMON | B(11) | B(19) | B(25) | B(26) | B(27), B(9) | B(12) },
    /* Caches, Intel's. */
    { 0x02, 0, EAX, ALL, 0 }, { 0x02, 0, EBX, ALL, 0 }, { 0x02, 0, ECX, ALL, 0 },
    { 0x02, 0, EDX, ALL, 0 },
    /* The APIC timer never stops. */
    { 0x06, 0, EAX, 0, B(2) },
    /* FSGSBASE BMI1 AVX2 FDP_EXCPTN SMEP BMI2 ERMS INVPCID FCS_FDS AVX512{F,DQ} RDSEED ADX SMAP
     * AVX512_IFMA CLFLUSHOPT CLWB AVX512CD SHA AVX512{BW,VL}; TSC_ADJUST is ours. */
    { 0x07, 0, EBX, B(0) | B(3) | B(5) | B(6) | B(7) | B(8) | B(9) | B(10) | B(13) | B(16) |
                    B(17) | B(18) | B(19) | B(20) | B(21) | B(23) | B(24) | B(28) | B(29) |
                    B(30) | B(31), B(1) },
    /* AVX512_VBMI UMIP AVX512_VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ RDPID */
    { 0x07, 0, ECX, B(1) | B(2) | B(6) | B(8) | B(9) | B(10) | B(11) | B(12) | B(14) | B(22), 0 },
    /* 4VNNIW 4FMAPS FSRM VP2INTERSECT MD_CLEAR SERIALIZE */
    { 0x07, 0, EDX, B(2) | B(3) | B(4) | B(8) | B(10) | B(14), 0 },
    /* AVX_VNNI AVX512_BF16 FZRM FSRS FSRC */
    { 0x07, 1, EAX, B(4) | B(5) | B(10) | B(11) | B(12), 0 },
    /* XSAVEOPT XSAVEC XGETBV1 */
    { 0x0d, 1, EAX, B(0) | B(1) | B(2), 0 },
    { 0x0d, 2, EAX, ALL, 0 }, { 0x0d, 2, EBX, ALL, 0 }, { 0x0d, 2, ECX, B(1), 0 },
    { 0x0d, 5, EAX, ALL, 0 }, { 0x0d, 5, EBX, ALL, 0 }, { 0x0d, 5, ECX, B(1), 0 },
    { 0x0d, 6, EAX, ALL, 0 }, { 0x0d, 6, EBX, ALL, 0 }, { 0x0d, 6, ECX, B(1), 0 },
    { 0x0d, 7, EAX, ALL, 0 }, { 0x0d, 7, EBX, ALL, 0 }, { 0x0d, 7, ECX, B(1), 0 },
    /* "SocleSocle  " */
    { 0x40000000, 0, EAX, 0, CPUID_TIMING },
    { 0x40000000, 0, EBX, 0, 0x6c636f53 }, { 0x40000000, 0, ECX, 0, 0x636f5365 },
    { 0x40000000, 0, EDX, 0, 0x2020656c },
    /* AMD's vendor again, LAHF ABM SSE4A misaligned-SSE 3DNow-prefetch XOP FMA4 TBM */
    { 0x80000000, 0, EBX, ALL, 0 }, { 0x80000000, 0, ECX, ALL, 0 }, { 0x80000000, 0, EDX, ALL, 0 },
    { 0x80000001, 0, EAX, ALL, 0 },
    { 0x80000001, 0, ECX, B(0) | B(5) | B(6) | B(7) | B(8) | B(11) | B(16) | B(21), 0 },
    /* SYSCALL NX MMXEXT FFXSR 1-GiB-pages RDTSCP LM 3DNow */
    { 0x80000001, 0, EDX, EDX_COMMON | B(11) | B(20) | B(22) | B(25) | B(26) | B(27) | B(29) |
                          B(30) | B(31), 0 },
    /* Brand string. */
    { 0x80000002, 0, EAX, ALL, 0 }, { 0x80000002, 0, EBX, ALL, 0 },
    { 0x80000002, 0, ECX, ALL, 0 }, { 0x80000002, 0, EDX, ALL, 0 },
    { 0x80000003, 0, EAX, ALL, 0 }, { 0x80000003, 0, EBX, ALL, 0 },
    { 0x80000003, 0, ECX, ALL, 0 }, { 0x80000003, 0, EDX, ALL, 0 },
    { 0x80000004, 0, EAX, ALL, 0 }, { 0x80000004, 0, EBX, ALL, 0 },
    { 0x80000004, 0, ECX, ALL, 0 }, { 0x80000004, 0, EDX, ALL, 0 },
    /* Caches, AMD's. */
    { 0x80000005, 0, EAX, ALL, 0 }, { 0x80000005, 0, EBX, ALL, 0 },
    { 0x80000005, 0, ECX, ALL, 0 }, { 0x80000005, 0, EDX, ALL, 0 },
    { 0x80000006, 0, EAX, ALL, 0 }, { 0x80000006, 0, EBX, ALL, 0 },
    { 0x80000006, 0, ECX, ALL, 0 }, { 0x80000006, 0, EDX, ALL, 0 },
    /* Invariant TSC: offset only. */
    { 0x80000007, 0, EDX, B(8), 0 },
    /* CLZERO XSAVEERPTR WBNOINVD */
    { 0x80000008, 0, EBX, B(0) | B(2) | B(9), 0 },
};
/* clang-format on */

struct x86_features x86_features SEALED;
struct x86_shown x86_shown SEALED;

/* --- what every guest sees --- */

static struct cpuid *place(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == 0x7)
        return &x86_shown.leaf7[subleaf];
    if (leaf == 0xd)
        return &x86_shown.leaf_d[subleaf];
    if (leaf == CPUID_HYPERVISOR)
        return &x86_shown.signature;
    if (leaf >= CPUID_EXTENDED)
        return &x86_shown.extended[leaf - CPUID_EXTENDED];
    /* cppcheck-suppress arrayIndexOutOfBoundsCond ; leaves come from the tables above */
    return &x86_shown.basic[leaf];
}

static uint32_t *word(struct cpuid *words, unsigned where)
{
    uint32_t *const by_place[] = {
        [EAX] = &words->eax, [EBX] = &words->ebx, [ECX] = &words->ecx, [EDX] = &words->edx
    };

    return by_place[where];
}

/* All zero where the host has no such leaf: some CPUs then answer with another's. */
static struct cpuid host_leaf(uint32_t leaf, uint32_t subleaf)
{
    if (cpuid(leaf & CPUID_EXTENDED, 0).eax < leaf)
        return (struct cpuid){ 0 };
    return cpuid(leaf, subleaf);
}

static void show_allowed(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
        const struct allowed *line = &allowed[i];
        const bool ours = line->leaf == CPUID_HYPERVISOR;
        struct cpuid host = { 0 };

        if (!ours)
            host = host_leaf(line->leaf, line->subleaf);
        *word(place(line->leaf, line->subleaf), line->where) =
            (*word(&host, line->where) & line->pass) | line->set;
    }
    x86_shown.basic[0].eax = CPUID_BASIC_MAX;
    x86_shown.extended[0].eax = CPUID_EXTENDED_MAX;
    for (unsigned i = 0; i < CPUID_SUBLEAVES; i++)
        x86_shown.caches[i] = host_leaf(4, i);
}

/* --- XSAVE --- */

uint32_t x86_xsave_bytes(uint64_t components)
{
    uint32_t bytes = 512 + 64;

    for (unsigned i = 2; i < CPUID_SUBLEAVES; i++)
        if (components & BIT(i))
            bytes = MAX(bytes, x86_shown.leaf_d[i].ebx + x86_shown.leaf_d[i].eax);
    return bytes;
}

static void hide_avx(void)
{
    x86_shown.basic[1].ecx &= ~(LEAF1_ECX_AVX | B(12) | B(29)); /* FMA, F16C */
    x86_shown.leaf7[0].ebx &= ~B(5);
    x86_shown.leaf7[0].ecx &= ~(B(9) | B(10));
    x86_shown.leaf7[1].eax &= ~B(4);
    x86_shown.extended[1].ecx &= ~(B(11) | B(16)); /* XOP, FMA4 */
}

static void hide_avx512(void)
{
    x86_shown.leaf7[0].ebx &= ~(B(16) | B(17) | B(21) | B(28) | B(30) | B(31));
    x86_shown.leaf7[0].ecx &= ~(B(1) | B(6) | B(11) | B(12) | B(14));
    x86_shown.leaf7[0].edx &= ~(B(2) | B(3) | B(8));
    x86_shown.leaf7[1].eax &= ~B(5);
}

/* What the host can, the feature bits announce, and struct hv_vcpu has room for. */
static uint64_t allowed_xcr0(void)
{
    const uint64_t host = host_leaf(0xd, 0).eax;
    uint64_t xcr0 = XCR0_X87_SSE;

    if (!(x86_shown.basic[1].ecx & LEAF1_ECX_XSAVE))
        return 0;
    if (host & XCR0_AVX && x86_shown.basic[1].ecx & LEAF1_ECX_AVX)
        xcr0 |= XCR0_AVX;
    if (xcr0 & XCR0_AVX && (host & XCR0_AVX512) == XCR0_AVX512 && x86_shown.leaf7[0].ebx & B(16) &&
        x86_xsave_bytes(XCR0_AVX512) <= XSAVE_AREA_BYTES)
        xcr0 |= XCR0_AVX512;
    return xcr0;
}

static void show_xsave(void)
{
    const uint64_t xcr0 = allowed_xcr0();

    x86_features.xcr0 = xcr0;
    if (!(xcr0 & XCR0_AVX))
        hide_avx();
    if (!(xcr0 & XCR0_AVX512))
        hide_avx512();
    for (unsigned i = 2; i < CPUID_SUBLEAVES; i++)
        if (!(xcr0 & BIT(i)))
            x86_shown.leaf_d[i] = (struct cpuid){ 0 };
    if (xcr0 == 0)
        x86_shown.leaf_d[1] = (struct cpuid){ 0 };
    x86_shown.leaf_d[0] =
        (struct cpuid){ .eax = (uint32_t)xcr0, .ecx = xcr0 ? x86_xsave_bytes(xcr0) : 0 };
}

/* --- what registers accept --- */

/* A CR4 or EFER bit for what is announced. */
static const struct {
    const struct cpuid *shown;
    uint8_t where, bit;
    uint64_t cr4, efer;
} enables[] = {
    { &x86_shown.basic[1], EDX, 1, CR4_VME | CR4_PVI, 0 },
    { &x86_shown.basic[1], EDX, 2, CR4_DE, 0 },
    { &x86_shown.basic[1], EDX, 3, CR4_PSE, 0 },
    { &x86_shown.basic[1], EDX, 4, CR4_TSD, 0 },
    { &x86_shown.basic[1], EDX, 6, CR4_PAE, 0 },
    { &x86_shown.basic[1], EDX, 7, CR4_MCE, 0 },
    { &x86_shown.basic[1], EDX, 13, CR4_PGE, 0 },
    { &x86_shown.basic[1], EDX, 24, CR4_OSFXSR | CR4_OSXMMEXCPT, 0 },
    { &x86_shown.basic[1], ECX, 17, CR4_PCIDE, 0 },
    { &x86_shown.basic[1], ECX, 26, CR4_OSXSAVE, 0 },
    { &x86_shown.leaf7[0], EBX, 0, CR4_FSGSBASE, 0 },
    { &x86_shown.leaf7[0], EBX, 7, CR4_SMEP, 0 },
    { &x86_shown.leaf7[0], EBX, 20, CR4_SMAP, 0 },
    { &x86_shown.leaf7[0], ECX, 2, CR4_UMIP, 0 },
    { &x86_shown.extended[1], EDX, 11, 0, EFER_SCE },
    { &x86_shown.extended[1], EDX, 20, 0, EFER_NXE },
    { &x86_shown.extended[1], EDX, 25, 0, EFER_FFXSR },
    { &x86_shown.extended[1], EDX, 29, 0, EFER_LME },
};

static void allow_enables(void)
{
    const struct cpuid host = host_leaf(7, 0), host1 = host_leaf(7, 1);

    /* Protection keys, CET, 57-bit addresses; linear address masking. */
    x86_features.hides_cr4 =
        host.ecx & (B(3) | B(7) | B(16)) || host.edx & B(20) || host1.eax & B(26);
    x86_features.cr4 = CR4_PCE; /* user RDPMC: #GP all the same */
    x86_features.efer = 0;
    for (size_t i = 0; i < ARRAY_SIZE(enables); i++) {
        struct cpuid shown = *enables[i].shown;

        if (*word(&shown, enables[i].where) & BIT(enables[i].bit)) {
            x86_features.cr4 |= enables[i].cr4;
            x86_features.efer |= enables[i].efer;
        }
    }
}

void x86_cpuid_init(void)
{
    const uint32_t host_bits = host_leaf(0x80000008, 0).eax & 0xff;

    show_allowed();
    show_xsave();
    allow_enables();
    x86_features.is_intel = x86_shown.basic[0].ebx == 0x756e6547; /* "Genu" */
    x86_features.has_rdtscp = x86_shown.extended[1].edx & EXT1_EDX_RDTSCP;
    x86_features.signature = x86_shown.basic[1].eax;
    x86_features.physical_bits = (uint8_t)MIN(host_bits != 0 ? host_bits : 36, PHYSICAL_BITS_MAX);
    x86_shown.extended[8].eax = x86_features.physical_bits | LINEAR_BITS << 8;
}
