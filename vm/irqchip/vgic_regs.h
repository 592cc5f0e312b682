/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of registers: a frame is an index from 128-byte slots to blocks, and the blocks.
 * Blocks with some bits for each interrupt start at a slot's first byte; they stand for what
 * INTIDs the VM has, the rest reads as zero.
 */
#pragma once

#include "vm/irqchip/vgic.h"

#define VGIC_SLOT_SHIFT 7
#define VGIC_SLOTS(bytes) ((bytes) >> VGIC_SLOT_SHIFT)

/* Where a register access lands. */
struct vgic_access {
    struct virqchip *gic;
    struct virqchip_cpu *cpu; /* whose private interrupts, or whose redistributor */
    struct vgic_bank *bank;   /* of the interrupts; NULL in blocks without */
    uint32_t offset;          /* in the block */
    unsigned first;           /* INTID of the first interrupt */
    unsigned size;            /* of the access, bytes */
};

struct vgic_block {
    uint16_t start, bytes; /* offset in the frame, and length */
    uint8_t bits;          /* for each interrupt, 1, 2, 8, 64; 0: not by interrupt, no lock held */
    uint8_t sizes;         /* of accesses, bytes, added up; others read as zero */
    bool live;             /* pending or active: list registers are folded first */
    uint64_t (*read)(const struct vgic_access *at); /* NULL: zero */
    /* Interrupts of the bank that are to be looked at again. NULL: ignored. */
    uint32_t (*write)(const struct vgic_access *at, uint64_t value);
};

struct vgic_frame {
    uint32_t bytes;
    const uint8_t *index; /* by slot: number of the block, 0 for none */
    const struct vgic_block *blocks;
};

extern const struct vgic_frame vgicd_v2_frame, vgicd_v3_frame;  /* vgicd.c */
extern const struct vgic_frame vgicr_rd_frame, vgicr_sgi_frame; /* vgicr.c */

/*
 * The distributor's first registers, without any lock. They are read apart from the tables,
 * since many a guest reads GICD_CTLR and GICD_TYPER in earnest.
 */
#define VGICD_CONTROL_BYTES 0x80
uint64_t vgicd_read_control(const struct virqchip *gic, uint64_t offset);

/* Takes the vCPU's lock; `live`: what it has in list registers is first folded, if here. */
void vgic_lock_private(struct virqchip_cpu *cpu, bool live);

/* Handlers of registers that distributors and redistributors share (vgic_fields.c). */
uint64_t vgic_read_group(const struct vgic_access *at);
uint32_t vgic_write_group(const struct vgic_access *at, uint64_t value);
uint64_t vgic_read_enabled(const struct vgic_access *at);
uint32_t vgic_set_enabled(const struct vgic_access *at, uint64_t value);
uint32_t vgic_clear_enabled(const struct vgic_access *at, uint64_t value);
uint64_t vgic_read_pending(const struct vgic_access *at);
uint32_t vgic_set_pending(const struct vgic_access *at, uint64_t value);
uint32_t vgic_clear_pending(const struct vgic_access *at, uint64_t value);
uint64_t vgic_read_active(const struct vgic_access *at);
uint32_t vgic_set_active(const struct vgic_access *at, uint64_t value);
uint32_t vgic_clear_active(const struct vgic_access *at, uint64_t value);
uint64_t vgic_read_priority(const struct vgic_access *at);
uint32_t vgic_write_priority(const struct vgic_access *at, uint64_t value);
uint64_t vgic_read_config(const struct vgic_access *at);
uint32_t vgic_write_config(const struct vgic_access *at, uint64_t value);

/* PIDR and CIDR of a frame whose last 48 bytes they are; the block starts at its last slot. */
uint64_t vgic_read_id(const struct vgic_access *at);

/* GICD_IIDR, GICR_IIDR: implementer Arm, a product of our own. */
#define VGIC_IIDR 0x5300043bu

/* The blocks of a bit, two or a byte for each interrupt, in the order of enum vgic_common. */
enum vgic_common {
    VGIC_NONE,
    VGIC_IGROUPR,
    VGIC_ISENABLER,
    VGIC_ICENABLER,
    VGIC_ISPENDR,
    VGIC_ICPENDR,
    VGIC_ISACTIVER,
    VGIC_ICACTIVER,
    VGIC_IPRIORITYR,
    VGIC_ICFGR,
    VGIC_COMMON,
};

/* clang-format off */
#define VGIC_COMMON_BLOCKS                                                                       \
    [VGIC_IGROUPR]    = { 0x080, 0x080, 1, 4, false, vgic_read_group, vgic_write_group },        \
    [VGIC_ISENABLER]  = { 0x100, 0x080, 1, 4, false, vgic_read_enabled, vgic_set_enabled },      \
    [VGIC_ICENABLER]  = { 0x180, 0x080, 1, 4, false, vgic_read_enabled, vgic_clear_enabled },    \
    [VGIC_ISPENDR]    = { 0x200, 0x080, 1, 4, true, vgic_read_pending, vgic_set_pending },       \
    [VGIC_ICPENDR]    = { 0x280, 0x080, 1, 4, true, vgic_read_pending, vgic_clear_pending },     \
    [VGIC_ISACTIVER]  = { 0x300, 0x080, 1, 4, true, vgic_read_active, vgic_set_active },         \
    [VGIC_ICACTIVER]  = { 0x380, 0x080, 1, 4, true, vgic_read_active, vgic_clear_active },       \
    [VGIC_IPRIORITYR] = { 0x400, 0x400, 8, 1 + 2 + 4, false, vgic_read_priority, vgic_write_priority }, \
    [VGIC_ICFGR]      = { 0xc00, 0x100, 2, 4, false, vgic_read_config, vgic_write_config }

#define VGIC_COMMON_INDEX                                     \
    [0x080 >> VGIC_SLOT_SHIFT] = VGIC_IGROUPR,                \
    [0x100 >> VGIC_SLOT_SHIFT] = VGIC_ISENABLER,              \
    [0x180 >> VGIC_SLOT_SHIFT] = VGIC_ICENABLER,              \
    [0x200 >> VGIC_SLOT_SHIFT] = VGIC_ISPENDR,                \
    [0x280 >> VGIC_SLOT_SHIFT] = VGIC_ICPENDR,                \
    [0x300 >> VGIC_SLOT_SHIFT] = VGIC_ISACTIVER,              \
    [0x380 >> VGIC_SLOT_SHIFT] = VGIC_ICACTIVER,              \
    [0x400 >> VGIC_SLOT_SHIFT ... 0x780 >> VGIC_SLOT_SHIFT] = VGIC_IPRIORITYR, \
    [0xc00 >> VGIC_SLOT_SHIFT ... 0xc80 >> VGIC_SLOT_SHIFT] = VGIC_ICFGR
/* clang-format on */
