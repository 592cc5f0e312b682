/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers with one field for each interrupt, as the distributor has them for SPIs and a
 * redistributor (GICv2: the banked part of the distributor) for SGIs and PPIs. The lock of
 * the bank is held. Pending and active state that is in another vCPU's list registers reads
 * as it was when that vCPU last gave account of it; writes to it take effect there.
 */

#include "vm/irqchip/vgic_regs.h"

/* Timers' interrupts are level-sensitive, whatever is written. */
#define EDGE_FIXED_PRIVATE (0xffffu | VGIC_TIMERS)

static bool is_v2_private(const struct vgic_access *at)
{
    return at->first < VGIC_PRIVATE && at->gic->version == 2;
}

/* GICv2's SGIs become pending through other registers only (GICv2 specification 4.3.7). */
static uint32_t pending_writable(const struct vgic_access *at)
{
    return is_v2_private(at) ? ~0xffffu : ~0u;
}

uint64_t vgic_read_group(const struct vgic_access *at)
{
    return at->bank->group1;
}

uint32_t vgic_write_group(const struct vgic_access *at, uint64_t value)
{
    uint32_t old = at->bank->group1;

    at->bank->group1 = (uint32_t)value;
    return old ^ (uint32_t)value;
}

uint64_t vgic_read_enabled(const struct vgic_access *at)
{
    return at->bank->enabled;
}

uint32_t vgic_set_enabled(const struct vgic_access *at, uint64_t value)
{
    at->bank->enabled |= (uint32_t)value;
    return (uint32_t)value;
}

/* What is active stays so, listed or not, until the guest deactivates it. */
uint32_t vgic_clear_enabled(const struct vgic_access *at, uint64_t value)
{
    at->bank->enabled &= ~(uint32_t)value;
    return (uint32_t)value;
}

uint64_t vgic_read_pending(const struct vgic_access *at)
{
    return vgic_pending(at->bank) | at->bank->moved;
}

uint32_t vgic_set_pending(const struct vgic_access *at, uint64_t value)
{
    uint32_t set = (uint32_t)value & pending_writable(at);

    at->bank->latch |= set;
    return set;
}

uint32_t vgic_clear_pending(const struct vgic_access *at, uint64_t value)
{
    uint32_t cleared = (uint32_t)value & pending_writable(at);

    at->bank->latch &= ~cleared;
    at->bank->moved &= ~cleared;
    return cleared;
}

uint64_t vgic_read_active(const struct vgic_access *at)
{
    return at->bank->active;
}

uint32_t vgic_set_active(const struct vgic_access *at, uint64_t value)
{
    struct vgic_bank *bank = at->bank;
    uint32_t set = (uint32_t)value & (~bank->active | bank->listed);

    if (at->first >= VGIC_PRIVATE) {
        struct vgic_spis *spis = &at->gic->spi[at->first / 32 - 1];

        for (uint32_t rest = set & ~bank->listed; rest != 0; rest &= rest - 1) {
            unsigned i = (unsigned)__builtin_ctz(rest);

            spis->owner[i] = spis->route[i] == VGIC_NO_CPU ? 0 : spis->route[i];
        }
    }
    bank->active |= set;
    bank->forced |= set & bank->listed;
    return set;
}

uint32_t vgic_clear_active(const struct vgic_access *at, uint64_t value)
{
    at->bank->active &= ~(uint32_t)value;
    at->bank->forced |= (uint32_t)value & at->bank->listed;
    return (uint32_t)value;
}

uint64_t vgic_read_priority(const struct vgic_access *at)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < at->size; i++)
        value |= (uint64_t)at->bank->priority[at->first % 32 + i] << 8 * i;
    return value;
}

uint32_t vgic_write_priority(const struct vgic_access *at, uint64_t value)
{
    for (unsigned i = 0; i < at->size; i++)
        at->bank->priority[at->first % 32 + i] = value >> 8 * i & VGIC_PRIORITY_MASK;
    return (uint32_t)(BIT(at->size) - 1) << at->first % 32;
}

uint64_t vgic_read_config(const struct vgic_access *at)
{
    uint32_t edge = at->bank->edge >> at->first % 32;
    uint64_t value = 0;

    for (unsigned i = 0; i < 16; i++)
        value |= (uint64_t)(edge >> i & 1) << (2 * i + 1);
    return value;
}

uint32_t vgic_write_config(const struct vgic_access *at, uint64_t value)
{
    uint32_t fixed = at->first < VGIC_PRIVATE ? EDGE_FIXED_PRIVATE : 0;
    uint32_t written = 0xffffu << at->first % 32 & ~fixed;
    uint32_t edge = 0;

    for (unsigned i = 0; i < 16; i++)
        edge |= (uint32_t)(value >> (2 * i + 1) & 1) << (at->first % 32 + i);
    at->bank->edge = (at->bank->edge & ~written) | (edge & written);
    return written;
}
