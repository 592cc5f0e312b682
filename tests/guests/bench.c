/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations cost, in ticks of the virtual counter. On a machine that counts instructions
 * (QEMU's -icount shift=0, 62.5 MHz) a tick is 16 of them; each sum is over so many operations
 * at changing phases that the average is exact. GICv3.
 *
 *     bench: <what> <ticks> <operations>
 *
 * With a second CPU, only interrupts between the two. `memory=` is RAM in MiB; an odd number
 * leaves a last MiB that can only be mapped in pages.
 */
#include "tests/guests/lib/gic.h"

#define ROUNDS 4096
#define FEW_ROUNDS 256
#define TIMER_PPI 27
#define TICK 16
#define RAM_BASE 0x40000000UL
#define SIZE_4K 0x1000UL
#define SIZE_2M 0x200000UL

extern const uint8_t bench_vectors[];

static void report(const char *what, uint64_t ticks, uint64_t operations)
{
    print("bench: %s %lu %lu\n", what, ticks, operations);
}

/* So many instructions, so that rounds start at every phase of a tick. */
static void delay(unsigned rounds)
{
    for (unsigned n = rounds % 64; n > 0; n--)
        asm volatile("nop");
}

/* The cost of `statement`, repeated, without the loop's own. */
#define MEASURE(what, rounds, statement)                             \
    do {                                                             \
        uint64_t start_ = counter();                                 \
        for (unsigned i_ = 0; i_ < (rounds); i_++)                   \
            asm volatile("");                                        \
        uint64_t middle_ = counter();                                \
        for (unsigned i_ = 0; i_ < (rounds); i_++) {                 \
            asm volatile("");                                        \
            statement;                                               \
        }                                                            \
        uint64_t end_ = counter();                                   \
        report(what, (end_ - middle_) - (middle_ - start_), rounds); \
    } while (0)

static void loops(void)
{
    MEASURE("hypercall", ROUNDS,
            asm volatile("mov x0, #0x84000000\n\thvc #0" ::
                             : "x0", "x1", "x2", "x3", "memory"));
    MEASURE("hypercall_vm", ROUNDS,
            asm volatile("mov x0, #0x84000000\n\tadd x0, x0, #6\n\thvc #0" ::
                             : "x0", "x1", "x2", "x3", "memory"));
    MEASURE("gicd_read", ROUNDS, mmio_read32(GICD_BASE + GICD_TYPER));
    MEASURE("pl011_write", FEW_ROUNDS, mmio_write32(UART_BASE, '.'));
    print("\n");
}

static void self_sgi(void)
{
    uint64_t sum = 0;
    uint64_t sgi = 1UL << 24 | 1u << cpu_self();

    for (unsigned round = 0; round < ROUNDS; round++) {
        register uint64_t at asm("x0");
        uint64_t start;

        delay(round);
        asm volatile("mov x3, #0\n\t"
                     "mrs %1, cntvct_el0\n\t"
                     "msr s3_0_c12_c11_5, %2\n\t"
                     "isb\n"
                     "1: cbz x3, 1b"
                     : "=r"(at), "=&r"(start)
                     : "r"(sgi)
                     : "x1", "x2", "x3", "x4", "cc", "memory");
        sum += at - start;
    }
    report("self_sgi", sum, ROUNDS);
}

/*
 * The timer expires at a tick's very beginning, so the phase is always the same: what is left
 * of the vector's tick is counted by reading on.
 */
#define TIMER_TO_VECTOR(name, waiting)                          \
    static void name(void)                                      \
    {                                                           \
        uint64_t instructions = 0;                              \
                                                                \
        for (unsigned round = 0; round < FEW_ROUNDS; round++) { \
            register uint64_t next asm("x1");                   \
            register uint64_t reads asm("x2");                  \
            uint64_t due = counter() + 1000 + round;            \
                                                                \
            asm volatile("mov x3, #0\n\t"                       \
                         "msr cntv_cval_el0, %2\n\t"            \
                         "msr cntv_ctl_el0, %3\n\t"             \
                         "isb\n"                                \
                         "1: " waiting "cbz x3, 1b"             \
                         : "=r"(next), "=r"(reads)              \
                         : "r"(due), "r"(1UL)                   \
                         : "x0", "x3", "x4", "cc", "memory");   \
            instructions += (next - due) * TICK - 4 * reads;    \
        }                                                       \
        report(#name, instructions, FEW_ROUNDS *TICK);          \
    }
TIMER_TO_VECTOR(timer_to_vector, "")
TIMER_TO_VECTOR(wfi_wake_up, "wfi\n\t")

/* First touches, each of another block or page. */
static void first_touch(const char *what, uint64_t from, uint64_t to, uint64_t step)
{
    uint64_t sum = 0;
    uint64_t count = 0;

    for (uint64_t at = from; at < to; at += step, count++) {
        delay((unsigned)count);
        uint64_t start = counter();

        mmio_write32(at, 1);
        sum += counter() - start;
    }
    report(what, sum, count);
}

static void faults(void)
{
    uint64_t end = RAM_BASE + option("memory", 65) * 0x100000;
    uint64_t last_block = end & ~(SIZE_2M - 1);

    first_touch("fault_2m", RAM_BASE + 16 * SIZE_2M, last_block, SIZE_2M);
    first_touch("fault_4k", last_block, end - 64 * SIZE_4K, SIZE_4K);
}

/* ---- two CPUs ---- */

/* IRQs are taken nowhere else, so none comes before x3 is cleared for it. */
#define WAIT_MASKED "1: wfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2\n\tcbz x3, 1b"

static volatile uint64_t other_at;

static void wait_and_note(uint64_t unused)
{
    (void)unused;
    gic_init_cpu();
    sysreg_write(vbar_el1, bench_vectors);
    for (;;) {
        register uint64_t at asm("x0");

        asm volatile("mov x3, #0\n" WAIT_MASKED : "=r"(at)::"x1", "x2", "x3", "x4", "cc", "memory");
        other_at = at;
        gic_sgi(0, 2);
    }
}

static void between_cpus(void)
{
    uint64_t sum = 0;

    cpu_on(1, wait_and_note, 0);
    for (unsigned round = 0; round < FEW_ROUNDS; round++) {
        uint64_t start;

        delay(round);
        asm volatile("mov x3, #0\n\t"
                     "mrs %0, cntvct_el0\n\t"
                     "msr s3_0_c12_c11_5, %1\n\t"
                     "isb\n" WAIT_MASKED
                     : "=&r"(start)
                     : "r"(1UL << 24 | 2)
                     : "x0", "x1", "x2", "x3", "x4", "cc", "memory");
        sum += other_at - start;
    }
    report("ipi", sum, FEW_ROUNDS);
}

void guest_main(void)
{
    report("first_instruction", start_ticks, 1);
    gic_init();
    gic_set_priority(TIMER_PPI, 0xa0);
    gic_enable(TIMER_PPI);
    sysreg_write(vbar_el1, bench_vectors);
    if (cpu_count() > 1) {
        between_cpus();
        return;
    }
    irq_unmask();
    loops();
    self_sgi();
    timer_to_vector();
    wfi_wake_up();
    faults();
}
