/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting, naming and stopping CPUs. */
#include <arch/cpu.h>
#include <arch/lapic.h>

#include "arch/bits.h"
#include "arch/smp.h"
#include "arch/timer.h"
#include "arch/x86/x86.h"

#define CPUID_TOPOLOGY 0xb

uint8_t x86_start_page;
struct x86_cpu_start x86_cpu_start;

static void wait_us(uint64_t us)
{
    const uint64_t until = arch_counter() + arch_counter_hz() / 1000000 * us;

    while (arch_counter() < until)
        cpu_relax();
}

/* SDM 3A 8.4.4.1. The second start-up message is for CPUs that missed the first. */
status_t arch_cpu_start(uint64_t hwid, void *percpu, void *stack_top, void (*main)(void))
{
    static uint32_t started; /* the boot CPU's structure is number 0 */

    if (x86_start_page == 0 || started + 1 == X86_MAX_CPUS)
        return ERR_UNSUPPORTED;
    x86_cpu_start = (struct x86_cpu_start){
        .root = read_cr3(),
        .stack_top = (uintptr_t)stack_top,
        .main = (uintptr_t)main,
        .index = ++started,
        .percpu = (uintptr_t)percpu,
        .hwid = hwid,
    };
    lapic_send_init((uint32_t)hwid);
    wait_us(10);
    lapic_send_startup((uint32_t)hwid, x86_start_page);
    wait_us(10);
    lapic_send_startup((uint32_t)hwid, x86_start_page);
    return OK;
}

_Noreturn void x86_secondary(void)
{
    void (*const main)(void) = (void (*)(void))x86_cpu_start.main;

    if (arch_cpu_hwid() != x86_cpu_start.hwid) /* given up on; this is another CPU's turn */
        arch_cpu_stop();
    x86_tables_init((uint32_t)x86_cpu_start.index);
    x86_features_init();
    arch_set_this_cpu((void *)x86_cpu_start.percpu);
    main();
    __builtin_unreachable();
}

/* The APIC's id, without the APIC: right even before it is set up. */
uint64_t arch_cpu_hwid(void)
{
    if (cpuid(0, 0).eax >= CPUID_TOPOLOGY) {
        const struct cpuid topology = cpuid(CPUID_TOPOLOGY, 0);

        if (topology.ebx != 0)
            return topology.edx;
    }
    return FIELD_GET(GENMASK(31, 24), cpuid(1, 0).ebx);
}

void arch_cpu_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
