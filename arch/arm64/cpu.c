/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs, the counter and the hypervisor's timer (CNTHP).
 */
#include <arch/cpu.h>

#include "arch/arm64/arm64.h"
#include "arch/bits.h"
#include "arch/image.h"
#include "arch/irq.h"
#include "arch/mem.h"
#include "arch/smp.h"
#include "arch/timer.h"

#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON_64 0xc4000003
#define PSCI_SUCCESS 0

#define MPIDR_AFFINITY (GENMASK(39, 32) | GENMASK(23, 0))

#define CNTHP_ENABLE BIT(0)

uint64_t arm64_smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;

    __asm__ volatile("smc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                       "x16", "x17", "memory");
    return x0;
}

status_t arch_cpu_start(uint64_t hwid, void *percpu, void *stack_top, void (*main)(void))
{
    static struct cpu_start start; /* one CPU is started at a time */

    start = (struct cpu_start){
        .root = sysreg_read(ttbr0_el2),
        .percpu = (uintptr_t)percpu,
        .stack_top = (uintptr_t)stack_top,
        .main = (uintptr_t)main,
    };
    arch_clean_for_guest(&start, sizeof(start));
    return arm64_smc(PSCI_CPU_ON_64, hwid, arm64_image_to_phys(secondary_entry),
                     arm64_image_to_phys(&start)) == PSCI_SUCCESS
               ? OK
               : ERR_UNSUPPORTED;
}

uint64_t arch_cpu_hwid(void)
{
    return sysreg_read(mpidr_el1) & MPIDR_AFFINITY;
}

void arch_cpu_stop(void)
{
    arm64_smc(PSCI_CPU_OFF, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

void arch_wait_for_interrupt(void)
{
    dsb(sy);
    __asm__ volatile("wfi" : : : "memory");
}

uint64_t arch_counter(void)
{
    isb();
    return sysreg_read(cntpct_el0);
}

uint64_t arch_counter_hz(void)
{
    return sysreg_read(cntfrq_el0);
}

void arch_timer_set(uint64_t deadline)
{
    if (deadline == TIMER_NEVER) {
        sysreg_write(cnthp_ctl_el2, 0);
    } else {
        sysreg_write(cnthp_cval_el2, deadline);
        sysreg_write(cnthp_ctl_el2, CNTHP_ENABLE);
    }
    isb();
}
