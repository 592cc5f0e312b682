/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUs' structures, and the table of those that are online. */

#include "kernel/percpu.h"

static struct cpu cpus[MAX_CPUS];
static unsigned cpus_used;

static struct cpu *online[MAX_CPUS];
static unsigned online_count; /* written by the boot CPU only */

struct cpu *cpu_of(unsigned id)
{
    return id < cpu_count() ? online[id] : NULL;
}

unsigned cpu_count(void)
{
    return __atomic_load_n(&online_count, __ATOMIC_ACQUIRE);
}

struct cpu *cpu_new(uint64_t hwid)
{
    if (cpus_used == MAX_CPUS)
        return NULL;

    struct cpu *cpu = &cpus[cpus_used++];
    cpu->id = online_count;
    cpu->hwid = hwid;
    return cpu;
}

void cpu_set_online(struct cpu *cpu)
{
    online[cpu->id] = cpu;
    __atomic_store_n(&online_count, cpu->id + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
}
