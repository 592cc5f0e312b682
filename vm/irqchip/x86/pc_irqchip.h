/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controllers and timers of a PC.
 *
 *     PIT --+                +--> PIC --INT--+--> LINT0 of vCPU 0
 *           | ISA IRQ 0..15  |               +--> pin 0 --+
 *     ... --+-- GSI 0..23 ---+-------------------> IOAPIC +--> local APICs --> vCPUs
 *
 * GSI n is pin n of the IOAPIC, and ISA IRQ n of the PICs where n is below 16. ISA IRQ 0 is on
 * the IOAPIC's pin 2, as on every PC (the MADT says so), so GSI 2 means nothing else.
 *
 * Locks: devices' before the PIT's, the PIT's before the PICs', theirs before the IOAPIC's,
 * that before the local APICs'.
 */
#pragma once

#include "vm/irqchip/irqchip.h"
#include "vm/irqchip/x86/vioapic.h"
#include "vm/irqchip/x86/vlapic.h"
#include "vm/irqchip/x86/vpic.h"
#include "vm/irqchip/x86/vpit.h"

#define PC_GSIS VIOAPIC_PINS
#define PC_ISA_IRQS 16

struct virqchip {
    struct vdev lapics; /* their page: the first device attached, the last to go */
    struct vioapic ioapic;
    struct vpic pic;
    struct vpit pit;
    struct vm *vm;
    unsigned cpus;
    spinlock_t place_lock;
    bool placed; /* hardware answers in the local APICs' place: vlapic_place */
    struct virqchip_cpu cpu[];
};

/* A message-signalled interrupt: a write of `data` to `address` (SDM 3A 11.11). Any CPU, locks
 * of devices may be held. Ignored where the address is no APIC's. */
void pc_msi(struct vm *vm, uint64_t address, uint32_t data);

/* The button on some PCs: LINT1 of every vCPU. Any CPU. */
void pc_nmi(struct vm *vm);
