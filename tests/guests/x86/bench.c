/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations cost, in ticks of the TSC, on a machine where that counts instructions; how
 * many ticks an instruction is, is measured first. Each is repeated, and the sum reported:
 *
 *     bench: <what> <ticks> <operations>
 *
 * With `cpus=` above 1, only interrupts between two. `memory=` is RAM in MiB; an odd number
 * leaves a last MiB that can only be mapped in pages.
 */
#include "tests/guests/x86/lib/guest.h"

#define ROUNDS 1024
#define FEW_ROUNDS 64
#define VECTOR 0x51

#define COM1_SCRATCH 0x3ff
#define PIT_COUNTER2 0x42
#define CMOS_DATA 0x71
#define IOAPIC_BASE 0xfec00000UL

#define ICR_FIXED 0x4000u
#define ICR_SELF 0x40000u
#define LVT_MASKED 0x10000u
#define LVT_DEADLINE 0x40000u
#define DIVIDE_BY_1 0xb
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800u

#define CPUID1_ECX_X2APIC (1u << 21)
#define CPUID1_ECX_DEADLINE (1u << 24)
#define VENDOR_AMD_EBX 0x68747541u /* "Auth" */

#define SIZE_4K 0x1000UL
#define SIZE_2M 0x200000UL
#define SIZE_1M 0x100000UL

/* The only interrupt that is taken: R8 gets the TSC at its first instruction. */
extern const uint8_t bench_vector[];
asm(".text\n"
    "bench_vector:\n\t"
    "rdtsc\n\t"
    "shl $32, %rdx\n\t"
    "lea (%rdx, %rax), %r8\n\t"
    "iretq");

static void report(const char *what, uint64_t ticks, uint64_t operations)
{
    print("bench: %s %lu %lu\n", what, ticks, operations);
}

/* The cost of `statement`, repeated, without the loop's own. */
#define MEASURE(what, rounds, statement)                             \
    do {                                                             \
        uint64_t start_ = rdtsc();                                   \
        for (unsigned i_ = 0; i_ < (rounds); i_++)                   \
            asm volatile("");                                        \
        uint64_t middle_ = rdtsc();                                  \
        for (unsigned i_ = 0; i_ < (rounds); i_++) {                 \
            asm volatile("");                                        \
            statement;                                               \
        }                                                            \
        uint64_t end_ = rdtsc();                                     \
        report(what, (end_ - middle_) - (middle_ - start_), rounds); \
    } while (0)

static void calibrate(void)
{
    MEASURE("instruction", 100 * ROUNDS, asm volatile("nop"));
}

/* ---- loops ---- */

static void vmcall(uint64_t unused)
{
    (void)unused;
    asm volatile("vmcall" ::"a"(0) : "memory");
}

static void vmmcall(uint64_t unused)
{
    (void)unused;
    asm volatile("vmmcall" ::"a"(0) : "memory");
}

static void hypercalls(void)
{
    bool amd = cpuid(0, 0).ebx == VENDOR_AMD_EBX;

    if (attempt(amd ? vmmcall : vmcall, 0) != NO_FAULT)
        return; /* nobody is there */
    if (amd)
        MEASURE("hypercall", ROUNDS, vmmcall(0));
    else
        MEASURE("hypercall", ROUNDS, vmcall(0));
}

static void loops(void)
{
    MEASURE("cpuid", ROUNDS, cpuid(0, 0));
    MEASURE("cpuid_1", ROUNDS, cpuid(1, 0));
    hypercalls();
    MEASURE("port_read", ROUNDS, in8(COM1_SCRATCH));
    MEASURE("port_write", ROUNDS, out8(COM1_SCRATCH, 0));
    MEASURE("cmos_read", ROUNDS, in8(CMOS_DATA));
    MEASURE("pit_read", ROUNDS, in8(PIT_COUNTER2));
    MEASURE("lapic_read", ROUNDS, mmio_read32(LAPIC_BASE + LAPIC_TPR));
    MEASURE("lapic_write", ROUNDS, mmio_write32(LAPIC_BASE + LAPIC_TPR, 0));
    MEASURE("ioapic_read", ROUNDS, mmio_read32(IOAPIC_BASE));
    MEASURE("ioapic_write", ROUNDS, mmio_write32(IOAPIC_BASE, 0));
    MEASURE("ioapic_or", ROUNDS, asm volatile("orl $0, (%0)" ::"r"(IOAPIC_BASE) : "memory"));
}

