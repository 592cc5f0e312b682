/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs, every architectural range of them, and debug registers: which exist, what they accept,
 * what they do, and that they are this guest's own. With `seed=`, it marks all of them and looks
 * at them `rounds=` times while others run, for two such guests on one CPU.
 */
#include "tests/guests/x86/lib/guest.h"

#define SOCLE 0x6c636f53u
#define NOT_CANONICAL 0x800000000000UL
#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1b
#define MSR_TSC_ADJUST 0x3b
#define MSR_SYSENTER_CS 0x174
#define MSR_PAT 0x277
#define MSR_MTRRCAP 0xfe
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

static uint64_t value;

/* QEMU's CPU takes addresses that are not canonical, and knows no guard of debug registers. */
static bool is_strict;

static void read_one(uint64_t index)
{
    value = rdmsr((uint32_t)index);
}

static void write_one(uint64_t index)
{
    wrmsr((uint32_t)index, value);
}

static bool can_read(uint32_t index)
{
    return attempt(read_one, index) == NO_FAULT;
}

static bool can_write(uint32_t index, uint64_t to)
{
    value = to;
    return attempt(write_one, index) == NO_FAULT;
}

/* ---- which there are ---- */

enum kind { ZERO, OWN };

/* Whatever is not here is #GP, read and written. */
static const struct {
    uint32_t first, last;
    enum kind kind;
} known[] = {
    { 0x00, 0x01, ZERO },
    { 0x10, 0x10, OWN },
    { 0x17, 0x17, ZERO },
    { 0x1b, 0x1b, OWN },
    { 0x2a, 0x2a, ZERO },
    { 0x34, 0x34, ZERO },
    { 0x3a, 0x3b, OWN },
    { 0x79, 0x79, ZERO },
    { 0x8b, 0x8b, OWN },
    { 0xcd, 0xcd, ZERO },
    { 0xce, 0xce, OWN },
    { 0xe2, 0xe2, ZERO },
    { 0xfe, 0xfe, OWN },
    { 0x119, 0x119, ZERO },
    { 0x11e, 0x11e, ZERO },
    { 0x174, 0x176, OWN },
    { 0x179, 0x17b, ZERO },
    { 0x198, 0x19d, ZERO },
    { 0x1a0, 0x1a0, OWN },
    { 0x1a2, 0x1a2, ZERO },
    { 0x1a4, 0x1a4, ZERO },
    { 0x1aa, 0x1aa, ZERO },
    { 0x1ad, 0x1ad, ZERO },
    { 0x1b0, 0x1b0, ZERO },
    { 0x1d9, 0x1d9, ZERO },
    { 0x1db, 0x1de, ZERO },
    { 0x1fc, 0x1fc, ZERO },
    { 0x200, 0x20f, OWN },
    { 0x250, 0x250, OWN },
    { 0x258, 0x259, OWN },
    { 0x268, 0x26f, OWN },
    { 0x277, 0x277, OWN },
    { 0x2ff, 0x2ff, OWN },
    { 0x606, 0x606, ZERO },
    { 0x6e0, 0x6e0, OWN },
    { 0xc0000080, 0xc0000084, OWN },
    { 0xc0000100, 0xc0000103, OWN },
    { 0xc0010000, 0xc0010007, ZERO },
    { 0xc0010010, 0xc0010010, ZERO },
    { 0xc0010015, 0xc0010015, OWN },
    { 0xc0010016, 0xc001001a, ZERO },
    { 0xc001001d, 0xc001001d, ZERO },
    { 0xc001001f, 0xc0010020, ZERO },
    { 0xc0010055, 0xc0010055, ZERO },
    { 0xc0010058, 0xc0010058, ZERO },
    { 0xc0011004, 0xc0011005, ZERO },
    { 0xc0011020, 0xc0011023, ZERO },
    { 0xc0011029, 0xc0011029, OWN },
    { 0xc001102a, 0xc001102a, ZERO },
};

static int find(uint32_t index)
{
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
        if (index >= known[i].first && index <= known[i].last)
            return (int)i;
    return -1;
}

static unsigned surprises;

static void surprise(uint32_t index, const char *how)
{
    surprises++;
    print("msr 0x%x %s\n", index, how);
}

