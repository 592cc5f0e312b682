/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's I/O APICs: an index and a data register each. */

#include "drivers/irqchip/ioapic.h"

#include <arch/io.h>

#include "arch/bits.h"
#include "kernel/hypspace.h"

#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOAPIC_BYTES 0x20

#define REG_VERSION 1
#define REG_REDIRECTION(input) (0x10 + 2 * (input)) /* low; the high word is the next */
#define VERSION_LAST_INPUT GENMASK(23, 16)

#define REDIRECTION_ACTIVE_LOW BIT(13)
#define REDIRECTION_LEVEL BIT(15)
#define REDIRECTION_MASKED BIT(16)
#define REDIRECTION_CPU GENMASK(31, 24) /* of the high word */

static struct ioapic {
    char *regs;
    uint32_t gsi_base;
    uint32_t inputs;
} ioapics[HOST_MAX_IOAPICS];

static uint32_t reg_read(const struct ioapic *ioapic, uint32_t reg)
{
    io_write32(ioapic->regs + IOREGSEL, reg);
    return io_read32(ioapic->regs + IOWIN);
}

static void reg_write(const struct ioapic *ioapic, uint32_t reg, uint64_t value)
{
    io_write32(ioapic->regs + IOREGSEL, reg);
    io_write32(ioapic->regs + IOWIN, (uint32_t)value);
}

status_t ioapic_init(const struct host_pc *pc)
{
    for (unsigned i = 0; i < pc->ioapic_count; i++) {
        struct ioapic *const ioapic = &ioapics[i];

        ioapic->regs = hyp_map_device(pc->ioapics[i].base, IOAPIC_BYTES);
        if (ioapic->regs == NULL)
            return ERR_NO_MEMORY;
        ioapic->gsi_base = pc->ioapics[i].gsi_base;
        ioapic->inputs = (uint32_t)FIELD_GET(VERSION_LAST_INPUT, reg_read(ioapic, REG_VERSION)) + 1;
        for (uint32_t input = 0; input < ioapic->inputs; input++)
            reg_write(ioapic, REG_REDIRECTION(input), REDIRECTION_MASKED);
    }
    return OK;
}

static const struct ioapic *find(uint32_t gsi)
{
    for (unsigned i = 0; i < HOST_MAX_IOAPICS; i++) {
        if (gsi - ioapics[i].gsi_base < ioapics[i].inputs)
            return &ioapics[i];
    }
    return NULL;
}

bool ioapic_route(const struct host_gsi *wire, uint8_t vector, uint32_t cpu)
{
    const struct ioapic *const ioapic = find(wire->gsi);

    if (ioapic == NULL)
        return false;
    const uint32_t reg = REG_REDIRECTION(wire->gsi - ioapic->gsi_base);

    reg_write(ioapic, reg + 1, FIELD_PREP(REDIRECTION_CPU, cpu));
    reg_write(ioapic, reg,
              vector | (wire->level ? REDIRECTION_LEVEL : 0) |
                  (wire->active_low ? REDIRECTION_ACTIVE_LOW : 0));
    return true;
}

bool ioapic_mask(uint32_t gsi)
{
    const struct ioapic *const ioapic = find(gsi);

    if (ioapic != NULL)
        reg_write(ioapic, REG_REDIRECTION(gsi - ioapic->gsi_base), REDIRECTION_MASKED);
    return ioapic != NULL;
}
