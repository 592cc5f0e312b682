/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that never gives its CPUs up: every one of them loops without an exit, for ever. */
#include "tests/guests/x86/lib/guest.h"

static void spin(uint64_t unused)
{
    (void)unused;
    for (;;)
        asm volatile("");
}

void guest_main(void)
{
    unsigned cpus = cpu_count();

    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_on(cpu, spin, 0);
    print("spin: %u CPUs\n", cpus);
    spin(0);
}
