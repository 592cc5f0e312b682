/* SPDX-License-Identifier: BSD-2-Clause */
/* What the PC's firmware, as drivers/ reads it, tells the architecture at boot. */
#pragma once

#include "arch/addr.h"

#define MULTIBOOT1_MAGIC 0x2badb002u
#define MULTIBOOT2_MAGIC 0x36d76289u

/* Physical addresses below this are in the boot tables' direct map, RAM or not. */
#define BOOT_MAPPED_BYTES (4 * SIZE_1G)

/*
 * The page below 1 MiB where other CPUs start: gets its code, and is not to be used for
 * anything else. On the boot tables only.
 */
void x86_set_start_page(paddr_t page);

/*
 * How fast the TSC and the local APIC's timer run, by what the CPU says or against the ACPI
 * PM timer at `pm_timer` (port; 0: none, then the PIT). After lapic_cpu_init on the boot CPU.
 */
void x86_timer_calibrate(uint16_t pm_timer);

/* On each CPU: its timer's interrupt comes as VECTOR_TIMER. */
void x86_timer_cpu_init(void);

/* On each CPU: stacks, STACK_BYTES with a guard page, for NMI, #DF and #MC. */
enum x86_emergency { EMERGENCY_NMI, EMERGENCY_DOUBLE_FAULT, EMERGENCY_MACHINE_CHECK, EMERGENCIES };
void x86_set_emergency_stack(enum x86_emergency which, void *top);
