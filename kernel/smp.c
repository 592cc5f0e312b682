/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing up the CPUs, one after the other. The boot CPU and the one that starts agree in
 * one atomic word, `arrival`, so that a CPU given up on cannot turn up later:
 *
 *     AWAITED --new CPU--> ARRIVED     its id is good, it runs `main`
 *             --boot CPU-> GIVEN_UP    (a second has passed) should it come, it stops itself
 */

#include "kernel/smp.h"

#include "arch/smp.h"
#include "kernel/hypspace.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"

#define START_TIMEOUT_NS 1000000000u

enum arrival { AWAITED, ARRIVED, GIVEN_UP };

static void (*secondary_main)(void);

void smp_init_boot_cpu(void)
{
    struct cpu *cpu = cpu_new(arch_cpu_hwid());

    assert(cpu && cpu->id == 0);
    arch_set_this_cpu(cpu);
    cpu_set_online(cpu);
}

static bool arrive(struct cpu *cpu, enum arrival how)
{
    uint8_t expected = AWAITED;

    return __atomic_compare_exchange_n(&cpu->arrival, &expected, (uint8_t)how, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void secondary_entry(void)
{
    struct cpu *cpu = this_cpu();

    if (!arrive(cpu, ARRIVED))
        arch_cpu_stop();
    while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
        cpu_relax();
    secondary_main();
}

static bool wait_for(struct cpu *cpu)
{
    uint64_t give_up_at = arch_counter() + ns_to_ticks(START_TIMEOUT_NS);

    while (__atomic_load_n(&cpu->arrival, __ATOMIC_ACQUIRE) == AWAITED) {
        if (arch_counter() >= give_up_at)
            return !arrive(cpu, GIVEN_UP);
        cpu_relax();
    }
    return true;
}

static void start(uint64_t hwid)
{
    struct cpu *cpu = cpu_new(hwid);
    void *stack_top = cpu ? hyp_alloc_stack() : NULL;

    if (!stack_top) {
        log_warn("CPU %#lx left out: no %s", (unsigned long)hwid, cpu ? "memory" : "slot");
        return;
    }
    if (arch_cpu_start(hwid, cpu, stack_top, secondary_entry) != OK)
        log_warn("CPU %#lx left out: the firmware refused to start it", (unsigned long)hwid);
    else if (!wait_for(cpu))
        log_warn("CPU %#lx left out: it did not come up", (unsigned long)hwid);
    else
        cpu_set_online(cpu);
}

void smp_start(const uint64_t *hwids, unsigned count, void (*main)(void))
{
    secondary_main = main;
    for (unsigned i = 0; i < count; i++) {
        if (hwids[i] != this_cpu()->hwid)
            start(hwids[i]);
    }
}

void smp_stop_others(void)
{
    if (irq_chip() == NULL)
        return;
    irq_stop_at_kick();
    for (unsigned id = 0; id < cpu_count(); id++)
        if (cpu_of(id) != this_cpu())
            irq_chip()->send_ipi(id);
}
