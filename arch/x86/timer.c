/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter is the TSC. The timer is the local APIC's: by TSC deadline where the CPU has
 * that, else counting down from what is left.
 *
 * Where the CPU does not tell its frequencies they are measured against the ACPI PM timer or
 * the PIT. Both tick slowly, so only the moments when they tick are compared, and for as
 * long as it takes that not knowing these moments better than a turn of the loop no longer
 * matters: a hundred microseconds where reading a port is fast, ten milliseconds where it is slow.
 */
#include "arch/timer.h"

#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/start.h>
#include <arch/vectors.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/x86/lapic_regs.h"

#define MSR_TSC_DEADLINE 0x6e0

#define CPUID_ECX_TSC_DEADLINE BIT(24)
#define CPUID_TSC 0x15
#define CPUID_HYPERVISOR_FREQUENCIES 0x40000010

#define LVT_MASKED BIT(16)
#define LVT_DEADLINE BIT(18)
#define DIVIDE_BY_1 0xb

#define PM_TIMER_HZ 3579545u
#define PIT_HZ 1193182u

#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define GATE_CHANNEL2 BIT(0)
#define GATE_SPEAKER BIT(1)
#define COMMAND_CHANNEL2_MODE2 0xb4
#define COMMAND_LATCH_CHANNEL2 0x80

#define MEASURE_PRECISION 2048 /* one part in so many */

/* A clock of known frequency that is slow to read. */
struct reference {
    uint32_t (*read)(void); /* counts up */
    uint32_t mask;          /* its width */
    uint32_t hz;
};

/* The three clocks at one moment. */
struct moment {
    uint32_t reference;
    uint32_t lapic; /* counts down */
    uint64_t tsc;
    uint64_t turn; /* TSC ticks that the moment may be off */
};

static uint64_t tsc_hz SEALED;
static uint64_t lapic_per_tsc SEALED; /* 32 bits of fraction */
static bool by_deadline SEALED;
static uint16_t pm_timer_port SEALED;

static uint32_t read_pm_timer(void)
{
    return port_read32(pm_timer_port);
}

/* It counts down. */
static uint32_t read_pit(void)
{
    port_write8(PIT_COMMAND, COMMAND_LATCH_CHANNEL2);

    const uint32_t low = port_read8(PIT_CHANNEL2);

    return 0 - (low | (uint32_t)port_read8(PIT_CHANNEL2) << 8);
}

static void start_pit(void)
{
    const uint8_t gate = port_read8(PIT_GATE);

    port_write8(PIT_GATE, (uint8_t)((gate & ~GATE_SPEAKER) | GATE_CHANNEL2));
    port_write8(PIT_COMMAND, COMMAND_CHANNEL2_MODE2);
    port_write8(PIT_CHANNEL2, 0); /* 65536 */
    port_write8(PIT_CHANNEL2, 0);
}

/* Waits until the reference ticks. */
static struct moment next_tick(const struct reference *clock)
{
    const uint32_t first = clock->read() & clock->mask;
    struct moment now = { .tsc = rdtsc() };
    uint64_t before;

    do {
        before = now.tsc;
        now.reference = clock->read() & clock->mask;
        now.tsc = rdtsc();
    } while (now.reference == first);
    now.lapic = lapic_read(LAPIC_TIMER_CURRENT);
    now.turn = now.tsc - before;
    return now;
}

static uint64_t rate(uint64_t ticks, uint64_t of_reference, const struct reference *clock)
{
    return ticks * clock->hz / of_reference;
}

/* Both frequencies against the reference; the LAPIC's timer is left counting, masked. */
static void measure(const struct reference *clock, uint64_t *tsc, uint64_t *lapic)
{
    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);

    const struct moment start = next_tick(clock);
    struct moment end;

    do
        end = next_tick(clock);
    while (end.tsc - start.tsc < (start.turn + end.turn) * MEASURE_PRECISION / 2);

    const uint64_t elapsed = (end.reference - start.reference) & clock->mask;

    *tsc = rate(end.tsc - start.tsc, elapsed, clock);
    *lapic = rate(start.lapic - end.lapic, elapsed, clock);
}

/* What the CPU or a hypervisor below says (SDM 3A 19.7.3); 0: nothing. */
static uint64_t announced_tsc_hz(void)
{
    if (cpuid(0, 0).eax >= CPUID_TSC) {
        const struct cpuid tsc = cpuid(CPUID_TSC, 0);

        if (tsc.eax != 0 && tsc.ebx != 0 && tsc.ecx != 0)
            return (uint64_t)tsc.ecx * tsc.ebx / tsc.eax;
    }
    if (cpuid_hypervisor().eax >= CPUID_HYPERVISOR_FREQUENCIES)
        return (uint64_t)cpuid(CPUID_HYPERVISOR_FREQUENCIES, 0).eax * 1000;
    return 0;
}

void x86_timer_calibrate(uint16_t pm_timer)
{
    static const struct reference pm = { read_pm_timer, 0xffffff, PM_TIMER_HZ };
    static const struct reference pit = { read_pit, 0xffff, PIT_HZ };
    uint64_t measured_tsc, lapic_hz;

    by_deadline = cpuid(1, 0).ecx & CPUID_ECX_TSC_DEADLINE;
    tsc_hz = announced_tsc_hz();
    if (tsc_hz != 0 && by_deadline)
        return;
    pm_timer_port = pm_timer;
    if (pm_timer == 0)
        start_pit();
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
    measure(pm_timer != 0 ? &pm : &pit, &measured_tsc, &lapic_hz);
    if (tsc_hz == 0)
        tsc_hz = measured_tsc;
    lapic_per_tsc = (lapic_hz << 32) / measured_tsc;
}

void x86_timer_cpu_init(void)
{
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (by_deadline ? (uint32_t)LVT_DEADLINE : 0));
    /* A write to memory (xAPIC) is not ordered before one to an MSR, the deadline. */
    __asm__ volatile("mfence" : : : "memory");
}

uint64_t arch_counter(void)
{
    return rdtsc();
}

uint64_t arch_counter_hz(void)
{
    return tsc_hz;
}

/* Ticks of the LAPIC's timer until then; too few (it is asked again) rather than none. */
static uint32_t lapic_ticks(uint64_t deadline)
{
    const uint64_t now = rdtsc();
    const uint64_t left = deadline > now ? MIN(deadline - now, UINT32_MAX) : 0;
    const uint64_t ticks = (left * lapic_per_tsc >> 32) + 1;

    return (uint32_t)MIN(ticks, UINT32_MAX);
}

/* A count or deadline of 0 disarms. */
void arch_timer_set(uint64_t deadline)
{
    if (by_deadline)
        wrmsr(MSR_TSC_DEADLINE, deadline == TIMER_NEVER ? 0 : deadline);
    else
        lapic_write(LAPIC_TIMER_INITIAL, deadline == TIMER_NEVER ? 0 : lapic_ticks(deadline));
}
