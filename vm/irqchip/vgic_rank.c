/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interrupts deserve a vCPU's list registers. Banks are searched by the word: its own,
 * and those of SPIs that spi_words names.
 */

#include "vm/irqchip/vgic.h"

/* Bank 0 is the vCPU's own, bank n has SPIs from 32 * n on. */
static uint32_t banks_of(uint32_t spi_words)
{
    return 1 | spi_words << 1;
}

uint32_t vgic_only_mine(const struct virqchip_cpu *cpu, unsigned bank, uint32_t candidates)
{
    const struct vgic_spis *spis;
    uint32_t mine = 0;

    if (bank == 0)
        return candidates;
    spis = &cpu->gic->spi[bank - 1];
    for (uint32_t rest = candidates; rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);
        bool active = spis->bank.active >> i & 1;

        if ((active ? spis->owner[i] : spis->route[i]) == cpu->id)
            mine |= 1u << i;
    }
    return mine;
}

/* Those in a group that the guest's CPU interface has enabled. */
static uint32_t in_enabled_group(const struct vgic_bank *bank, uint32_t vmcr)
{
    return (vmcr & VMCR_ENG1 ? bank->group1 : 0) | (vmcr & VMCR_ENG0 ? ~bank->group1 : 0);
}

static void insert(struct vgic_ranking *ranking, uint32_t key)
{
    unsigned at = ranking->count;

    if (at == gich.lrs) {
        if (key > ranking->best[--at])
            return;
    } else {
        ranking->count++;
    }
    for (; at > 0 && ranking->best[at - 1] > key; at--)
        ranking->best[at] = ranking->best[at - 1];
    ranking->best[at] = key;
}

static void rank_bank(struct vgic_ranking *ranking, const struct vgic_bank *bank, unsigned first,
                      uint32_t candidates)
{
    for (uint32_t rest = candidates; rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);
        bool active = bank->active >> i & 1;
        uint32_t key = (uint32_t)bank->priority[i] << 16 | (first + i);

        if (active) {
            ranking->active++;
        } else {
            key |= (uint32_t)VGIC_KEY_PENDING;
            ranking->pending++;
            ranking->best_pending = MIN(ranking->best_pending, key);
        }
        insert(ranking, key);
    }
}

/* The best pending one has a place, if need be the lowest active one's. */
static void keep_a_pending_one(struct vgic_ranking *ranking)
{
    if (ranking->pending == 0)
        return;
    for (unsigned i = 0; i < ranking->count; i++) {
        if (ranking->best[i] & VGIC_KEY_PENDING)
            return;
    }
    ranking->best[ranking->count - 1] = ranking->best_pending;
}

void vgic_rank(struct virqchip_cpu *cpu, uint32_t spi_words, struct vgic_ranking *ranking)
{
    uint32_t vmcr = gich.ops->read_vmcr();

    ranking->count = ranking->pending = ranking->active = 0;
    ranking->words = ranking->withheld = 0;
    ranking->best_pending = VGIC_KEY_NONE;
    for (uint32_t rest = banks_of(spi_words); rest != 0; rest &= rest - 1) {
        unsigned index = (unsigned)__builtin_ctz(rest);
        const struct vgic_bank *bank = vgic_bank(cpu, 32 * index);
        uint32_t pending = vgic_pending(bank) & vgic_forward(cpu->gic, bank);
        uint32_t mine = vgic_only_mine(cpu, index, (pending | bank->active) & ~bank->listed);
        uint32_t waiting = mine & ~bank->active & ~in_enabled_group(bank, vmcr);

        if (mine == 0)
            continue;
        ranking->words |= 1u << index >> 1;
        ranking->withheld |= (waiting & bank->group1 ? (uint32_t)HCR_GRP1EIE : 0) |
                             (waiting & ~bank->group1 ? (uint32_t)HCR_GRP0EIE : 0);
        rank_bank(ranking, bank, 32 * index, mine & ~waiting);
    }
    keep_a_pending_one(ranking);
}

void vgic_end_unlisted(struct virqchip_cpu *cpu, uint32_t spi_words, unsigned count)
{
    for (; count > 0; count--) {
        uint32_t best = VGIC_KEY_NONE;

        for (uint32_t rest = banks_of(spi_words); rest != 0; rest &= rest - 1) {
            unsigned index = (unsigned)__builtin_ctz(rest);
            const struct vgic_bank *bank = vgic_bank(cpu, 32 * index);
            uint32_t unlisted = vgic_only_mine(cpu, index, bank->active & ~bank->listed);

            for (; unlisted != 0; unlisted &= unlisted - 1) {
                unsigned i = (unsigned)__builtin_ctz(unlisted);

                best = MIN(best, (uint32_t)bank->priority[i] << 16 | (32 * index + i));
            }
        }
        if (best == VGIC_KEY_NONE)
            return;
        unsigned intid = (unsigned)FIELD_GET(VGIC_KEY_INTID, best);
        vgic_bank(cpu, intid)->active &= ~(1u << intid % 32);
        if (intid >= VGIC_PRIVATE) /* it may wait for another vCPU by now */
            vgic_spis_changed(cpu->gic, intid & ~31u, 1u << intid % 32);
    }
}
