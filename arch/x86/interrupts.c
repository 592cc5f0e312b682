/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts at the CPU: those of the host that were let in and recorded (<arch/lapic.h>), and
 * the hypervisor's own exceptions, which end it.
 */
#include <arch/cpu.h>
#include <arch/lapic.h>
#include <arch/vectors.h>

#include "arch/bits.h"
#include "arch/boot.h"
#include "arch/irq.h"
#include "arch/x86/x86.h"

_Noreturn void x86_own_exception(uint64_t vector, uint64_t error, uint64_t pc, uint64_t address);

static const char *const exception_names[32] = {
    [0] = "divide error",
    [1] = "debug exception",
    [2] = "NMI",
    [3] = "breakpoint",
    [6] = "invalid opcode",
    [7] = "device not available",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "x87 error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD error",
    [21] = "control protection exception",
    [29] = "VMM communication exception",
    [30] = "security exception",
};

void x86_own_exception(uint64_t vector, uint64_t error, uint64_t pc, uint64_t address)
{
    const char *const name = exception_names[vector];

    socle_exception(name ? name : "exception", vector << 32 | error, pc, address);
}

void x86_irq_record(uint8_t vector)
{
    if (vector >= VECTOR_FIRST && vector < VECTOR_SPURIOUS)
        x86_cpu_self()->arrived |= BIT(vector - VECTOR_FIRST);
}

/* The handlers change the word behind the compiler's back. */
static uint64_t arrived(void)
{
    /* cppcheck-suppress nullPointer ; an address in GS */
    return x86_cpu_word(arrived);
}

/* One instruction after STI, what is pending is taken. */
static void let_in(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

uint32_t x86_irq_take(void)
{
    if (arrived() == 0)
        let_in();

    const uint64_t all = arrived();

    if (all == 0)
        return 0;
    /* The highest first: it is the one whose service an end of interrupt ends. */
    const unsigned highest = 63 - (unsigned)__builtin_clzll(all);

    x86_cpu_self()->arrived &= ~BIT(highest);
    return VECTOR_FIRST + highest;
}

void arch_wait_for_interrupt(void)
{
    if (arrived() == 0)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
}
