/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does its worst, `acts=` times, from one seed (`seed=`): random MSRs, ports and
 * device memory in all widths, hypercalls, control registers, and random bytes executed in 64,
 * 32 and 16-bit code. It survives by going on after each fault with its state put right again;
 * the hypervisor and the other guests have to survive it. `memory=` is its memory in MiB.
 *
 * What would end it or silence it is left out: the ports that reset and power off, COM1's, and
 * those bytes after which it would not come back.
 */
#include "tests/guests/lib/random.h"
#include "tests/guests/x86/lib/guest.h"
#include "tests/guests/x86/lib/qemu.h"

#define CODE 0xc00000UL
#define CODE_BYTES 24
#define REP 0xf2 /* or 0xf3; first, where the count is still small: devices are slow */
#define SCRATCH 0xd00000UL
#define SCRATCH_BYTES 0x10000UL
#define EXCEPTION_STACK (SCRATCH + 0xf0000UL) /* also in the page that is writable */
#define CR0_WP 0x10000UL
#define CR0_KEPT 0x80000033UL /* without WP: what is read-only is so for the random bytes alone */
#define CR4_KEPT 0x620UL
#define CR4_ENDING 0x300000UL /* SMEP, SMAP: this guest's pages are all the user's */
#define MSR_EFER 0xc0000080
#define EFER_KEPT 0x501UL

static uint64_t ram_end;

void execute(uint64_t mode);

static uint64_t value(void)
{
    return random_value(0, ram_end);
}

/* ---- MSRs ---- */

static const struct {
    uint32_t first, count;
} msr_ranges[] = {
    { 0, 0x2000 },        { 0x10, 0x10 },      { 0x1a0, 0x40 },      { 0x200, 0x100 },
    { 0x400, 0x80 },      { 0x480, 0x20 },     { 0x800, 0x40 },      { 0x40000000, 0x100 },
    { 0xc0000080, 0x10 }, { 0xc0000100, 0x8 }, { 0xc0010000, 0x40 }, { 0xc0010100, 0x20 },
};

static uint32_t msr(void)
{
    unsigned range = (unsigned)below(ARRAY_SIZE(msr_ranges) + 1);

    if (range == ARRAY_SIZE(msr_ranges))
        return (uint32_t)rnd();
    return msr_ranges[range].first + (uint32_t)below(msr_ranges[range].count);
}

static void read_msr(uint64_t index)
{
    rdmsr((uint32_t)index);
}

static uint64_t msr_value;

static void write_msr(uint64_t index)
{
    wrmsr((uint32_t)index, msr_value);
}

/* Moving the APIC, or making it an x2APIC's, silences it. */
static void act_msr(void)
{
    uint32_t index = msr();

    msr_value = value();
    attempt(read_msr, index);
    if (index != 0x1b && index != 0x830)
        attempt(write_msr, index);
}

/* ---- ports ---- */

static bool is_mine(uint64_t port)
{
    return (port >= 0x3f0 && port < 0x400) || (port >= 0x5f0 && port < 0x610) ||
           (port >= 0xcf6 && port < 0xcfa) || port == 0x64 || port == 0x92 || port == 0xf4 ||
           (port >= 0x60 && port < 0x66) || (port >= 0x8f && port < 0x94) ||
           (port >= 0xe6 && port < 0xf6);
}

static void act_port(void)
{
    uint16_t port = (uint16_t)(below(2) != 0 ? below(0x1000) : rnd());
    uint64_t memory = SCRATCH + below(SCRATCH_BYTES - 4096), count = below(64);

    if (is_mine(port))
        return;
    switch (below(8)) {
    case 0: out8(port, (uint8_t)rnd()); break;
    case 1: out16(port, (uint16_t)rnd()); break;
    case 2: out32(port, (uint32_t)rnd()); break;
    case 3: in8(port); break;
    case 4: in16(port); break;
    case 5: in32(port); break;
    case 6: asm volatile("rep insw" : "+D"(memory), "+c"(count) : "d"(port) : "memory"); break;
    default: asm volatile("rep outsl" : "+S"(memory), "+c"(count) : "d"(port) : "memory"); break;
    }
}

/* ---- device memory ---- */

static const struct {
    uint64_t base, bytes;
} windows[] = {
    { 0xa0000, 0x20000 },      { 0xb0000000, 0x200000 }, { 0xc0000000, 0x10000000 },
    { 0xfec00000, 0x1000 },    { 0xfec00000, 0x100 },    { 0xfed00000, 0x1000 },
    { 0xff000000, 0x1000000 },
};

