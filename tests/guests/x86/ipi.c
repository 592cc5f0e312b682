/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt commands at their edges: flat and cluster addressing, lowest priority, vectors that
 * do not exist and what the error status says of them, deliveries that nobody takes, start-up of
 * who runs already; the same by x2APIC.
 */
#include "tests/guests/x86/lib/taken.h"

#define SOCLE 0x6c636f53u /* "Socl" */
#define VECTOR 0x51
#define ERROR_VECTOR 0x71

enum delivery {
    FIXED = 0x4000,
    LOWEST = 0x4100,
    SMI = 0x4200,
    RESERVED = 0x4300,
    NMI = 0x4400,
    STARTUP = 0x4600,
    EXTINT = 0x4700,
    LOGICAL = 0x800,
};
enum shorthand { SELF = 0x40000, ALL = 0x80000, OTHERS = 0xc0000 };

#define INIT_DEASSERT 0x8500u /* level, deassert */
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_SELF_IPI 0x3f0
#define ESR_SEND_ILLEGAL (1u << 5)
#define ESR_RECEIVE_ILLEGAL (1u << 6)
#define ESR_REGISTER (1u << 7)
#define MSR_APIC_BASE 0x1b
#define MSR_X2APIC_ICR 0x830
#define MSR_X2APIC_LDR 0x80d

static volatile unsigned ready, wanted_ldr[MAX_CPUS], wanted_dfr;
static volatile bool in_x2apic;

/*
 * Waits for so many interrupts, and whether more come. Bit n: CPU n has taken one; bits 16 and
 * up: how many in all.
 */
static unsigned who(unsigned awaited)
{
    unsigned mask = 0, sum = 0;

    sti();
    for (unsigned i = 0; i < 2000000 && total() < awaited; i++)
        asm volatile("pause");
    settle();
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        mask |= (taken[i] != 0 ? 1u : 0u) << i;
        sum += taken[i];
        taken[i] = 0;
    }
    return sum << 16 | mask;
}

#define TAKEN(sum, mask) ((sum) << 16 | (mask))

static void wait(uint64_t unused)
{
    const unsigned self = cpu_self();

    (void)unused;
    lapic_write(LAPIC_DFR, wanted_dfr);
    lapic_write(LAPIC_LDR, wanted_ldr[self]);
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        sti_hlt_cli();
}

/* All CPUs with these logical addresses. */
static void start(unsigned cpus, uint32_t dfr, const uint32_t *ldr)
{
    ready = 0;
    wanted_dfr = dfr;
    for (unsigned i = 0; i < cpus; i++)
        wanted_ldr[i] = ldr[i];
    for (unsigned i = 1; i < cpus; i++)
        cpu_on(i, wait, 0);
    for (unsigned i = 0; i < 2000000 && ready != cpus - 1; i++)
        asm volatile("pause");
    check_equal("cpus started", ready, cpus - 1);
    lapic_write(LAPIC_DFR, dfr);
    lapic_write(LAPIC_LDR, ldr[0]);
    who(0);
}

static void flat(unsigned cpus)
{
    static const uint32_t ldr[] = { 1 << 24, 2 << 24, 4 << 24, 0x84u << 24 };

    start(cpus, 0xffffffff, ldr);
    lapic_ipi(2, LOGICAL | FIXED | VECTOR);
    check_equal("flat: one", who(1), TAKEN(1, 2));
    lapic_ipi(3, LOGICAL | FIXED | VECTOR);
    check_equal("flat: two", who(2), TAKEN(2, 3));
    lapic_ipi(4, LOGICAL | FIXED | VECTOR);
    check_equal("flat: a bit that two have", who(2), TAKEN(2, 0xc));
    lapic_ipi(0x40, LOGICAL | FIXED | VECTOR);
    check_equal("flat: nobody's bit", who(0), 0);
    lapic_ipi(0xff, LOGICAL | FIXED | VECTOR);
    check_equal("flat: all", who(cpus), TAKEN(cpus, (1u << cpus) - 1));
    for (unsigned i = 0; i < 4; i++) {
        lapic_ipi(0x0e, LOGICAL | LOWEST | VECTOR);
        const unsigned got = who(1);

        check(got >> 16 == 1 && (got & 1) == 0, "lowest priority: one of the set");
    }
    lapic_ipi(0xff, NMI | LOGICAL);
    check_equal("nmi to a logical set, oneself too", who(cpus), TAKEN(cpus, (1u << cpus) - 1));
}

static void cluster(unsigned cpus)
{
    static const uint32_t ldr[] = { 0x11u << 24, 0x12u << 24, 0x21u << 24, 0x22u << 24 };

    start(cpus, 0x0fffffff, ldr);
    lapic_ipi(0x12, LOGICAL | FIXED | VECTOR);
    check_equal("cluster: one", who(1), TAKEN(1, 2));
    lapic_ipi(0x23, LOGICAL | FIXED | VECTOR);
    check_equal("cluster: two of the second", who(2), TAKEN(2, 0xc));
    lapic_ipi(0x31, LOGICAL | FIXED | VECTOR);
    check_equal("cluster: nobody's", who(0), 0);
    lapic_ipi(0xff, LOGICAL | FIXED | VECTOR);
    check_equal("cluster: all of all", who(cpus), TAKEN(cpus, (1u << cpus) - 1));
}