/* Each of these loads is executed once. */
static void first_loads(void)
{
    uint64_t start = rdtsc();

    asm volatile(".rept 256\n\tmovl (%0), %%eax\n\t.endr" ::"r"(IOAPIC_BASE) : "rax", "memory");
    report("ioapic_first", rdtsc() - start, 256);
}

/* ---- interrupts ---- */

#define TAKEN "rax", "rdx", "r8", "cc", "memory"
#define UNTIL_TAKEN "1: test %%r8, %%r8\n\tjz 1b"
#define HALT_UNTIL_TAKEN "1: sti\n\thlt\n\tcli\n\ttest %%r8, %%r8\n\tjz 1b"

/* When the vector was reached after `start_it`, which is given %1 and %2. */
#define VECTOR_AFTER(at, start, start_it, wait, ...)                                  \
    asm volatile("xor %%r8d, %%r8d\n\t"                                               \
                 "rdtsc\n\t"                                                          \
                 "shl $32, %%rdx\n\t"                                                 \
                 "lea (%%rdx, %%rax), %1\n\t" start_it "\n\t" wait "\n\tmov %%r8, %0" \
                 : "=r"(at), "=&r"(start)                                             \
                 : __VA_ARGS__                                                        \
                 : TAKEN)

static void self_ipi(void)
{
    uint64_t sum = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t at, start;

        VECTOR_AFTER(at, start, "movl %3, (%2)", UNTIL_TAKEN, "r"(LAPIC_BASE + LAPIC_ICR),
                     "r"(ICR_FIXED | ICR_SELF | VECTOR));
        sum += at - start;
        lapic_write(LAPIC_EOI, 0);
    }
    report("self_ipi", sum, ROUNDS);
}

static void self_ipi_x2apic(void)
{
    uint64_t sum = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t at, start;

        VECTOR_AFTER(at, start, "mov %3, %%eax\n\txor %%edx, %%edx\n\twrmsr", UNTIL_TAKEN,
                     "c"(MSR_X2APIC + (LAPIC_ICR >> 4)), "r"(ICR_FIXED | ICR_SELF | VECTOR));
        sum += at - start;
        lapic_write(LAPIC_EOI, 0);
    }
    report("self_ipi_x2apic", sum, ROUNDS);
}

/* TSC ticks of 2^20 of the LAPIC's timer. */
static uint64_t timer_rate(void)
{
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, ~0u);

    uint64_t start = rdtsc();
    uint32_t first = lapic_read(LAPIC_TIMER_CURRENT);

    while (rdtsc() - start < 2000000)
        asm volatile("pause");

    uint64_t end = rdtsc();
    uint32_t last = lapic_read(LAPIC_TIMER_CURRENT);

    lapic_write(LAPIC_TIMER_INITIAL, 0);
    return ((end - start) << 20) / (first - last);
}

static void timer_one_shot(void)
{
    uint64_t rate = timer_rate();
    uint64_t sum = 0;

    lapic_write(LAPIC_LVT_TIMER, VECTOR);
    for (unsigned round = 0; round < FEW_ROUNDS; round++) {
        uint64_t ticks = (10000UL << 20) / rate + round;
        uint64_t at, start;

        VECTOR_AFTER(at, start, "movl %3, (%2)", UNTIL_TAKEN, "r"(LAPIC_BASE + LAPIC_TIMER_INITIAL),
                     "r"((uint32_t)ticks));
        sum += at - start - (ticks * rate >> 20);
        lapic_write(LAPIC_EOI, 0);
    }
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    report("timer_one_shot", sum, FEW_ROUNDS);
}

