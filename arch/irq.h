/* SPDX-License-Identifier: BSD-2-Clause */
/* Host interrupts at the CPU. They stay masked in the hypervisor; see arch/spinlock.h. */
#pragma once

/* Sleeps until an interrupt is pending (it stays pending); returns at once if one is. */
void arch_wait_for_interrupt(void);
