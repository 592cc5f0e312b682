/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's access to the distributor or a redistributor: find the register, lock, do it. */

#include "vm/irqchip/vgic_regs.h"

#define GICR_FRAME_BYTES 0x10000u

/* Version 3 has private interrupts in redistributors, which have no others. */
static bool locate_bank(const struct vgic_block *block, unsigned range, struct vgic_access *at)
{
    bool private;

    at->first = at->offset * 8 / block->bits;
    private = at->first < VGIC_PRIVATE;
    if (at->first >= VGIC_INTIDS || (range != 0 ? !private : private && at->gic->version == 3))
        return false;
    at->bank = vgic_bank(at->cpu, at->first);
    return true;
}

static const struct vgic_frame *redistributor(const struct virqchip *gic, uint32_t *offset,
                                              unsigned *cpu)
{
    static const struct vgic_frame nothing = { 0 };
    bool sgi = *offset & GICR_FRAME_BYTES;

    *cpu = *offset / VGIC_GICR_BYTES;
    *offset %= GICR_FRAME_BYTES;
    if (*cpu >= gic->cpus)
        return &nothing;
    return sgi ? &vgicr_sgi_frame : &vgicr_rd_frame;
}

/* The block, with *at filled in but for the bank; NULL: nothing there, or not at this width. */
static const struct vgic_block *locate(struct vdev *dev, struct vdev_access access,
                                       struct vgic_access *at)
{
    struct virqchip *gic = container_of(dev, struct virqchip, dev);
    const struct vgic_frame *frame = gic->distributor;
    const struct vgic_block *block;
    uint32_t offset = (uint32_t)access.offset;
    unsigned cpu = access.cpu;

    if (unlikely(access.range != 0))
        frame = redistributor(gic, &offset, &cpu);
    if (offset >= frame->bytes)
        return NULL;
    block = &frame->blocks[frame->index[offset >> VGIC_SLOT_SHIFT]];
    at->gic = gic;
    at->cpu = &gic->cpu[cpu];
    at->offset = offset - block->start;
    at->size = access.size;
    if (at->offset >= block->bytes || !(block->sizes & access.size) || (offset & (access.size - 1)))
        return NULL;
    return block;
}

void vgic_lock_private(struct virqchip_cpu *cpu, bool live)
{
    spin_lock(&cpu->lock);
    if (live && (cpu->used | cpu->hw) != 0 && vgic_loaded() == cpu) {
        vgic_fold(cpu);
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
    }
}

/* The lock of the interrupts accessed; live state is first brought home from our own list. */
static void lock_bank(const struct vgic_access *at, bool live)
{
    struct virqchip_cpu *own;

    if (at->first < VGIC_PRIVATE) {
        vgic_lock_private(at->cpu, live);
        return;
    }
    own = live ? vgic_loaded() : NULL;
    if (own != NULL && own->gic == at->gic) {
        vgic_lock_private(own, true);
        spin_unlock(&own->lock);
    }
    spin_lock(&at->gic->lock);
}

static void unlock_bank(const struct vgic_access *at)
{
    spin_unlock(at->first < VGIC_PRIVATE ? &at->cpu->lock : &at->gic->lock);
}

static __attribute__((noinline)) uint64_t read_by_table(struct vdev *dev, struct vdev_access access)
{
    struct vgic_access at;
    const struct vgic_block *block = locate(dev, access, &at);
    uint64_t value;

    if (block == NULL || block->read == NULL)
        return 0;
    if (block->bits == 0)
        return block->read(&at);
    if (!locate_bank(block, access.range, &at))
        return 0;
    lock_bank(&at, block->live);
    value = block->read(&at);
    unlock_bank(&at);
    return value;
}

uint64_t vgic_read(struct vdev *dev, struct vdev_access access)
{
    if (likely(access.range == 0 && access.size == 4 && access.offset < VGICD_CONTROL_BYTES))
        return vgicd_read_control(container_of(dev, struct virqchip, dev), access.offset);
    return read_by_table(dev, access);
}

void vgic_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct vgic_access at;
    const struct vgic_block *block = locate(dev, access, &at);
    uint32_t changed;

    if (block == NULL || block->write == NULL)
        return;
    if (block->bits == 0) {
        block->write(&at, value);
        return;
    }
    if (!locate_bank(block, access.range, &at))
        return;
    lock_bank(&at, block->live);
    changed = block->write(&at, value);
    if (at.first >= VGIC_PRIVATE)
        vgic_spis_changed(at.gic, at.first & ~31u, changed);
    else if (changed != 0)
        vcpu_request(at.cpu->vcpu, VCPU_REQ_IRQ);
    unlock_bank(&at);
}

const struct vgic_frame *vgic_distributor(unsigned version)
{
    return version == 3 ? &vgicd_v3_frame : &vgicd_v2_frame;
}

uint64_t vgic_read_id(const struct vgic_access *at)
{
    /* Peripheral ID 4 to 7, then 0 to 3, then component ID 0 to 3. */
    static const uint8_t ids[] = { 0x04, 0, 0, 0, 0x92, 0xb4, 0x0b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
    enum { FIRST = 0x50, PIDR2 = 0x68 };

    if (at->offset < FIRST)
        return 0;
    return ids[(at->offset - FIRST) / 4] | (at->offset == PIDR2 ? at->gic->version << 4 : 0);
}
