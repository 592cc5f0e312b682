/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID, each leaf, against what the CPU does: what is announced works, what is hidden raises
 * its exception, XSAVE writes as many bytes as is said, unknown leaves are zero.
 */
#include "tests/guests/x86/lib/guest.h"

#define SOCLE 0x6c636f53u /* "Socl" */
#define HYPERVISOR 0x40000000u
#define EXTENDED 0x80000000u
#define CR4_OSXSAVE (1UL << 18)
#define AREA_BYTES 4096

static bool under_socle;

/* ---- leaves ---- */

/* Those that may say something. */
static bool is_known(uint32_t leaf)
{
    static const uint32_t known[] = { 0, 1, 2, 4, 6, 7, 0xb, 0xd, 0x15, 0x16 };

    for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
        if (leaf == known[i])
            return true;
    return leaf == HYPERVISOR || leaf == HYPERVISOR + 0x10 ||
           (leaf >= EXTENDED && leaf <= EXTENDED + 8);
}

static bool is_zero(struct cpuid words)
{
    return (words.eax | words.ebx | words.ecx | words.edx) == 0;
}

static void sweep(uint32_t first, uint32_t last)
{
    unsigned unexpected = 0, unsteady = 0;

    for (uint32_t leaf = first; leaf <= last; leaf++) {
        for (uint32_t subleaf = 0; subleaf < 9; subleaf++) {
            const struct cpuid a = cpuid(leaf, subleaf), b = cpuid(leaf, subleaf);

            unsteady += a.eax != b.eax || a.ebx != b.ebx || a.ecx != b.ecx || a.edx != b.edx;
            if (is_known(leaf) || is_zero(a))
                continue;
            unexpected++;
            print("leaf 0x%x, %u: %x %x %x %x\n", leaf, subleaf, a.eax, a.ebx, a.ecx, a.edx);
        }
    }
    check_equal("leaves that should be zero", unexpected, 0);
    check_equal("leaves that change", unsteady, 0);
}

