/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC, its timer and the PIT: interrupts to oneself and to the other CPUs by every
 * delivery mode, priorities, and each clock's rate against the TSC.
 */
#include "tests/guests/x86/lib/taken.h"

#define VECTOR 0x51
#define HIGH_VECTOR 0x91
#define TIMER_VECTOR 0x61

enum delivery { FIXED = 0x4000, LOWEST = 0x4100, NMI = 0x4400, INIT = 0x4500, LOGICAL = 0x800 };
enum shorthand { SELF = 0x40000, ALL = 0x80000, OTHERS = 0xc0000 };

#define TIMER_PERIODIC 0x20000u
#define TIMER_DEADLINE 0x40000u
#define LVT_MASKED 0x10000u
#define MSR_TSC_DEADLINE 0x6e0

static void forget(void)
{
    for (unsigned i = 0; i < MAX_CPUS; i++)
        taken[i] = 0;
}

static void to_oneself(void)
{
    forget();
    lapic_ipi(0, SELF | FIXED | VECTOR);
    settle();
    check_equal("self ipi", taken[0], 1);
    lapic_ipi(cpu_self(), FIXED | VECTOR);
    settle();
    check_equal("ipi to one's own id", taken[0], 2);
    forget();
    lapic_ipi(0, SELF | FIXED | VECTOR);
    lapic_ipi(0, SELF | FIXED | VECTOR);
    settle();
    check_equal("a pending vector is pending once", taken[0], 1);
}

static void priorities(void)
{
    forget();
    lapic_write(LAPIC_TPR, 0x50);
    lapic_ipi(0, SELF | FIXED | VECTOR);
    settle();
    check_equal("masked by tpr", taken[0], 0);
    check((lapic_read(LAPIC_IRR + VECTOR / 32 * 0x10) >> VECTOR % 32 & 1) != 0, "stays in irr");
    lapic_ipi(0, SELF | FIXED | HIGH_VECTOR);
    settle();
    check_equal("a higher class comes", taken[0], 1);
    check_equal("it was that", last_vector, HIGH_VECTOR);
    asm volatile("mov %0, %%cr8" ::"r"(0UL));
    settle();
    check_equal("after cr8", taken[0], 2);
    check_equal("the other", last_vector, VECTOR);
    check_equal("cr8 is tpr", lapic_read(LAPIC_TPR), 0);
}

/* ---- other CPUs ---- */

static volatile unsigned online;
static volatile unsigned nmis;

static void wait_for_interrupts(uint64_t unused)
{
    (void)unused;
    lapic_write(LAPIC_DFR, 0xffffffff);
    lapic_write(LAPIC_LDR, 1u << (24 + cpu_self()));
    __atomic_fetch_add(&online, 1, __ATOMIC_SEQ_CST);
    for (;;)
        sti_hlt_cli();
}

static void until(volatile unsigned *what, unsigned value)
{
    for (unsigned i = 0; i < 2000000 && __atomic_load_n(what, __ATOMIC_RELAXED) != value; i++)
        asm volatile("pause");
}

static void expect_total(const char *name, unsigned want)
{
    sti();
    for (unsigned i = 0; i < 100000 && total() < want; i++)
        in8(0x80);
    settle();
    check_equal(name, total(), want);
    forget();
}

static void between(unsigned cpus)
{
    lapic_write(LAPIC_DFR, 0xffffffff);
    lapic_write(LAPIC_LDR, 1u << 24);
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_on(cpu, wait_for_interrupts, 0);
    until(&online, cpus - 1);
    check_equal("cpus started", online, cpus - 1);
    forget();
    lapic_ipi(1, FIXED | VECTOR);
    expect_total("ipi by id", 1);
    lapic_ipi(0, OTHERS | FIXED | VECTOR);
    expect_total("to all others", cpus - 1);
    lapic_ipi(0, ALL | FIXED | VECTOR);
    expect_total("to all", cpus);
    lapic_ipi(0xff, FIXED | VECTOR);
    expect_total("to id 255", cpus);
    lapic_ipi(3, LOGICAL | FIXED | VECTOR);
    expect_total("to a logical set of two", 2);
    lapic_ipi((1u << cpus) - 1, LOGICAL | LOWEST | VECTOR);
    expect_total("lowest priority: to one", 1);
    lapic_ipi(1, NMI);
    expect_total("nmi", 1);
    check_equal("it was an nmi", last_vector, VECTOR_NMI);
    lapic_ipi(0x40, FIXED | VECTOR);
    expect_total("to nobody", 0);
    online = 0;
    cpu_on(1, wait_for_interrupts, 0); /* INIT while it runs */
    until(&online, 1);
    check_equal("started again", online, 1);
}

