/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of interrupts' state, and whom they concern: an SPI that is listed or active
 * concerns the vCPU that has it, any other the vCPU that it is routed to.
 */

#include "vm/irqchip/vgic.h"

void vgic_spis_changed(struct virqchip *gic, unsigned first, uint32_t changed)
{
    unsigned word = first / 32 - 1;
    const struct vgic_spis *spis = &gic->spi[word];
    const struct vgic_bank *bank = &spis->bank;
    uint32_t owned = bank->listed | bank->active;

    changed &= owned | (vgic_pending(bank) & vgic_forward(gic, bank));
    for (; changed != 0; changed &= changed - 1) {
        unsigned i = (unsigned)__builtin_ctz(changed);
        unsigned id = owned >> i & 1 ? spis->owner[i] : spis->route[i];

        if (id == VGIC_NO_CPU)
            continue;
        __atomic_fetch_or(&gic->cpu[id].spi_words, 1u << word, __ATOMIC_RELAXED);
        vcpu_request(gic->cpu[id].vcpu, VCPU_REQ_IRQ);
    }
}

void vgic_all_changed(struct virqchip *gic)
{
    for (unsigned id = 0; id < gic->cpus; id++) {
        __atomic_store_n(&gic->cpu[id].spi_words, (uint32_t)BIT(VGIC_SPI_BANKS) - 1,
                         __ATOMIC_RELAXED);
        vcpu_request(gic->cpu[id].vcpu, VCPU_REQ_IRQ);
    }
}

static void count_spi(struct virqchip *gic, unsigned intid)
{
    unsigned id = gic->spi[intid / 32 - 1].route[intid % 32];

    if (id != VGIC_NO_CPU)
        vgic_count_injected(&gic->cpu[id]);
}

void vgic_pulse_spi(struct virqchip *gic, unsigned intid)
{
    struct vgic_bank *bank = &gic->spi[intid / 32 - 1].bank;
    uint32_t bit = 1u << intid % 32;

    spin_lock(&gic->lock);
    bank->latch |= bit;
    count_spi(gic, intid);
    vgic_spis_changed(gic, intid & ~31u, bit);
    spin_unlock(&gic->lock);
}

void vgic_set_line(void *controller, uint32_t intid, bool level)
{
    struct virqchip *gic = controller;
    struct vgic_bank *bank = &gic->spi[intid / 32 - 1].bank;
    uint32_t bit = 1u << intid % 32;

    spin_lock(&gic->lock);
    if (((bank->line & bit) != 0) != level) {
        bank->line ^= bit;
        if (level) {
            bank->latch |= bank->edge & bit;
            count_spi(gic, intid);
        }
        /* A level that falls before the guest took it withdraws what is listed. */
        vgic_spis_changed(gic, intid & ~31u, bit);
    }
    spin_unlock(&gic->lock);
}

void vgic_pulse_private(struct virqchip_cpu *cpu, unsigned intid, unsigned source)
{
    spin_lock(&cpu->lock);
    cpu->bank.latch |= 1u << intid;
    if (intid < VGIC_SGIS && cpu->gic->version == 2)
        cpu->sgi_sources[intid] |= (uint8_t)BIT(source);
    vgic_count_injected(cpu);
    vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
    spin_unlock(&cpu->lock);
}

/* Version 2: the lowest of the vCPUs named. Version 3: the one with that affinity. */
static unsigned route_of(const struct virqchip *gic, uint32_t affinity)
{
    if (gic->version == 2) {
        if (gic->cpus == 1)
            return 0;
        affinity &= (uint32_t)BIT(gic->cpus) - 1;
        return affinity != 0 ? (unsigned)__builtin_ctz(affinity) : VGIC_NO_CPU;
    }
    for (unsigned id = 0; id < gic->cpus; id++) {
        if (vcpu_hwid(id) == affinity)
            return id;
    }
    return VGIC_NO_CPU;
}

void vgic_route_spi(struct virqchip *gic, unsigned intid)
{
    struct vgic_spis *spis = &gic->spi[intid / 32 - 1];

    spis->route[intid % 32] = (uint8_t)route_of(gic, spis->affinity[intid % 32]);
}