static void access(uint64_t at)
{
    uint64_t a = rnd();

    switch (below(10)) {
    case 0: asm volatile("movb %b0, (%1)" ::"q"(a), "r"(at) : "memory"); break;
    case 1: asm volatile("movw %w0, (%1)" ::"r"(a), "r"(at) : "memory"); break;
    case 2: asm volatile("movl %k0, (%1)" ::"r"(a), "r"(at) : "memory"); break;
    case 3: asm volatile("movq %0, (%1)" ::"r"(a), "r"(at) : "memory"); break;
    case 4: asm volatile("movb (%1), %b0" : "+q"(a) : "r"(at) : "memory"); break;
    case 5: asm volatile("movw (%1), %w0" : "+r"(a) : "r"(at) : "memory"); break;
    case 6: asm volatile("movl (%1), %k0" : "+r"(a) : "r"(at) : "memory"); break;
    case 7: asm volatile("movq (%1), %0" : "+r"(a) : "r"(at) : "memory"); break;
    case 8: asm volatile("lock xaddl %k0, (%1)" : "+r"(a) : "r"(at) : "memory", "cc"); break;
    default: asm volatile("fxsave (%0)" ::"r"(at & ~15UL) : "memory"); break;
    }
}

static void act_access(void)
{
    unsigned window = (unsigned)below(ARRAY_SIZE(windows) + 1);

    if (window == ARRAY_SIZE(windows))
        attempt(access, ram_end + below((1UL << 32) - ram_end - 0x1200000));
    else
        attempt(access, windows[window].base + below(windows[window].bytes));
}

/* ---- calls and control ---- */

static void call(uint64_t vendor)
{
    uint64_t a = value(), b = value(), c = value(), d = value();

    if (vendor == 0)
        asm volatile("vmcall" : "+a"(a), "+b"(b), "+c"(c), "+d"(d)::"memory", "cc");
    else
        asm volatile("vmmcall" : "+a"(a), "+b"(b), "+c"(c), "+d"(d)::"memory", "cc");
}

static void act_call(void)
{
    attempt(call, below(2));
}

static void act_cpuid(void)
{
    cpuid((uint32_t)value(), (uint32_t)value());
    cpuid(0x40000000 + (uint32_t)below(256), 0);
    cpuid(0x80000000 + (uint32_t)below(64), (uint32_t)below(8));
    cpuid((uint32_t)below(64), (uint32_t)below(64));
}

static void control(uint64_t which)
{
    uint64_t to = value();

    switch (which) {
    case 0: write_cr4((to & ~CR4_ENDING) | CR4_KEPT); break;
    case 1: write_dr7(to); break;
    case 2: asm volatile("mov %0, %%cr8" ::"r"(to)); break;
    case 3: asm volatile("xsetbv" ::"a"((uint32_t)to), "d"((uint32_t)(to >> 32)), "c"(0)); break;
    default: asm volatile("wbinvd"); break;
    }
}

static void forget_breakpoints(uint64_t unused)
{
    (void)unused;
    write_dr7(0x400);
}

/* As it was: what the acts, or the random bytes, have changed. */
static void repair(void)
{
    /* With DR7.GD on, the first is a #DB, whose delivery turns it off. */
    if (attempt(forget_breakpoints, 0) != NO_FAULT)
        attempt(forget_breakpoints, 0);
    if (read_cr0() != CR0_KEPT)
        write_cr0(CR0_KEPT);
    if (read_cr4() != CR4_KEPT)
        write_cr4(CR4_KEPT);
    if (rdmsr(MSR_EFER) != EFER_KEPT)
        wrmsr(MSR_EFER, EFER_KEPT);
    load_idt(sizeof(idt) - 1);
}

static void act_control(void)
{
    attempt(control, below(5));
    repair();
}

/* ---- random bytes ---- */