/* What nobody takes leaves no trace but a vector that does not exist. */
static void nonsense(void)
{
    lapic_write(LAPIC_LVT_ERROR, ERROR_VECTOR);
    lapic_write(LAPIC_ESR, 0);
    lapic_ipi(1, FIXED | 5);
    check(last_vector != 5 && (who(1) & 2) == 0, "a vector below 16 does not come");
    check_equal("and is the error interrupt", last_vector, ERROR_VECTOR);
    lapic_write(LAPIC_ESR, 0);
    check((lapic_read(LAPIC_ESR) & (ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL)) != 0,
          "of a vector that is illegal");
    lapic_write(LAPIC_ESR, 0);
    lapic_write(LAPIC_ESR, 0);
    check_equal("which is forgotten", lapic_read(LAPIC_ESR), 0);
    lapic_read(0x3c0);
    lapic_write(LAPIC_ESR, 0);
    check_equal("a register that is not there", lapic_read(LAPIC_ESR) & ESR_REGISTER, ESR_REGISTER);
    who(0);
    lapic_ipi(1, SMI);
    lapic_ipi(1, RESERVED | VECTOR);
    lapic_ipi(1, EXTINT | VECTOR);
    lapic_ipi(1, INIT_DEASSERT);
    lapic_ipi(1, STARTUP | 8); /* it runs already */
    check_equal("deliveries that nobody takes", who(0) & ~1u & 0xffff, 0);
    lapic_ipi(1, FIXED | VECTOR);
    check_equal("and all goes on", who(1), TAKEN(1, 2));
}

/* ---- x2APIC ---- */

static void wait_x2apic(uint64_t unused)
{
    (void)unused;
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0x400);
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        sti_hlt_cli();
}

static void write_icr(uint64_t value)
{
    wrmsr(MSR_X2APIC_ICR, value);
}

static void write_ldr(uint64_t value)
{
    wrmsr(MSR_X2APIC_LDR, value);
}

static void read_x2apic(uint64_t index)
{
    rdmsr((uint32_t)index);
}

static void x2apic(unsigned cpus)
{
    if (!(cpuid(1, 0).ecx >> 21 & 1))
        return;
    ready = 0;
    for (unsigned i = 1; i < cpus; i++)
        cpu_on(i, wait_x2apic, 0);
    for (unsigned i = 0; i < 2000000 && ready != cpus - 1; i++)
        asm volatile("pause");
    lapic_use_x2apic(); /* EOI and ids of all are MSRs from here on */
    check_equal("x2apic: ldr", lapic_read(LAPIC_LDR), 1);
    lapic_ipi(1, FIXED | VECTOR);
    check_equal("x2apic: by id", who(1), TAKEN(1, 2));
    lapic_ipi(0xe, LOGICAL | FIXED | VECTOR);
    check_equal("x2apic: logical, of cluster 0", who(cpus - 1),
                TAKEN(cpus - 1, ((1u << cpus) - 1) & ~1u));
    lapic_ipi(0x1000f, LOGICAL | FIXED | VECTOR);
    check_equal("x2apic: logical, of cluster 1", who(0), 0);
    lapic_ipi(0xffffffff, FIXED | VECTOR);
    check_equal("x2apic: all", who(cpus), TAKEN(cpus, (1u << cpus) - 1));
    lapic_ipi(0xff, FIXED | VECTOR);
    check_equal("x2apic: 255 is nobody", who(0), 0);
    lapic_write(LAPIC_SELF_IPI, VECTOR);
    check_equal("x2apic: self ipi", who(1), TAKEN(1, 1));
    check_equal("x2apic: reserved bits of icr", attempt(write_icr, 1UL << 20), VECTOR_GP);
    check_equal("x2apic: ldr is read-only", attempt(write_ldr, 1), VECTOR_GP);
    check_equal("x2apic: no dfr", attempt(read_x2apic, 0x80e), VECTOR_GP);
    check_equal("x2apic: no upper half of icr", attempt(read_x2apic, 0x831), VECTOR_GP);
    check_equal("x2apic: self ipi is write-only", attempt(read_x2apic, 0x83f), VECTOR_GP);
}

void guest_main(void)
{
    const unsigned cpus = cpu_count();

    on_interrupt = note;
    lapic_write(LAPIC_TPR, 0);
    flat(cpus);
    if (cpuid(0x40000000, 0).ebx == SOCLE) /* QEMU's APIC would deliver what is nonsense */
        nonsense();
    cluster(cpus);
    x2apic(cpus);
}