static void look_at(uint32_t index)
{
    const int at = find(index);

    if (at < 0) {
        if (can_read(index))
            surprise(index, "can be read");
        if (can_write(index, 0) || can_write(index, 1) || can_write(index, ~0UL))
            surprise(index, "can be written");
        return;
    }
    if (!can_read(index))
        surprise(index, "cannot be read");
    else if (known[at].kind == ZERO && value != 0)
        surprise(index, "is not zero");
    if (known[at].kind != ZERO)
        return;
    if (!can_write(index, ~0UL) || !can_read(index) || value != 0)
        surprise(index, "does not stay zero");
}

static void sweep(void)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0, 0x1200 },
        { 0x40000000, 0x40000200 },
        { 0x4b564d00, 0x4b564d10 },
        { 0xc0000000, 0xc0000400 },
        { 0xc0010000, 0xc0010400 },
        { 0xc0011000, 0xc0011100 },
        { 0xffffff00, 0xfffffffe },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++)
        for (uint32_t index = ranges[i].first; index <= ranges[i].last; index++)
            look_at(index);
    check_equal("msrs that are not as the policy says", surprises, 0);
}

/* ---- what they accept ---- */

static void keeps(const char *name, uint32_t index, uint64_t to)
{
    const uint64_t before = rdmsr(index);

    check(can_write(index, to), name);
    check_equal(name, rdmsr(index), to);
    wrmsr(index, before);
}

static void refuses(const char *name, uint32_t index, uint64_t to)
{
    const uint64_t before = rdmsr(index);

    check(!can_write(index, to), name);
    check_equal(name, rdmsr(index), before);
}

static void values(void)
{
    keeps("pat", MSR_PAT, 0x0001040506070100);
    refuses("pat of type 2", MSR_PAT, 2);
    refuses("pat of type 8", MSR_PAT, 0x0800000000000000);
    keeps("mtrr base", 0x200, 0xc0000006);
    refuses("mtrr base of type 3", 0x200, 3);
    keeps("mtrr mask", 0x201, 0xc0000800);
    refuses("mtrr mask beyond the addresses", 0x201, ~0UL);
    keeps("fixed mtrr", 0x268, 0x0605040100010406);
    refuses("fixed mtrr of type 7", 0x268, 7);
    keeps("mtrr default", 0x2ff, 0xc06);
    refuses("mtrr default's reserved bits", 0x2ff, 0x1000);
    refuses("mtrrcap", MSR_MTRRCAP, 0);
    keeps("star", MSR_STAR, 0x1234567887654321);
    keeps("lstar", MSR_LSTAR, 0xffffffff81000000);
    if (is_strict)
        refuses("lstar that is not canonical", MSR_LSTAR, NOT_CANONICAL);
    keeps("cstar", MSR_CSTAR, 0x123456);
    keeps("sfmask", MSR_SFMASK, 0x47700);
    keeps("fs base", MSR_FS_BASE, 0x7fffffff0000);
    if (is_strict)
        refuses("fs base that is not canonical", MSR_FS_BASE, NOT_CANONICAL);
    keeps("gs base", MSR_GS_BASE, 0xffff800000000000);
    keeps("kernel gs base", MSR_KERNEL_GS_BASE, 0xffff888000000000);
    if (is_strict)
        refuses("kernel gs base that is not canonical", MSR_KERNEL_GS_BASE, NOT_CANONICAL);
    keeps("sysenter cs", MSR_SYSENTER_CS, 0x10);
    keeps("sysenter esp", MSR_SYSENTER_CS + 1, 0xffff888000001000);
    keeps("sysenter eip", MSR_SYSENTER_CS + 2, 0xffffffff81001000);
    refuses("efer without lme", MSR_EFER, rdmsr(MSR_EFER) & ~0x100UL);
    refuses("reserved efer", MSR_EFER, rdmsr(MSR_EFER) | 1UL << 63);
    refuses("apic base's reserved bits", MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 1);
    refuses("apic base beyond the addresses", MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 1UL << 60);
    refuses("x2apic without apic", MSR_APIC_BASE, (rdmsr(MSR_APIC_BASE) & ~0x800UL) | 0x400);
    check(!can_read(0x802), "x2apic register in xapic mode");
}