#define DEADLINE_TO_VECTOR(name, wait)                                          \
    static void name(void)                                                      \
    {                                                                           \
        uint64_t sum = 0;                                                       \
                                                                                \
        lapic_write(LAPIC_LVT_TIMER, LVT_DEADLINE | VECTOR);                    \
        for (unsigned round = 0; round < FEW_ROUNDS; round++) {                 \
            uint64_t due = rdtsc() + 10000 + round;                             \
            uint64_t at, start;                                                 \
                                                                                \
            VECTOR_AFTER(at, start,                                             \
                         "mov %3, %%rax\n\tmov %3, %%rdx\n\tshr $32, %%rdx\n\t" \
                         "wrmsr",                                               \
                         wait, "c"(MSR_TSC_DEADLINE), "r"(due));                \
            sum += at - due;                                                    \
            lapic_write(LAPIC_EOI, 0);                                          \
        }                                                                       \
        lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);                               \
        report(#name, sum, FEW_ROUNDS);                                         \
    }
DEADLINE_TO_VECTOR(timer_deadline, UNTIL_TAKEN)
DEADLINE_TO_VECTOR(hlt_wake_up, HALT_UNTIL_TAKEN)

static void timers(void)
{
    timer_one_shot();
    if (!(cpuid(1, 0).ecx & CPUID1_ECX_DEADLINE))
        return;
    timer_deadline();
    cli();
    hlt_wake_up();
    sti();
}

/* ---- memory ---- */

/* First touches, each of another block or page. */
static void first_touch(const char *what, uint64_t from, uint64_t to, uint64_t step)
{
    uint64_t sum = 0;
    uint64_t count = 0;

    for (uint64_t at = from; at < to; at += step, count++) {
        uint64_t start = rdtsc();

        mmio_write32(at, 1);
        sum += rdtsc() - start;
    }
    report(what, sum, count);
}

static void faults(void)
{
    uint64_t end = option("memory", 65) * SIZE_1M;
    uint64_t last_block = end & ~(SIZE_2M - 1);

    first_touch("fault_2m", 16 * SIZE_2M, last_block, SIZE_2M);
    first_touch("fault_4k", last_block, end - 64 * SIZE_4K, SIZE_4K);
}

/* ---- two CPUs ---- */

static volatile bool online;
static volatile uint64_t other_at;

static void wait_and_note(uint64_t unused)
{
    (void)unused;
    online = true;
    for (;;) {
        uint64_t at;

        asm volatile("xor %%r8d, %%r8d\n" HALT_UNTIL_TAKEN "\n\tmov %%r8, %0" : "=r"(at)::TAKEN);
        other_at = at;
        lapic_write(LAPIC_EOI, 0);
        lapic_ipi(0, ICR_FIXED | VECTOR);
    }
}

static void between_cpus(void)
{
    uint64_t sum = 0;

    cpu_on(1, wait_and_note, 0);
    while (!online)
        asm volatile("pause");
    lapic_write(LAPIC_ICR_HIGH, 1u << 24);
    for (unsigned round = 0; round < FEW_ROUNDS; round++) {
        uint64_t at, start;

        VECTOR_AFTER(at, start, "movl %3, (%2)", HALT_UNTIL_TAKEN, "r"(LAPIC_BASE + LAPIC_ICR),
                     "r"(ICR_FIXED | VECTOR));
        sum += other_at - start;
        lapic_write(LAPIC_EOI, 0);
    }
    report("ipi", sum, FEW_ROUNDS);
}

static void x2apic(void)
{
    if (!(cpuid(1, 0).ecx & CPUID1_ECX_X2APIC))
        return;
    lapic_use_x2apic();
    MEASURE("x2apic_read", ROUNDS, rdmsr(MSR_X2APIC + (LAPIC_TPR >> 4)));
    MEASURE("x2apic_write", ROUNDS, wrmsr(MSR_X2APIC + (LAPIC_TPR >> 4), 0));
    self_ipi_x2apic();
}

static void take_vector(void)
{
    uint64_t at = (uint64_t)bench_vector;

    idt[VECTOR].offset_low = (uint16_t)at;
    idt[VECTOR].offset_middle = (uint16_t)(at >> 16);
}

void guest_main(void)
{
    report("first_instruction", start_ticks, 1);
    calibrate();
    take_vector();
    if (cpu_count() > 1) {
        between_cpus();
        return;
    }
    sti();
    loops();
    first_loads();
    self_ipi();
    timers();
    x2apic();
    cli();
    faults();
}
