/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers that GICv2's distributor, GICv3's, and GICv3's redistributors (SGI frame)
 * have in common, at the same offsets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

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

/* Interrupts that the distributor has, from GICD_TYPER: at most 1020. */
unsigned gic_dist_irqs(const char *dist);

enum gic_group { GIC_GROUP0, GIC_GROUP1 };

/*
 * Interrupts [first, end), multiples of 32: off, neither pending nor active, in `group`, the
 * one priority. `frame` has the registers for them.
 */
void gic_dist_reset(char *frame, unsigned first, unsigned end, enum gic_group group);

void gic_dist_enable(char *frame, uint32_t irq, bool edge);

/* Writes the bit of `irq` in one of the registers with a bit for each interrupt. */
void gic_dist_set_bit(char *frame, unsigned reg, uint32_t irq);