/* Bytes that lead away for good: prefixes and opcodes of jumps stay, these go. */
static bool is_barred(uint8_t byte)
{
    static const uint8_t barred[] = {
        0xf4, 0xfb,                         /* hlt, sti */
        0xe6, 0xe7, 0xee, 0xef,             /* out, which could reset */
        0x6e, 0x6f,                         /* outs */
        0xeb, 0xe9, 0xe8,                   /* jumps that could loop */
        0xe0, 0xe1, 0xe2, 0xe3, 0x9d, 0xcf, /* popf, iret: interrupts on */
        0xea, 0x9a, 0xca, 0xcb,             /* far */
        0xc2, 0xc3, 0xff,                   /* near, indirect */
        0x8e, 0x07, 0x17, 0x1f,             /* segments */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(barred); i++)
        if (byte == barred[i])
            return true;
    return byte >= 0x70 && byte < 0x80;
}

/* Behind 0x0f: what loads tables and control registers, and long conditional jumps. */
static bool is_barred_pair(uint8_t byte)
{
    return byte <= 0x01 || (byte >= 0x05 && byte <= 0x0b) || (byte >= 0x20 && byte <= 0x23) ||
           (byte >= 0x30 && byte <= 0x37) || (byte >= 0x80 && byte < 0x90) || byte == 0xa1 ||
           byte == 0xa9 || (byte >= 0xb2 && byte <= 0xb5);
}

/* Each of the 32 exceptions: WP off, then as always. */
asm(".text\n"
    ".balign 16\n"
    "unprotect:\n"
    ".set i, 0\n"
    ".rept 32\n"
    ".balign 32\n"
    "push %rax\n"
    "mov %cr0, %rax\n"
    "btr $16, %eax\n"
    "mov %rax, %cr0\n"
    "pop %rax\n"
    "jmp vectors + 16 * i\n"
    ".set i, i + 1\n"
    ".endr\n");

static void execute_protected(uint64_t mode)
{
    asm volatile("mov %0, %%cr0\n\tjmp execute" ::"r"(CR0_KEPT | CR0_WP), "D"(mode) : "memory");
}

static bool is_unwanted(const uint8_t *code, unsigned at)
{
    const uint8_t byte = code[at];

    return is_barred(byte) || ends_qemu(code, at) || (at > 0 && (byte & 0xfe) == REP) ||
           (at > 0 && code[at - 1] == 0x0f && is_barred_pair(byte));
}

static void act_bytes(void)
{
    uint8_t *code = (uint8_t *)CODE;

    for (unsigned i = 0; i < CODE_BYTES; i++) {
        code[i] = (uint8_t)(below(4) == 0 ? 0x0f : rnd());
        while (is_unwanted(code, i))
            code[i] = (uint8_t)rnd();
    }
    for (unsigned i = CODE_BYTES; i < CODE_BYTES + 16; i++)
        code[i] = 0xcc;
    attempt(execute_protected, below(3));
    repair();
}

static void (*const acts[])(void) = { act_msr,    act_port,  act_port,   act_access,
                                      act_access, act_call,  act_cpuid,  act_bytes,
                                      act_bytes,  act_bytes, act_control };

/* Only what the bytes may write is writable: the rest would be the end of this guest. */
static void protect(void)
{
    extern uint64_t page_directories[];
    extern const uint8_t unprotect[];

    write_cr0(CR0_KEPT);
    for (uint64_t i = 0; i < 2048; i++)
        if (i << 21 < 0xb0000000)
            page_directories[i] &= ~2UL;
    page_directories[SCRATCH >> 21] |= 2;
    page_directories[CODE >> 21] |= 2;
    for (unsigned i = 0; i < 32; i++) {
        const uint64_t at = (uint64_t)unprotect + 32 * i;

        idt[i].offset_low = (uint16_t)at;
        idt[i].offset_middle = (uint16_t)(at >> 16);
    }
    exception_stack(0, EXCEPTION_STACK);
    write_cr3(read_cr3());
}

/* What the acts wrote to the text page is printed when it has rested 20 ms: not within our lines.
 */
static void let_screen_rest(void)
{
    const uint64_t start = rdtsc();

    while (rdtsc() - start < 200000000) /* the host may count at 5 GHz */
        continue;
}

void guest_main(void)
{
    uint64_t count = option("acts", 100000);

    random_state = option("seed", 20240229);
    ram_end = option("memory", 64) * 0x100000;
    protect();
    for (uint64_t n = 1; n <= count; n++) {
        acts[below(ARRAY_SIZE(acts))]();
        if (n % REPORT_EVERY == 0) {
            uart_init();
            let_screen_rest();
            print("hostile: %lu of %lu\n", n, count);
        }
    }
    check(true, "hostile");
    print("hostile: done %lu\n", count);
}
