/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's two timers, the CPU's own EL1 ones (Arm ARM D11): virtual, whose counter runs
 * `offset` behind the machine's, and physical.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VTIMER_IRQ 27 /* INTIDs of the PPIs, for host and guest alike (BSA) */
#define PTIMER_IRQ 30

#define TIMER_CTL_ENABLE (1u << 0)
#define TIMER_CTL_IMASK (1u << 1)

struct vtimer_regs {
    uint64_t cntv_cval, cntp_cval;
    uint32_t cntv_ctl, cntp_ctl; /* ENABLE and IMASK */
};

/* On each CPU: guests may use both timers and counters; both are off. */
void arch_vtimer_cpu_init(void);

void arch_vtimer_load(const struct vtimer_regs *regs, uint64_t offset);

/* Reads them, and turns both timers off. */
void arch_vtimer_save(struct vtimer_regs *regs);

/* Does the timer behind `irq` (one of the two) want its interrupt now? */
bool arch_vtimer_asserted(uint32_t irq);
