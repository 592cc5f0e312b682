/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's local APIC (SDM 3A, chapter 11; APM 2, chapter 16), in xAPIC or x2APIC mode, and
 * the interrupts that it delivered.
 *
 * Host interrupts stay masked in the hypervisor. Where one is let in, its vector is only
 * recorded, without an end of interrupt; kernel/irq.h then deals with it:
 *
 *     let in (idle: sti hlt;  irq_dispatch: sti nop cli;  SVM: after STGI)  --> recorded
 *     acknowledged by hardware (VMX: acknowledge interrupt on exit)         --> x86_irq_record
 *     x86_irq_take (irqchip->ack)  -->  handler  -->  lapic_eoi
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Once, on the boot CPU. `registers`: the xAPIC's page, mapped as device memory; NULL: none.
 * x2APIC mode is used where the CPU has it. False: there is no local APIC to use.
 */
bool lapic_init(volatile void *registers);

/* Can the CPU do without the xAPIC's page? */
bool lapic_is_x2(void);

/* On each CPU: enabled, at priority 0, everything but our own interrupts masked. */
void lapic_cpu_init(void);

void lapic_eoi(void);

/* To the CPU with APIC id `id`; after everything that was stored before. */
void lapic_send(uint32_t id, uint8_t vector);

/* SDM 3A 11.6.1: the CPU starts in real mode at `page` << 12; or, INIT, it waits for that. */
void lapic_send_init(uint32_t id);
void lapic_send_startup(uint32_t id, uint8_t page);

/*
 * The next vector that arrived on this CPU and is to be handled, highest first; interrupts
 * are let in for an instant where none is known. 0: none.
 */
uint32_t x86_irq_take(void);

/* A vector that the hardware acknowledged while a guest ran. Interrupts masked. */
void x86_irq_record(uint8_t vector);
