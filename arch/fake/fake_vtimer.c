/* SPDX-License-Identifier: BSD-2-Clause */
/* The selected CPU's EL1 timers: registers, compared with the fake counter when asked. */

#include <arch/gich.h>
#include <arch/vtimer.h>

#include "arch/timer.h"

static struct vtimer_regs timers[FAKE_GICH_CPUS];
static uint64_t offsets[FAKE_GICH_CPUS];

struct vtimer_regs *fake_vtimer_regs(void)
{
    return &timers[fake_selected_cpu()];
}

uint64_t fake_vtimer_offset(void)
{
    return offsets[fake_selected_cpu()];
}

void arch_vtimer_cpu_init(void)
{
    *fake_vtimer_regs() = (struct vtimer_regs){ 0 };
}

void arch_vtimer_load(const struct vtimer_regs *regs, uint64_t offset)
{
    *fake_vtimer_regs() = *regs;
    offsets[fake_selected_cpu()] = offset;
}

void arch_vtimer_save(struct vtimer_regs *regs)
{
    *regs = *fake_vtimer_regs();
    fake_vtimer_regs()->cntv_ctl = fake_vtimer_regs()->cntp_ctl = 0;
}

bool arch_vtimer_asserted(uint32_t irq)
{
    const struct vtimer_regs *regs = fake_vtimer_regs();
    uint32_t ctl = irq == VTIMER_IRQ ? regs->cntv_ctl : regs->cntp_ctl;
    uint64_t cval = irq == VTIMER_IRQ ? regs->cntv_cval : regs->cntp_cval;
    uint64_t count = arch_counter() - (irq == VTIMER_IRQ ? fake_vtimer_offset() : 0);

    return (ctl & (TIMER_CTL_ENABLE | TIMER_CTL_IMASK)) == TIMER_CTL_ENABLE && count >= cval;
}
