/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A redistributor's registers (GIC architecture specification 12.11): the RD frame, and the
 * SGI frame behind it. There are no LPIs, so what is about them reads as zero.
 */

#include "vm/irqchip/vgic_regs.h"

enum { GICR_IIDR = 0x4, GICR_TYPER = 0x8, GICR_WAKER = 0x14 };

#define TYPER_LAST BIT(4)
#define TYPER_PROCESSOR GENMASK(23, 8)
#define TYPER_AFFINITY GENMASK(63, 32)

#define WAKER_PROCESSOR_SLEEP BIT(1)
#define WAKER_CHILDREN_ASLEEP BIT(2)

static uint64_t read_typer(const struct vgic_access *at)
{
    unsigned id = at->cpu->id;

    return FIELD_PREP(TYPER_AFFINITY, vcpu_hwid(id)) | FIELD_PREP(TYPER_PROCESSOR, id) |
           (id + 1 == at->gic->cpus ? TYPER_LAST : 0);
}

static uint64_t read_rd(const struct vgic_access *at)
{
    uint32_t waker;

    if (at->size == 8)
        return at->offset == GICR_TYPER ? read_typer(at) : 0;
    switch (at->offset) {
    case GICR_IIDR: return VGIC_IIDR;
    case GICR_TYPER: return read_typer(at) & UINT32_MAX;
    case GICR_TYPER + 4: return read_typer(at) >> 32;
    case GICR_WAKER:
        waker = __atomic_load_n(&at->cpu->waker, __ATOMIC_RELAXED);
        return waker | (waker & WAKER_PROCESSOR_SLEEP ? WAKER_CHILDREN_ASLEEP : 0);
    default: return 0;
    }
}

/* Interrupts are held back from no one: a vCPU that says it sleeps may be woken. */
static uint32_t write_rd(const struct vgic_access *at, uint64_t value)
{
    if (at->offset == GICR_WAKER && at->size == 4)
        __atomic_store_n(&at->cpu->waker, (uint32_t)(value & WAKER_PROCESSOR_SLEEP),
                         __ATOMIC_RELAXED);
    return 0;
}

enum { RD_CONTROL = 1, RD_ID };

/* clang-format off */
static const struct vgic_block rd_blocks[] = {
    [RD_CONTROL] = { 0x0000, 0x0080, 0, 4 + 8, false, read_rd, write_rd },
    [RD_ID]      = { 0xff80, 0x0080, 0, 4, false, vgic_read_id, NULL },
};

static const uint8_t rd_index[VGIC_SLOTS(0x10000)] = {
    [0x0000 >> VGIC_SLOT_SHIFT] = RD_CONTROL,
    [0xff80 >> VGIC_SLOT_SHIFT] = RD_ID,
};

static const struct vgic_block sgi_blocks[] = { VGIC_COMMON_BLOCKS };
static const uint8_t sgi_index[VGIC_SLOTS(0x1000)] = { VGIC_COMMON_INDEX };
/* clang-format on */

const struct vgic_frame vgicr_rd_frame = { 0x10000, rd_index, rd_blocks };
const struct vgic_frame vgicr_sgi_frame = { 0x1000, sgi_index, sgi_blocks };