static void clock(void)
{
    const uint64_t adjust = rdmsr(MSR_TSC_ADJUST);
    const uint64_t far = 1UL << 50;

    wrmsr(MSR_TSC, far);
    check(rdtsc() - far < 1UL << 40, "tsc is written");
    check(rdmsr(MSR_TSC_ADJUST) != adjust, "tsc_adjust follows");
    wrmsr(MSR_TSC_ADJUST, adjust);
    check(rdtsc() < far, "and back");
    check(rdmsr(MSR_TSC) - rdtsc() > 1UL << 63, "rdmsr and rdtsc are one clock");
    if (cpuid(0x80000001, 0).edx >> 27 & 1) {
        uint32_t aux;

        wrmsr(MSR_TSC_AUX, 0x12345678);
        asm volatile("rdtscp" : "=c"(aux)::"eax", "edx");
        check_equal("rdtscp's ecx is tsc_aux", aux, 0x12345678);
        wrmsr(MSR_TSC_AUX, 0);
    }
}

/* ---- from ring 3 and back ---- */

extern const uint8_t ring3_syscall[], ring3_sysenter[], ring3_landing[], ring3_rdmsr[];
asm(".text\n"
    "ring3_syscall: syscall\n ud2\n"
    "ring3_sysenter: sysenter\n ud2\n"
    "ring3_rdmsr: rdmsr\n ud2\n"
    "ring3_landing: ud2\n");

static void to_ring3(uint64_t rip)
{
    asm volatile(
        "pushq $0x2b\n\tpushq %%rsp\n\tpushq $2\n\tpushq $0x33\n\tpushq %0\n\tiretq" ::"r"(rip)
        : "memory", "rcx", "r11");
}

static void system_calls(void)
{
    const bool intel = cpuid(0, 0).ecx == 0x6c65746e; /* "ntel" */

    wrmsr(MSR_STAR, 0x0023000800000000);
    wrmsr(MSR_LSTAR, (uint64_t)ring3_landing);
    wrmsr(MSR_SFMASK, 0);
    check_equal("syscall", attempt(to_ring3, (uint64_t)ring3_syscall), VECTOR_UD);
    check_equal("leads to lstar", fault.rip, (uint64_t)ring3_landing);
    check_equal("in ring 0", fault.cs, SELECTOR_CODE64);
    check_equal("rcx leads back", fault.rcx, (uint64_t)ring3_syscall + 2);
    wrmsr(MSR_SYSENTER_CS, SELECTOR_CODE64);
    wrmsr(MSR_SYSENTER_CS + 2, (uint64_t)ring3_landing);
    check_equal("sysenter", attempt(to_ring3, (uint64_t)ring3_sysenter), VECTOR_UD);
    check_equal("leads to sysenter_eip, on intel's", fault.rip,
                (uint64_t)(intel ? ring3_landing : ring3_sysenter));
    check_equal("rdmsr in ring 3", attempt(to_ring3, (uint64_t)ring3_rdmsr), VECTOR_GP);
}

/* ---- debug registers ---- */

#define DR7_RESET 0x400UL
#define DR7_WRITE_4 (DR7_RESET | 0x2 | 0xd0000) /* DR0: writes of 4 bytes */
#define DR7_EXECUTE (DR7_RESET | 0x2)
#define DR7_GD (1UL << 13)
#define DR6_BD (1UL << 13)
#define CR4_DE 8UL

static volatile uint32_t watched;
static uint64_t met;

static void note_dr6(void)
{
    met = read_dr6();
    asm volatile("mov %0, %%dr6" ::"r"(0xffff0ff0UL));
    write_dr7(DR7_RESET);
}

static void write_dr0(uint64_t to)
{
    asm volatile("mov %0, %%dr0" ::"r"(to));
}

static uint64_t read_dr0(void)
{
    uint64_t got;

    asm volatile("mov %%dr0, %0" : "=r"(got));
    return got;
}

static void touch(uint64_t unused)
{
    (void)unused;
    watched = 1;
    asm volatile("nop");
}

static void identify(uint64_t unused)
{
    (void)unused;
    asm volatile("ring0_cpuid: cpuid" ::"a"(0), "c"(0) : "ebx", "edx");
}

