/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The distributor's registers (GICv3: GIC architecture specification 12.9, one security
 * state, affinity routing always on; GICv2: specification 4.3).
 */

#include "vm/irqchip/vgic_regs.h"

enum { GICD_CTLR = 0x0, GICD_TYPER = 0x4, GICD_IIDR = 0x8 };
enum { GICD_SGIR = 0x0, GICD_CPENDSGIR = 0x10, GICD_SPENDSGIR = 0x20 }; /* in their block */

#define CTLR_ARE BIT(4)
#define CTLR_DS BIT(6) /* one security state */

#define TYPER_LINES FIELD_PREP(GENMASK(4, 0), VGIC_INTIDS / 32 - 1)
#define TYPER_CPUS GENMASK(7, 5)
#define TYPER_IDBITS FIELD_PREP(GENMASK(23, 19), 9) /* INTIDs have 10 bits */
#define TYPER_NO1N BIT(25)                          /* an SPI has one target */

#define IROUTER_AFFINITY GENMASK(23, 0) /* no Aff3 */

uint32_t vgicd_typer(unsigned version, unsigned cpus)
{
    if (version == 3)
        return (uint32_t)(TYPER_LINES | TYPER_IDBITS | TYPER_NO1N);
    return (uint32_t)(TYPER_LINES | FIELD_PREP(TYPER_CPUS, cpus - 1));
}

uint64_t vgicd_read_control(const struct virqchip *gic, uint64_t offset)
{
    switch (offset) {
    case GICD_CTLR: return gic->ctlr | (gic->version == 3 ? CTLR_ARE | CTLR_DS : 0);
    case GICD_TYPER: return gic->typer;
    case GICD_IIDR: return VGIC_IIDR;
    default: return 0;
    }
}

static uint32_t write_control(const struct vgic_access *at, uint64_t value)
{
    struct virqchip *gic = at->gic;
    uint32_t ctlr = (uint32_t)(value & (GICD_CTLR_GRP0 | GICD_CTLR_GRP1));

    if (at->offset != GICD_CTLR)
        return 0;
    spin_lock(&gic->lock);
    if (gic->ctlr != ctlr) {
        __atomic_store_n(&gic->ctlr, ctlr, __ATOMIC_RELAXED);
        vgic_all_changed(gic);
    }
    spin_unlock(&gic->lock);
    return 0;
}

/*
 * GICv3: affinity routing.
 */

static uint64_t read_router(const struct vgic_access *at)
{
    return at->offset & 4 ? 0 : at->gic->spi[at->first / 32 - 1].affinity[at->first % 32];
}

/* Also in halves, of which the higher one has nothing. */
static uint32_t write_router(const struct vgic_access *at, uint64_t value)
{
    if (at->offset & 4)
        return 0;
    at->gic->spi[at->first / 32 - 1].affinity[at->first % 32] =
        (uint32_t)(value & IROUTER_AFFINITY);
    vgic_route_spi(at->gic, at->first);
    return 1u << at->first % 32;
}

enum { V3_CONTROL = VGIC_COMMON, V3_IROUTER, V3_ID };

/* clang-format off */
static const struct vgic_block v3_blocks[] = {
    VGIC_COMMON_BLOCKS,
    [V3_CONTROL] = { 0x0000, VGICD_CONTROL_BYTES, 0, 4, false, NULL, write_control },
    [V3_IROUTER] = { 0x6000, 0x2000, 64, 4 + 8, false, read_router, write_router },
    [V3_ID]      = { 0xff80, 0x0080, 0, 4, false, vgic_read_id, NULL },
};

static const uint8_t v3_index[VGIC_SLOTS(0x10000)] = {
    VGIC_COMMON_INDEX,
    [0x0000 >> VGIC_SLOT_SHIFT] = V3_CONTROL,
    [0x6000 >> VGIC_SLOT_SHIFT ... 0x7f80 >> VGIC_SLOT_SHIFT] = V3_IROUTER,
    [0xff80 >> VGIC_SLOT_SHIFT] = V3_ID,
};
/* clang-format on */

const struct vgic_frame vgicd_v3_frame = { 0x10000, v3_index, v3_blocks };

/*
 * GICv2: target lists; SGIs that remember their senders.
 */