/* Features that no guest is to see, by what they would lead it to. */
static void hidden(void)
{
    static const struct {
        const char *name;
        uint32_t leaf;
        uint8_t word, bit;
    } features[] = {
        { "dtes64", 1, 2, 2 },
        { "monitor", 1, 2, 3 },
        { "ds-cpl", 1, 2, 4 },
        { "vmx", 1, 2, 5 },
        { "smx", 1, 2, 6 },
        { "eist", 1, 2, 7 },
        { "tm2", 1, 2, 8 },
        { "pdcm", 1, 2, 15 },
        { "dca", 1, 2, 18 },
        { "ds", 1, 3, 21 },
        { "acpi", 1, 3, 22 },
        { "tm", 1, 3, 29 },
        { "sgx", 7, 1, 2 },
        { "hle", 7, 1, 4 },
        { "rtm", 7, 1, 11 },
        { "pqm", 7, 1, 12 },
        { "mpx", 7, 1, 14 },
        { "pqe", 7, 1, 15 },
        { "pt", 7, 1, 25 },
        { "pku", 7, 2, 3 },
        { "waitpkg", 7, 2, 5 },
        { "cet-ss", 7, 2, 7 },
        { "la57", 7, 2, 16 },
        { "cet-ibt", 7, 3, 20 },
        { "ibrs", 7, 3, 26 },
        { "arch-cap", 7, 3, 29 },
        { "svm", EXTENDED + 1, 2, 2 },
        { "skinit", EXTENDED + 1, 2, 12 },
        { "perfctr", EXTENDED + 1, 2, 23 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        const struct cpuid leaf = cpuid(features[i].leaf, 0);
        const uint32_t words[] = { leaf.eax, leaf.ebx, leaf.ecx, leaf.edx };

        check_equal(features[i].name, words[features[i].word] >> features[i].bit & 1, 0);
    }
}

static void identity(void)
{
    const struct cpuid first = cpuid(0, 0), extended = cpuid(EXTENDED, 0);

    check(first.eax >= 0x16 && first.eax < 0x40, "basic leaves");
    check(extended.eax >= EXTENDED + 8 && extended.eax < EXTENDED + 0x40, "extended leaves");
    check(cpuid(1, 0).ecx >> 31 != 0, "says that it is a hypervisor");
    check_equal("apic id", cpuid(1, 0).ebx >> 24, 0);
    check_equal("cpus", cpuid(1, 0).ebx >> 16 & 0xff, 1);
    sweep(0, 0x40);
    sweep(HYPERVISOR, HYPERVISOR + 0x100);
    sweep(EXTENDED, EXTENDED + 0x40);
    sweep(0xc0000000, 0xc0000004);
    sweep(0xfffffff0, 0xfffffffe);
}

/* ---- instructions of features ---- */

#define INSTRUCTION(name, code)                                                               \
    static void name(uint64_t at)                                                             \
    {                                                                                         \
        asm volatile(code ::"a"(at), "c"(0), "d"(0), "D"(at) : "memory", "cc", "rbx", "rsi"); \
    }

INSTRUCTION(rdrand, "rdrand %%eax")
INSTRUCTION(rdtscp, "rdtscp")
INSTRUCTION(rdpid, ".byte 0xf3, 0x0f, 0xc7, 0xf8")
INSTRUCTION(monitor, "monitor")
INSTRUCTION(mwait, "xor %%eax, %%eax\n\tmwait")
INSTRUCTION(xgetbv, "xgetbv")
INSTRUCTION(invpcid, "mov $2, %%eax\n\tinvpcid (%%rdi), %%rax")
INSTRUCTION(rdpkru, ".byte 0x0f, 0x01, 0xee")
INSTRUCTION(xsaves, "xsaves (%%rdi)")
INSTRUCTION(getsec, ".byte 0x0f, 0x37")
INSTRUCTION(vmxon, "vmxon (%%rdi)")
INSTRUCTION(vmread, "vmread %%rax, %%rbx")
INSTRUCTION(invept, ".byte 0x66, 0x0f, 0x38, 0x80, 0x07")
INSTRUCTION(vmload, "vmload %%rax")
INSTRUCTION(vmsave, "vmsave %%rax")
INSTRUCTION(stgi, "stgi")
INSTRUCTION(clgi, "clgi")
INSTRUCTION(invlpga, "invlpga %%rax, %%ecx")
INSTRUCTION(rdpmc, "rdpmc")
INSTRUCTION(rsm, ".byte 0x0f, 0xaa")
INSTRUCTION(wbinvd, "wbinvd")

#define NO_BIT 0xff

static uint8_t area[AREA_BYTES] __attribute__((aligned(AREA_BYTES)));

static void announced(void)
{
    static const struct {
        const char *name;
        void (*run)(uint64_t at);
        uint32_t leaf;
        uint8_t word, bit;
        uint16_t otherwise;
    } cases[] = {
        { "rdrand", rdrand, 1, 2, 30, VECTOR_UD },
        { "rdtscp", rdtscp, EXTENDED + 1, 3, 27, VECTOR_UD },
        { "rdpid", rdpid, 7, 2, 22, VECTOR_UD },
        { "invpcid", invpcid, 7, 1, 10, VECTOR_UD },
        { "monitor", monitor, 1, 2, 3, VECTOR_UD },
        { "rdpkru", rdpkru, 7, 2, 4, VECTOR_UD },
        { "xgetbv without osxsave", xgetbv, 1, 2, 27, VECTOR_UD },
        { "getsec", getsec, 0, 0, NO_BIT, VECTOR_UD },
        { "vmxon", vmxon, 0, 0, NO_BIT, VECTOR_UD },
        { "vmread", vmread, 0, 0, NO_BIT, VECTOR_UD },
        { "invept", invept, 0, 0, NO_BIT, VECTOR_UD },
        { "vmload", vmload, 0, 0, NO_BIT, VECTOR_UD },
        { "vmsave", vmsave, 0, 0, NO_BIT, VECTOR_UD },
        { "stgi", stgi, 0, 0, NO_BIT, VECTOR_UD },
        { "clgi", clgi, 0, 0, NO_BIT, VECTOR_UD },
        { "invlpga", invlpga, 0, 0, NO_BIT, VECTOR_UD },
        { "rsm", rsm, 0, 0, NO_BIT, VECTOR_UD },
        { "rdpmc", rdpmc, 0, 0, NO_BIT, VECTOR_GP },
        { "wbinvd", wbinvd, 0, 0, NO_BIT, NO_FAULT },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct cpuid leaf = cpuid(cases[i].leaf, 0);
        const uint32_t words[] = { leaf.eax, leaf.ebx, leaf.ecx, leaf.edx };
        const bool shown = cases[i].bit != NO_BIT && words[cases[i].word] >> cases[i].bit & 1;

        check_equal(cases[i].name, attempt(cases[i].run, (uint64_t)area),
                    shown ? (unsigned)NO_FAULT : cases[i].otherwise);
    }
    if (!(cpuid(1, 0).ecx >> 3 & 1)) /* it would wait for ever */
        check_equal("mwait", attempt(mwait, (uint64_t)area), VECTOR_UD);
}

/* ---- control registers ---- */

static void set_cr4_bit(uint64_t bit)
{
    write_cr4(read_cr4() | 1UL << bit);
}

/* CR4's bits come with their features. */
static void enables(void)
{
    static const struct {
        uint8_t cr4;
        uint32_t leaf;
        uint8_t word, bit;
    } bits[] = {
        { 0, 1, 3, 1 },  { 1, 1, 3, 1 },   { 2, 1, 3, 4 },   { 3, 1, 3, 2 },  { 6, 1, 3, 7 },
        { 7, 1, 3, 13 }, { 11, 7, 2, 2 },  { 12, 7, 2, 16 }, { 13, 1, 2, 5 }, { 14, 1, 2, 6 },
        { 16, 7, 1, 0 }, { 17, 1, 2, 17 }, { 18, 1, 2, 26 }, { 22, 7, 2, 3 }, { 23, 7, 2, 7 },
    };
    const uint64_t before = read_cr4();

    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        const struct cpuid leaf = cpuid(bits[i].leaf, 0);
        const uint32_t words[] = { leaf.eax, leaf.ebx, leaf.ecx, leaf.edx };
        const bool shown = words[bits[i].word] >> bits[i].bit & 1;
        const unsigned got = attempt(set_cr4_bit, bits[i].cr4);

        if (got != (shown ? (unsigned)NO_FAULT : VECTOR_GP))
            print("cr4 bit %u: shown %u, vector %u\n", bits[i].cr4, shown, got);
        check_equal("cr4 bit as announced", got, shown ? (unsigned)NO_FAULT : VECTOR_GP);
        write_cr4(before);
    }
    for (unsigned bit = 25; bit < 64; bit++)
        if (attempt(set_cr4_bit, bit) != VECTOR_GP)
            check_equal("reserved cr4 bit", bit, VECTOR_GP);
}

