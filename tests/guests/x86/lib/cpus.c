/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC and the other CPUs; see guest.h. */
#include "tests/guests/x86/lib/guest.h"

#define TRAMPOLINE 0x8000UL
#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4600u
#define ICR_BUSY 0x1000u

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC (1u << 10)
#define X2APIC_MSR 0x800u

struct start {
    void (*run)(uint64_t argument);
    uint64_t argument;
};

extern const uint8_t trampoline[], trampoline_end[];

static volatile struct start starts[MAX_CPUS];

void cpu_start(unsigned cpu);
void cpu_tables(unsigned cpu);

static bool x2apic;

uint32_t lapic_read(enum lapic reg)
{
    return x2apic ? (uint32_t)rdmsr(X2APIC_MSR + (reg >> 4)) : mmio_read32(LAPIC_BASE + reg);
}

void lapic_write(enum lapic reg, uint32_t value)
{
    if (x2apic)
        wrmsr(X2APIC_MSR + (reg >> 4), value);
    else
        mmio_write32(LAPIC_BASE + reg, value);
}

void lapic_use_x2apic(void)
{
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
    x2apic = true;
}

void lapic_ipi(uint32_t destination, uint32_t command)
{
    if (x2apic) {
        wrmsr(X2APIC_MSR + (LAPIC_ICR >> 4), (uint64_t)destination << 32 | command);
        return;
    }
    lapic_write(LAPIC_ICR_HIGH, destination << 24);
    lapic_write(LAPIC_ICR, command);
    while (lapic_read(LAPIC_ICR) & ICR_BUSY)
        continue;
}

unsigned cpu_self(void)
{
    return lapic_read(LAPIC_ID) >> (x2apic ? 0 : 24);
}

unsigned cpu_count(void)
{
    return (unsigned)option("cpus", 1);
}

void cpu_start(unsigned cpu)
{
    struct start start = starts[cpu];

    cpu_tables(cpu);
    lapic_write(LAPIC_SVR, 0x100 | SPURIOUS_VECTOR);
    start.run(start.argument);
    for (;;)
        asm volatile("cli\n\thlt");
}

/* Rests a while, so that INIT and SIPI are apart as the manuals have it. */
static void rest(void)
{
    for (unsigned i = 0; i < 100; i++)
        in8(0x80);
}

void cpu_on(unsigned cpu, void (*run)(uint64_t argument), uint64_t argument)
{
    uint8_t *to = (uint8_t *)TRAMPOLINE;

    for (const uint8_t *from = trampoline; from < trampoline_end; from++)
        *to++ = *from;
    starts[cpu].run = run;
    starts[cpu].argument = argument;
    lapic_ipi(cpu, ICR_INIT);
    rest();
    lapic_ipi(cpu, ICR_STARTUP | TRAMPOLINE >> 12);
    rest();
    lapic_ipi(cpu, ICR_STARTUP | TRAMPOLINE >> 12); /* ignored where it runs already */
}
