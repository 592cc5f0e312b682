/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller as a guest sees it, version 2 or 3 behind one set of functions.
 * Interrupts below 32 are the calling CPU's own.
 */
#pragma once

#include "tests/guests/lib/guest.h"

#define GICD_BASE 0x08000000UL
#define GICC_BASE 0x08010000UL
#define GICR_BASE 0x080a0000UL
#define GICR_STRIDE 0x20000UL
#define GICR_SGI 0x10000UL

enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_ICFGR = 0xc00,
    GICD_SGIR = 0xf00,
    GICD_IROUTER = 0x6000,
};

#define IRQ_SPURIOUS 1023
#define PRIORITY_IDLE 0xff

unsigned gic_version(void); /* 2 or 3 */

/* Distributor (boot CPU), then this CPU's interface: everything enabled, mask open. */
void gic_init(void);
void gic_init_cpu(void);

/* The register that holds `irq`'s bit or field: of the distributor or this CPU's frame. */
uint64_t gic_bank(unsigned irq, unsigned offset);

void gic_enable(unsigned irq);
void gic_disable(unsigned irq);
void gic_set_pending(unsigned irq);
void gic_clear_pending(unsigned irq);
bool gic_is_pending(unsigned irq);
bool gic_is_active(unsigned irq);
void gic_set_priority(unsigned irq, uint8_t priority);
void gic_set_edge(unsigned irq, bool edge);

/* Acknowledges: the interrupt's number without GICv2's source CPU, or IRQ_SPURIOUS. */
unsigned gic_ack(void);
void gic_eoi(unsigned irq);
void gic_deactivate(unsigned irq); /* with split priority drop */
void gic_set_mask(uint8_t priority);
void gic_set_split(bool split);
uint8_t gic_running_priority(void);
void gic_group_enable(bool on);

void gic_sgi(unsigned cpu, unsigned sgi);
void gic_sgi_others(unsigned sgi);
