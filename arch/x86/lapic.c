/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: registers in memory (xAPIC) or in MSRs (x2APIC), see <arch/lapic.h>. */
#include <arch/lapic.h>

#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/vectors.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/x86/lapic_regs.h"
#include "arch/x86/x86.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_X2 BIT(10)

#define CPUID_EDX_APIC BIT(9)
#define CPUID_ECX_X2APIC BIT(21)

#define MSR_X2APIC 0x800

#define SVR_ENABLE BIT(8)
#define LVT_MASKED BIT(16)

#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_ASSERT BIT(14)
#define ICR_PENDING BIT(12) /* xAPIC only */

static volatile uint8_t *xapic SEALED;
static bool x2 SEALED;

uint32_t lapic_read(enum lapic_register reg)
{
    return x2 ? (uint32_t)rdmsr(MSR_X2APIC + reg) : io_read32(xapic + 16 * reg);
}

void lapic_write(enum lapic_register reg, uint32_t value)
{
    if (x2)
        wrmsr(MSR_X2APIC + reg, value);
    else
        io_write32(xapic + 16 * reg, value);
}

bool lapic_init(volatile void *registers)
{
    xapic = registers;
    x2 = cpuid(1, 0).ecx & CPUID_ECX_X2APIC;
    return (cpuid(1, 0).edx & CPUID_EDX_APIC) && (x2 || xapic != NULL);
}

bool lapic_is_x2(void)
{
    return x2;
}

void lapic_cpu_init(void)
{
    static const enum lapic_register lvts[] = { LAPIC_LVT_TIMER, LAPIC_LVT_LINT0, LAPIC_LVT_LINT1,
                                                LAPIC_LVT_ERROR };
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    /* In two steps: straight from disabled to x2APIC is not allowed (SDM 3A 11.12.5). */
    wrmsr(MSR_APIC_BASE, base);
    if (x2)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
    for (unsigned i = 0; i < ARRAY_SIZE(lvts); i++)
        lapic_write(lvts[i], LVT_MASKED);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    lapic_eoi(); /* whatever the firmware left in service */
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

/* The interrupt command; a write to an MSR waits for no earlier store, so a fence does. */
static void command(uint32_t id, uint32_t what)
{
    if (x2) {
        __asm__ volatile("mfence; lfence" : : : "memory");
        wrmsr(MSR_X2APIC + LAPIC_ICR, (uint64_t)id << 32 | what);
        return;
    }
    io_write32(xapic + 16 * LAPIC_ICR_HIGH, id << 24);
    io_write32(xapic + 16 * LAPIC_ICR, what);
    while (io_read32(xapic + 16 * LAPIC_ICR) & ICR_PENDING)
        cpu_relax();
}

void lapic_send(uint32_t id, uint8_t vector)
{
    command(id, (uint32_t)ICR_ASSERT | vector);
}

void lapic_send_init(uint32_t id)
{
    command(id, (uint32_t)ICR_ASSERT | ICR_INIT);
}

void lapic_send_startup(uint32_t id, uint8_t page)
{
    command(id, (uint32_t)ICR_ASSERT | ICR_STARTUP | page);
}
