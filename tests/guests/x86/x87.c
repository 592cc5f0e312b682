/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU but the boot CPU loads x87 environments without an end, while the boot CPU exits. An
 * emulator that has such a load write another CPU's state (arch/x86/svm/svm.c) soon fails.
 */
#include "tests/guests/x86/lib/guest.h"

#define EXITS 20000

static volatile bool done;
static volatile unsigned loading;

static void load(uint64_t unused)
{
    uint32_t environment[7];

    (void)unused;
    asm volatile("fninit\n\tfnstenv %0" : "=m"(environment));
    __atomic_fetch_add(&loading, 1, __ATOMIC_SEQ_CST);
    while (!done)
        asm volatile("fldenv %0" ::"m"(environment));
}

void guest_main(void)
{
    const unsigned cpus = cpu_count();
    unsigned exits = 0;

    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_on(cpu, load, 0);
    while (loading != cpus - 1)
        asm volatile("pause");
    while (exits < EXITS && cpuid(0x40000000, 0).ebx != 0)
        exits++;
    done = true;
    check_equal("exits", exits, EXITS);
}