static void guarded(uint64_t unused)
{
    (void)unused;
    read_dr0();
}

static void read_dr4(uint64_t unused)
{
    (void)unused;
    asm volatile("mov %%dr4, %%rax" ::: "rax");
}

static void set_dr7(uint64_t to)
{
    write_dr7(to);
}

static void debug_registers(void)
{
    extern const uint8_t ring0_cpuid[];

    check_equal("dr6 at first", read_dr6(), 0xffff0ff0);
    check_equal("dr7 at first", read_dr7(), DR7_RESET);
    on_fault = note_dr6;
    write_dr0((uint64_t)&watched);
    write_dr7(DR7_WRITE_4);
    check_equal("a watched write", attempt(touch, 0), VECTOR_DB);
    check_equal("is told", met & 15, 1);
    write_dr0((uint64_t)ring0_cpuid);
    write_dr7(DR7_EXECUTE);
    check_equal("a breakpoint on what exits", attempt(identify, 0), VECTOR_DB);
    check_equal("comes before it", fault.rip, (uint64_t)ring0_cpuid);
    check_equal("is told too", met & 15, 1);
    if (is_strict) {
        write_dr7(DR7_RESET | DR7_GD);
        check_equal("guarded registers", attempt(guarded, 0), VECTOR_DB);
        check_equal("are told", met & DR6_BD, DR6_BD);
    }
    on_fault = NULL;
    check_equal("dr7's upper half", attempt(set_dr7, 1UL << 32), VECTOR_GP);
    check_equal("dr4 is dr6", attempt(read_dr4, 0), NO_FAULT);
    write_cr4(read_cr4() | CR4_DE);
    check_equal("dr4 is nothing", attempt(read_dr4, 0), VECTOR_UD);
    write_cr4(read_cr4() & ~CR4_DE);
}

/* ---- one's own, while others run ---- */

static void set_xmm(uint64_t to)
{
    asm volatile("movq %0, %%xmm5\n\tmovq %0, %%mm3" ::"r"(to));
}

static uint64_t get_xmm(void)
{
    uint64_t low, mmx;

    asm volatile("movq %%xmm5, %0\n\tmovq %%mm3, %1" : "=r"(low), "=r"(mmx));
    return low == mmx ? low : 0;
}

/* Writes them where `seed` is not 0; how many are not as it says. */
static unsigned marks(uint64_t seed, bool write)
{
    static const uint32_t msrs[] = { MSR_STAR,           MSR_LSTAR,
                                     MSR_CSTAR,          MSR_FS_BASE,
                                     MSR_KERNEL_GS_BASE, MSR_SYSENTER_CS + 1,
                                     MSR_TSC_AUX,        0x200 };
    unsigned wrong = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
        const uint64_t to = (seed << 20 | i << 16) & ~0xfffUL;

        if (write)
            wrmsr(msrs[i], msrs[i] == MSR_TSC_AUX ? seed : to);
        wrong += rdmsr(msrs[i]) != (msrs[i] == MSR_TSC_AUX ? seed : to);
    }
    if (write) {
        wrmsr(MSR_PAT, seed % 2 ? 0x0001040506070100 : 0x0606060606060606);
        write_dr0(seed * 4096);
        set_xmm(seed * 0x0101010101);
    }
    wrong += rdmsr(MSR_PAT) != (seed % 2 ? 0x0001040506070100 : 0x0606060606060606);
    wrong += read_dr0() != seed * 4096;
    wrong += get_xmm() != seed * 0x0101010101;
    return wrong;
}

static void own(uint64_t seed, uint64_t rounds)
{
    unsigned wrong = marks(seed, true);

    for (uint64_t i = 0; i < rounds; i++) {
        asm volatile("pause");
        wrong += marks(seed, false);
    }
    check_equal("marks that others changed", wrong, 0);
}

void guest_main(void)
{
    const uint64_t seed = option("seed", 0);

    if (seed != 0) {
        own(seed, option("rounds", 1000));
        return;
    }
    is_strict = !can_write(MSR_LSTAR, NOT_CANONICAL);
    debug_registers();
    values();
    clock();
    system_calls();
    own(7, 10);
    if (cpuid(0x40000000, 0).ebx == SOCLE)
        sweep();
}
