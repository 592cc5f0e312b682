/* SPDX-License-Identifier: BSD-2-Clause */
/* The EL1 timers on behalf of a guest (Arm ARM D11.2). EL2 has its own, CNTHP. */

#include <arch/vtimer.h>

#include <arch/cpu.h>

#include "arch/bits.h"

#define CNTHCTL_EL1PCTEN BIT(0) /* EL1 and EL0 may read the physical counter */
#define CNTHCTL_EL1PCEN BIT(1)  /* … and use the physical timer */

#define CTL_ISTATUS BIT(2)

static void timers_off(void)
{
    sysreg_write(cntv_ctl_el0, 0);
    sysreg_write(cntp_ctl_el0, 0);
    isb();
}

void arch_vtimer_cpu_init(void)
{
    sysreg_write(cnthctl_el2, CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN);
    timers_off();
}

void arch_vtimer_load(const struct vtimer_regs *regs, uint64_t offset)
{
    sysreg_write(cntvoff_el2, offset);
    sysreg_write(cntv_cval_el0, regs->cntv_cval);
    sysreg_write(cntp_cval_el0, regs->cntp_cval);
    isb(); /* no expiry by the deadline of the guest before */
    sysreg_write(cntv_ctl_el0, regs->cntv_ctl);
    sysreg_write(cntp_ctl_el0, regs->cntp_ctl);
}

void arch_vtimer_save(struct vtimer_regs *regs)
{
    regs->cntv_ctl = (uint32_t)sysreg_read(cntv_ctl_el0) & (TIMER_CTL_ENABLE | TIMER_CTL_IMASK);
    regs->cntp_ctl = (uint32_t)sysreg_read(cntp_ctl_el0) & (TIMER_CTL_ENABLE | TIMER_CTL_IMASK);
    regs->cntv_cval = sysreg_read(cntv_cval_el0);
    regs->cntp_cval = sysreg_read(cntp_cval_el0);
    timers_off();
}

bool arch_vtimer_asserted(uint32_t irq)
{
    uint64_t ctl;

    isb(); /* the counter is compared now, not when the pipeline pleases */
    ctl = irq == VTIMER_IRQ ? sysreg_read(cntv_ctl_el0) : sysreg_read(cntp_ctl_el0);
    return (ctl & (CTL_ISTATUS | TIMER_CTL_IMASK | TIMER_CTL_ENABLE)) ==
           (CTL_ISTATUS | TIMER_CTL_ENABLE);
}
