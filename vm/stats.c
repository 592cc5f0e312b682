/* SPDX-License-Identifier: BSD-2-Clause */
/* See stats.h. Which exits there are depends on the architecture and on what a guest does: a
 * column in which nobody has anything is left out. */
#include "vm/stats.h"

#include "arch/bits.h"
#include "kernel/lib/format.h"
#include "kernel/log.h"
#include "vm/vm.h"

enum column { RUN_MS, STEAL_MS, EXITS, MMIO, FAULTS, INJECTED, REASONS };
#define COLUMNS (REASONS + VM_EXIT_REASONS)
#define CELL_MAX 21 /* a blank and the longest number */

static const char *const names[COLUMNS] = {
    [RUN_MS] = "run ms",
    [STEAL_MS] = "steal ms",
    [EXITS] = "exits",
    [MMIO] = "mmio", /* of the memory exits: a device's */
    [FAULTS] = "faults",
    [INJECTED] = "injected",
    [REASONS + VM_EXIT_IRQ] = "irq",
    [REASONS + VM_EXIT_MEMORY] = "memory",
    [REASONS + VM_EXIT_IPI] = "ipi",
    [REASONS + VM_EXIT_HYPERCALL] = "hypercall",
    [REASONS + VM_EXIT_PIO] = "port",
    [REASONS + VM_EXIT_MSR] = "msr",
    [REASONS + VM_EXIT_WINDOW] = "window",
    [REASONS + VM_EXIT_RESET] = "reset",
    [REASONS + VM_EXIT_HALT] = "halt",
    [REASONS + VM_EXIT_YIELD] = "yield",
    [REASONS + VM_EXIT_FATAL] = "fatal",
};

static unsigned long milliseconds(uint64_t ticks)
{
    return (unsigned long)(ticks_to_ns(ticks) / 1000000);
}

static void fill(const struct vcpu *vcpu, unsigned long row[COLUMNS])
{
    const struct vcpu_stats *stats = &vcpu->stats;

    row[RUN_MS] = milliseconds(vcpu->sched.run_ticks);
    row[STEAL_MS] = milliseconds(vcpu->sched.steal_ticks);
    row[EXITS] = 0;
    row[MMIO] = (unsigned long)(stats->exits[VM_EXIT_MEMORY] - stats->page_faults);
    row[FAULTS] = (unsigned long)stats->page_faults;
    row[INJECTED] = (unsigned long)stats->injected;
    for (unsigned i = 0; i < VM_EXIT_REASONS; i++) {
        row[REASONS + i] = (unsigned long)stats->exits[i];
        row[EXITS] += row[REASONS + i];
    }
}

/* A bit for each column that is worth its room. */
static uint32_t columns_of(const struct vm *vm)
{
    uint32_t columns = BIT(RUN_MS) | BIT(STEAL_MS) | BIT(EXITS);
    unsigned long row[COLUMNS];

    for (unsigned cpu = 0; cpu < vm->config.cpus; cpu++) {
        fill(&vm->vcpus[cpu], row);
        for (unsigned i = 0; i < COLUMNS; i++)
            if (row[i] != 0)
                columns |= (uint32_t)BIT(i);
    }
    return columns;
}

/* The table's head where `row` is NULL. */
static void log_row(const struct vm *vm, const char *first, uint32_t columns,
                    const unsigned long *row)
{
    char line[COLUMNS * CELL_MAX + 1];
    size_t length = 0;

    for (unsigned i = 0; i < COLUMNS; i++) {
        if (!(columns & BIT(i)))
            continue;
        if (row == NULL)
            length += format_string(line + length, sizeof(line) - length, " %9s", names[i]);
        else
            length += format_string(line + length, sizeof(line) - length, " %9lu", row[i]);
    }
    log_info("%s: %4s%s", vm->config.name, first, line);
}

void vm_log_stats(const struct vm *vm)
{
    const uint32_t columns = columns_of(vm);
    unsigned long row[COLUMNS];
    char number[8];

    log_row(vm, "vcpu", columns, NULL);
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        fill(&vm->vcpus[i], row);
        format_string(number, sizeof(number), "%u", i);
        if (row[EXITS] != 0)
            log_row(vm, number, columns, row);
    }
}
