/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables that every CPU has: GDT, TSS, what GS.base points at; and the IDT, one for all.
 *
 *     NMI, #DF and #MC come on stacks of their own (TSS.IST), whatever state RSP is in.
 */
#include <arch/cpu.h>
#include <arch/start.h>
#include <arch/vectors.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/smp.h"
#include "arch/x86/x86.h"

#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

#define EXCEPTION_DEBUG 1
#define EXCEPTION_NMI 2
#define EXCEPTION_DOUBLE_FAULT 8
#define EXCEPTION_MACHINE_CHECK 18
#define EXCEPTIONS 32
#define ENTRY_STRIDE 16

#define DESCRIPTOR_CODE 0x00af9b000000ffff /* 64-bit, DPL 0, accessed */
#define DESCRIPTOR_DATA 0x00cf93000000ffff
#define TSS_BUSY_PRESENT FIELD_PREP(GENMASK(47, 40), 0x89)

#define GATE_INTERRUPT FIELD_PREP(GENMASK(47, 40), 0x8e) /* present, DPL 0, masks interrupts */

struct gate {
    uint64_t low, high;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct x86_cpu x86_cpus[X86_MAX_CPUS];
static struct gate idt[256] SEALED __attribute__((aligned(16)));

/* libfdt comes compiled with stack protection: its guard is at FS:0x28 (the psABI's TCB). */
static const uint64_t fs_area[6] = { [5] = 0x000aff0d5a6e94c3ULL };

static struct gate make_gate(const char *entry, unsigned ist)
{
    const uint64_t to = (uintptr_t)entry;

    return (struct gate){
        .low = FIELD_GET(GENMASK(15, 0), to) | FIELD_PREP(GENMASK(31, 16), SELECTOR_CODE) |
               FIELD_PREP(GENMASK(34, 32), ist) | GATE_INTERRUPT |
               FIELD_PREP(GENMASK(63, 48), FIELD_GET(GENMASK(31, 16), to)),
        .high = FIELD_GET(GENMASK(63, 32), to),
    };
}

static void make_idt(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(idt); i++)
        idt[i] = make_gate(ignored_interrupt, 0);
    for (unsigned i = 0; i < EXCEPTIONS; i++)
        idt[i] = make_gate(exception_entries + i * ENTRY_STRIDE, 0);
    for (unsigned i = VECTOR_FIRST; i < VECTOR_SPURIOUS; i++)
        idt[i] = make_gate(interrupt_entries + (i - VECTOR_FIRST) * ENTRY_STRIDE, 0);
    idt[EXCEPTION_DEBUG] = make_gate(debug_exception, 0);
    idt[EXCEPTION_NMI] =
        make_gate(exception_entries + EXCEPTION_NMI * ENTRY_STRIDE, EMERGENCY_NMI + 1);
    idt[EXCEPTION_DOUBLE_FAULT] = make_gate(
        exception_entries + EXCEPTION_DOUBLE_FAULT * ENTRY_STRIDE, EMERGENCY_DOUBLE_FAULT + 1);
    idt[EXCEPTION_MACHINE_CHECK] = make_gate(
        exception_entries + EXCEPTION_MACHINE_CHECK * ENTRY_STRIDE, EMERGENCY_MACHINE_CHECK + 1);
}

static void load_tables(const struct x86_cpu *cpu)
{
    const struct table_pointer gdtr = { sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt };
    const struct table_pointer idtr = { sizeof(idt) - 1, (uintptr_t)idt };

    __asm__ volatile("lgdt %0\n\t"
                     "lidt %1\n\t"
                     "pushq %q2\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1: movl %3, %%ds\n\t"
                     "movl %3, %%es\n\t"
                     "movl %3, %%ss\n\t"
                     "movl %4, %%fs\n\t"
                     "movl %4, %%gs\n\t"
                     "ltr %w5"
                     :
                     : "m"(gdtr), "m"(idtr), "r"((uint64_t)SELECTOR_CODE), "r"(SELECTOR_DATA),
                       "r"(0), "r"(SELECTOR_TSS)
                     : "rax", "memory");
}

void x86_tables_init(uint32_t index)
{
    struct x86_cpu *const cpu = &x86_cpus[index];
    const uint64_t tss = (uintptr_t)&cpu->tss;

    if (index == 0)
        make_idt();
    cpu->self = cpu;
    cpu->index = index;
    cpu->apic_id = (uint32_t)arch_cpu_hwid();
    cpu->tss.io_map = sizeof(cpu->tss);
    cpu->gdt[SELECTOR_CODE / 8] = DESCRIPTOR_CODE;
    cpu->gdt[SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
    cpu->gdt[SELECTOR_TSS / 8] = TSS_BUSY_PRESENT | (sizeof(cpu->tss) - 1) |
                                 FIELD_PREP(GENMASK(39, 16), FIELD_GET(GENMASK(23, 0), tss)) |
                                 FIELD_PREP(GENMASK(63, 56), FIELD_GET(GENMASK(31, 24), tss));
    cpu->gdt[SELECTOR_TSS / 8 + 1] = FIELD_GET(GENMASK(63, 32), tss);
    /* Until they have their own: better than what RSP may be in a double fault. */
    for (unsigned i = 0; i < EMERGENCIES; i++)
        cpu->tss.ist[i] = (uintptr_t)__boot_stack_bottom + PAGE_SIZE;
    load_tables(cpu);
    wrmsr(MSR_FS_BASE, (uintptr_t)fs_area);
    wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
}

void x86_set_emergency_stack(enum x86_emergency which, void *top)
{
    x86_cpu_self()->tss.ist[which] = (uintptr_t)top;
}

struct x86_host_tables x86_host_tables(void)
{
    const struct x86_cpu *const cpu = x86_cpu_self();

    return (struct x86_host_tables){
        .gdt = (uintptr_t)cpu->gdt,
        .idt = (uintptr_t)idt,
        .tss = (uintptr_t)&cpu->tss,
        .gs_base = (uintptr_t)cpu,
        .fs_base = (uintptr_t)fs_area,
    };
}

void arch_set_this_cpu(void *percpu)
{
    x86_cpu_self()->percpu = percpu;
}