/* ---- XSAVE ---- */

static uint64_t xcr0_wanted;

static void xsetbv(uint64_t index)
{
    asm volatile("xsetbv" ::"a"((uint32_t)xcr0_wanted), "d"((uint32_t)(xcr0_wanted >> 32)),
                 "c"((uint32_t)index));
}

static unsigned try_xcr0(uint64_t value)
{
    xcr0_wanted = value;
    return attempt(xsetbv, 0);
}

static void save_area(uint64_t at)
{
    asm volatile("xsave (%0)" ::"r"(at), "a"(~0u), "d"(~0u) : "memory");
}

/* Bytes from the area's start to the last one written: upper halves in their initial state may
 * leave less than is announced, so only the bound is checked. */
static void area_sizes(uint64_t all)
{
    for (uint64_t value = 1; value <= all; value++) {
        const bool valid = (value & ~all) == 0 && (value & 1) && (!(value & 4) || value & 2) &&
                           ((value & 0xe0) == 0 || ((value & 0xe0) == 0xe0 && value & 4));
        uint32_t bytes = 576;

        check_equal("xsetbv", try_xcr0(value), valid ? (unsigned)NO_FAULT : VECTOR_GP);
        if (!valid)
            continue;
        for (unsigned i = 2; i < 32; i++)
            if (value >> i & 1) {
                const struct cpuid part = cpuid(0xd, i);

                bytes = part.eax + part.ebx > bytes ? part.eax + part.ebx : bytes;
            }
        check_equal("bytes of xsave area", cpuid(0xd, 0).ebx, bytes);
        for (unsigned i = 0; i < AREA_BYTES; i++)
            area[i] = i < 576 ? 0 : 0xa5;
        check_equal("xsave", attempt(save_area, (uint64_t)area), NO_FAULT);
        for (unsigned i = bytes; i < AREA_BYTES; i++)
            if (area[i] != 0xa5)
                check_equal("byte behind the area", i, 0);
    }
}

static void xsave(void)
{
    if (!(cpuid(1, 0).ecx >> 26 & 1))
        return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    check_equal("osxsave follows cr4", cpuid(1, 0).ecx >> 27 & 1, 1);
    const struct cpuid sizes = cpuid(0xd, 0);
    const uint64_t all = (uint64_t)sizes.edx << 32 | sizes.eax;

    check(sizes.ecx >= sizes.ebx, "maximum of xsave area");
    check_equal("xgetbv", attempt(xgetbv, 0), NO_FAULT);
    check_equal("xcr0 without x87", try_xcr0(all & ~1UL), VECTOR_GP);
    check_equal("xcr0 with all bits", try_xcr0(~0UL), VECTOR_GP);
    check_equal("xcr0 with bit 63", try_xcr0(all | 1UL << 63), VECTOR_GP);
    xcr0_wanted = all;
    check_equal("xcr1", attempt(xsetbv, 1), VECTOR_GP);
    area_sizes(all);
    check_equal("xsaves", attempt(xsaves, (uint64_t)area),
                cpuid(0xd, 1).eax >> 3 & 1 ? (unsigned)NO_FAULT : VECTOR_UD);
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    check_equal("osxsave follows again", cpuid(1, 0).ecx >> 27 & 1, 0);
    check_equal("xsetbv without osxsave", try_xcr0(all), VECTOR_UD);
}

void guest_main(void)
{
    under_socle = cpuid(HYPERVISOR, 0).ebx == SOCLE;
    announced();
    enables();
    xsave();
    if (!under_socle)
        return;
    identity();
    hidden();
}