/* ---- clocks ---- */

#define PIT_HZ 1193182UL
#define PM_HZ 3579545UL

/* The PIT's channel 2, gated by port 0x61, counts down once. */
static uint64_t tsc_per_pit(uint64_t ticks)
{
    out8(0x61, (uint8_t)((in8(0x61) & ~2u) | 1));
    out8(0x43, 0xb0);
    out8(0x42, (uint8_t)ticks);
    out8(0x42, (uint8_t)(ticks >> 8));
    uint64_t start = rdtsc();

    while (!(in8(0x61) & 0x20))
        continue;
    return rdtsc() - start;
}

static uint64_t tsc_per_pm(uint64_t ticks)
{
    uint32_t first = in32(0x608);
    uint64_t start = rdtsc();

    while (((in32(0x608) - first) & 0xffffff) < ticks)
        continue;
    return rdtsc() - start;
}

static void near(const char *name, uint64_t got, uint64_t want)
{
    uint64_t off = got > want ? got - want : want - got;

    if (off * 50 <= want)
        check(true, name);
    else
        check_equal(name, got, want);
}

static void clocks(void)
{
    uint64_t per_second = tsc_per_pit(59659) * 20; /* 50 ms */

    print("apic: tsc %lu Hz\n", per_second);
    near("pm timer", tsc_per_pm(PM_HZ / 20) * 20, per_second);

    lapic_write(LAPIC_TIMER_DIVIDE, 0xb); /* by 1 */
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_TIMER_INITIAL, ~0u);
    tsc_per_pit(59659);
    uint64_t hz = (~0u - lapic_read(LAPIC_TIMER_CURRENT)) * 20UL;

    print("apic: timer %lu Hz\n", hz);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    forget();
    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR);
    uint64_t start = rdtsc();

    lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)(hz / 100));
    sti_hlt_cli();
    near("one shot", (rdtsc() - start) * 100, per_second);
    settle();
    check_equal("comes once", taken[0], 1);

    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR | TIMER_PERIODIC);
    lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)(hz / 1000));
    start = rdtsc();
    for (unsigned i = 0; i < 20; i++)
        sti_hlt_cli();
    near("periodic", (rdtsc() - start) * 50, per_second);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    if (cpuid(1, 0).ecx >> 24 & 1) {
        lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR | TIMER_DEADLINE);
        start = rdtsc();
        wrmsr(MSR_TSC_DEADLINE, start + per_second / 100);
        sti_hlt_cli();

        const uint64_t slept = rdtsc() - start; /* before anything is printed: that takes time */

        check(slept >= per_second / 100, "deadline is not early");
        near("deadline", slept * 100, per_second);
        check_equal("deadline is spent", rdmsr(MSR_TSC_DEADLINE), 0);
    }
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
}

static void x2apic(void)
{
    if (!(cpuid(1, 0).ecx >> 21 & 1))
        return;
    lapic_use_x2apic();
    check_equal("x2apic id", cpu_self(), 0);
    to_oneself();
    priorities();
}

void guest_main(void)
{
    unsigned cpus = cpu_count();

    on_interrupt = note;
    lapic_write(LAPIC_TPR, 0);
    to_oneself();
    priorities();
    if (cpus > 1) {
        between(cpus);
        return;
    }
    clocks();
    x2apic();
}
