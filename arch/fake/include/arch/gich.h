/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GIC's hypervisor control interface for the unit tests, and the guest's side of it: what
 * the CPU interface of a guest would do with the list registers.
 */
#pragma once

#include "arch/arm64/include/arch/gich.h"

#define FAKE_GICH_CPUS 16

#define FAKE_SPURIOUS 1023u

/* Every CPU's interface as after power-on; calls are for CPU 0. */
void fake_gich_init(unsigned version, unsigned lrs);

/* The CPU that calls are for from here on, fake timers' too; of the calling thread. */
void fake_select_cpu(unsigned cpu);
unsigned fake_selected_cpu(void);

/* Where hardware deactivates a physical interrupt. */
extern void (*fake_deactivate_physical)(uint32_t irq);

/* The guest: IAR of whichever group has the best one; with version 2 the sender is in it. */
uint32_t fake_guest_ack(void);
void fake_guest_eoi(uint32_t iar);
void fake_guest_dir(uint32_t iar);
/* ICC_IGRPEN0/1 or GICV_CTLR, PMR, EOImode. */
void fake_guest_interface(bool group0, bool group1, uint8_t pmr, bool split_eoi);

/* Is the guest's interrupt input asserted? */
bool fake_guest_signalled(void);

/* Does the interface ask for maintenance? ICH_MISR_EL2. */
uint32_t fake_misr(void);
