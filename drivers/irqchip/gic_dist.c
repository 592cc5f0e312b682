/* SPDX-License-Identifier: BSD-2-Clause */
/* What GICv2 and GICv3 do alike: per-interrupt registers, and choosing between the two. */

#include "drivers/irqchip/gic_dist.h"

#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/irqchip/gic.h"
#include "drivers/irqchip/irqchip.h"

#define TYPER_LINES GENMASK(4, 0) /* (interrupts / 32) - 1 */
#define PRIORITY_FOUR 0xa0a0a0a0u /* the one priority, four times */

unsigned gic_dist_irqs(const char *dist)
{
    unsigned lines = (unsigned)FIELD_GET(TYPER_LINES, io_read32(dist + GICD_TYPER));

    return MIN(32 * (lines + 1), 1020);
}

void gic_dist_reset(char *frame, unsigned first, unsigned end, enum gic_group group)
{
    for (unsigned irq = first; irq < end; irq += 32) {
        unsigned word = irq / 8;

        io_write32(frame + GICD_ICENABLER + word, ~0u);
        io_write32(frame + GICD_ICPENDR + word, ~0u);
        io_write32(frame + GICD_ICACTIVER + word, ~0u);
        io_write32(frame + GICD_IGROUPR + word, group == GIC_GROUP1 ? ~0u : 0);
    }
    for (unsigned irq = first; irq < end; irq += 4)
        io_write32(frame + GICD_IPRIORITYR + irq, PRIORITY_FOUR);
}

void gic_dist_set_bit(char *frame, unsigned reg, uint32_t irq)
{
    io_write32(frame + reg + irq / 32 * 4, 1u << irq % 32);
}

void gic_dist_enable(char *frame, uint32_t irq, bool edge)
{
    char *config = frame + GICD_ICFGR + irq / 16 * 4;
    uint32_t bit = 2u << irq % 16 * 2;
    uint32_t value = io_read32(config);

    if (irq >= 16) /* SGIs are edges, always */
        io_write32(config, edge ? value | bit : value & ~bit);
    gic_dist_set_bit(frame, GICD_ISENABLER, irq);
}

status_t irqchip_init(const struct host_info *host, const char **why)
{
    switch (host->gic.version) {
    case 2: return gicv2_init(&host->gic, why);
    case 3: return gicv3_init(&host->gic, why);
    default: *why = "the machine has no GICv2 or GICv3"; return ERR_UNSUPPORTED;
    }
}
