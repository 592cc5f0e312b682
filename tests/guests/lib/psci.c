/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI, SMCCC and the other CPUs; see guest.h. */
#include "tests/guests/lib/guest.h"

#define STACK_BYTES 8192

struct cpu_start {
    uint64_t stack_top;
    void (*run)(uint64_t argument);
    uint64_t argument;
};

void secondary_start(void);

#define CALL(name, instruction)                                                                    \
    int64_t name(uint64_t function, uint64_t a, uint64_t b, uint64_t c)                            \
    {                                                                                              \
        register uint64_t x0 asm("x0") = function;                                                 \
        register uint64_t x1 asm("x1") = a;                                                        \
        register uint64_t x2 asm("x2") = b;                                                        \
        register uint64_t x3 asm("x3") = c;                                                        \
                                                                                                   \
        asm volatile(instruction                                                                   \
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "x8", "x9", \
                       "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");          \
        return (int64_t)x0;                                                                        \
    }
CALL(hvc, "hvc #0")
CALL(smc, "smc #0")

void power_off(void)
{
    hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;)
        wfi();
}

uint64_t cpu_mpidr(unsigned cpu)
{
    return cpu; /* up to 16 CPUs differ in affinity 0 only, up to 8 on GICv2 */
}

unsigned cpu_self(void)
{
    return (unsigned)(sysreg_read(mpidr_el1) & 0xff);
}

unsigned cpu_count(void)
{
    unsigned count = 1;

    while (count < MAX_CPUS && hvc(PSCI_AFFINITY_INFO, cpu_mpidr(count), 0, 0) >= 0)
        count++;
    return count;
}

int64_t cpu_on(unsigned cpu, void (*run)(uint64_t argument), uint64_t argument)
{
    static uint8_t stacks[MAX_CPUS][STACK_BYTES] __attribute__((aligned(16)));
    static struct cpu_start starts[MAX_CPUS];

    starts[cpu] = (struct cpu_start){ (uint64_t)(stacks[cpu] + STACK_BYTES), run, argument };
    dsb();
    return hvc(PSCI_CPU_ON, cpu_mpidr(cpu), (uint64_t)secondary_start, (uint64_t)&starts[cpu]);
}

void cpu_off(void)
{
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    for (;;)
        wfi();
}