/* With one CPU the targets read as zero: everything is for it. */
static uint64_t read_targets(const struct vgic_access *at)
{
    uint64_t value = 0;

    if (at->gic->cpus == 1)
        return 0;
    for (unsigned i = 0; i < at->size; i++) {
        unsigned intid = at->first + i;
        uint64_t targets = intid < VGIC_PRIVATE ? BIT(at->cpu->id)
                                                : at->gic->spi[intid / 32 - 1].affinity[intid % 32];

        value |= targets << 8 * i;
    }
    return value;
}

static uint32_t write_targets(const struct vgic_access *at, uint64_t value)
{
    uint32_t all = (uint32_t)BIT(at->gic->cpus) - 1;

    if (at->first < VGIC_PRIVATE || at->gic->cpus == 1)
        return 0;
    for (unsigned intid = at->first; intid < at->first + at->size; intid++, value >>= 8) {
        at->gic->spi[intid / 32 - 1].affinity[intid % 32] = (uint32_t)value & all;
        vgic_route_spi(at->gic, intid);
    }
    return (uint32_t)(BIT(at->size) - 1) << at->first % 32;
}

/* Senders of pending SGIs, a byte for each SGI. */
static uint64_t read_sgis(const struct vgic_access *at)
{
    unsigned first = at->offset % VGIC_SGIS;
    uint64_t value = 0;

    if (at->offset < GICD_CPENDSGIR)
        return 0;
    vgic_lock_private(at->cpu, true);
    for (unsigned i = 0; i < at->size; i++)
        value |= (uint64_t)at->cpu->sgi_sources[first + i] << 8 * i;
    spin_unlock(&at->cpu->lock);
    return value;
}

static void write_senders(const struct vgic_access *at, uint64_t value)
{
    struct virqchip_cpu *cpu = at->cpu;
    uint32_t all = (uint32_t)BIT(at->gic->cpus) - 1;
    bool set = at->offset >= GICD_SPENDSGIR;

    vgic_lock_private(cpu, true);
    for (unsigned i = 0; i < at->size; i++, value >>= 8) {
        unsigned sgi = at->offset % VGIC_SGIS + i;
        uint8_t senders = (uint8_t)(value & all);
        uint8_t *sources = &cpu->sgi_sources[sgi];

        *sources = set ? *sources | senders : *sources & (uint8_t)~senders;
        cpu->bank.latch = (cpu->bank.latch & ~(1u << sgi)) | (*sources != 0 ? 1u << sgi : 0);
    }
    vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
    spin_unlock(&cpu->lock);
}

static uint32_t write_sgis(const struct vgic_access *at, uint64_t value)
{
    if (at->offset >= GICD_CPENDSGIR)
        write_senders(at, value);
    else if (at->offset == GICD_SGIR && at->size == 4)
        vgic_write_sgir(at->cpu, (uint32_t)value);
    return 0;
}

enum { V2_CONTROL = VGIC_COMMON, V2_ITARGETSR, V2_SGIS, V2_ID };

/* clang-format off */
static const struct vgic_block v2_blocks[] = {
    VGIC_COMMON_BLOCKS,
    [V2_CONTROL]   = { 0x000, VGICD_CONTROL_BYTES, 0, 4, false, NULL, write_control },
    [V2_ITARGETSR] = { 0x800, 0x400, 8, 1 + 2 + 4, false, read_targets, write_targets },
    [V2_SGIS]      = { 0xf00, 0x030, 0, 1 + 2 + 4, false, read_sgis, write_sgis },
    [V2_ID]        = { 0xf80, 0x080, 0, 4, false, vgic_read_id, NULL },
};

static const uint8_t v2_index[VGIC_SLOTS(0x1000)] = {
    VGIC_COMMON_INDEX,
    [0x000 >> VGIC_SLOT_SHIFT] = V2_CONTROL,
    [0x800 >> VGIC_SLOT_SHIFT ... 0xb80 >> VGIC_SLOT_SHIFT] = V2_ITARGETSR,
    [0xf00 >> VGIC_SLOT_SHIFT] = V2_SGIS,
    [0xf80 >> VGIC_SLOT_SHIFT] = V2_ID,
};
/* clang-format on */

const struct vgic_frame vgicd_v2_frame = { 0x1000, v2_index, v2_blocks };
