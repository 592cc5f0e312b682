/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/stats.h"

#include "kernel/log.h"
#include "vm/vm.h"

static unsigned long milliseconds(uint64_t ticks)
{
    return (unsigned long)(ticks_to_ns(ticks) / 1000000);
}

static uint64_t total(const struct vcpu_stats *stats)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < VM_EXIT_REASONS; i++)
        sum += stats->exits[i];
    return sum;
}

static void log_vcpu(const struct vm *vm, const struct vcpu *vcpu)
{
    const struct vcpu_stats *stats = &vcpu->stats;
    const uint64_t *exits = stats->exits;

    log_info("%s: %4u %9lu %9lu %10lu %9lu %9lu %9lu %8lu %9lu %8lu %8lu %8lu %9lu",
             vm->config.name, vcpu->id, milliseconds(vcpu->sched.run_ticks),
             milliseconds(vcpu->sched.steal_ticks), (unsigned long)total(stats),
             (unsigned long)exits[VM_EXIT_IRQ], (unsigned long)exits[VM_EXIT_MEMORY],
             (unsigned long)(exits[VM_EXIT_MEMORY] - stats->page_faults),
             (unsigned long)stats->page_faults, (unsigned long)exits[VM_EXIT_HYPERCALL],
             (unsigned long)exits[VM_EXIT_IPI], (unsigned long)exits[VM_EXIT_HALT],
             (unsigned long)exits[VM_EXIT_YIELD], (unsigned long)stats->injected);
}

void vm_log_stats(const struct vm *vm)
{
    log_info("%s: vcpu    run ms  steal ms      exits       irq    memory      mmio   faults"
             " hypercall      ipi     halt    yield  injected",
             vm->config.name);
    for (unsigned i = 0; i < vm->config.cpus; i++)
        if (total(&vm->vcpus[i].stats) != 0)
            log_vcpu(vm, &vm->vcpus[i]);
}
