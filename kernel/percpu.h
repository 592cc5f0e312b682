/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each physical CPU has. this_cpu() is a register; cpu_of(n) is for the others.
 */
#pragma once

#include <arch/cpu.h>

#include "kernel/sched.h"
#include "kernel/timer.h"

#define MAX_CPUS 64

struct cpu {
    unsigned id;     /* 0 is the boot CPU */
    bool online;     /* cpu_of(id) is this; its loop is running or about to */
    uint8_t arrival; /* smp.c's */
    uint64_t hwid;
    struct sched_cpu sched;
    struct timer_cpu timers;
};

static inline struct cpu *this_cpu(void)
{
    return arch_this_cpu();
}

struct cpu *cpu_of(unsigned id); /* NULL past the last one that is online */
unsigned cpu_count(void);        /* that are online: ids 0 … cpu_count() - 1 */

/*
 * For smp.c. A CPU not yet online, with the id that it will have; NULL: MAX_CPUS are in use.
 * One that never comes online keeps its structure, but not the id.
 */
struct cpu *cpu_new(uint64_t hwid);
void cpu_set_online(struct cpu *cpu);
