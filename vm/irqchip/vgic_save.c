/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GIC in a snapshot. No vCPU is loaded, so nothing is in list registers:
 *
 *     version, vCPUs, GICD_CTLR, virtual count | SPI banks | for each vCPU: bank, interface,
 *     timers
 */

#include "vm/irqchip/vgic.h"
#include "vm/state.h"

static void save_bank(const struct vgic_bank *bank, struct state_writer *out)
{
    state_put_u32(out, bank->enabled);
    state_put_u32(out, bank->group1);
    state_put_u32(out, bank->edge);
    state_put_u32(out, bank->line);
    state_put_u32(out, bank->latch);
    state_put_u32(out, bank->active);
    state_put_bytes(out, bank->priority, sizeof(bank->priority));
}

static void restore_bank(struct vgic_bank *bank, struct state_reader *in)
{
    *bank = (struct vgic_bank){ 0 };
    bank->enabled = state_get_u32(in);
    bank->group1 = state_get_u32(in);
    bank->edge = state_get_u32(in);
    bank->line = state_get_u32(in);
    bank->latch = state_get_u32(in);
    bank->active = state_get_u32(in);
    state_get_bytes(in, bank->priority, sizeof(bank->priority));
    for (unsigned i = 0; i < 32; i++) {
        if (bank->priority[i] & ~VGIC_PRIORITY_MASK)
            state_reject(in);
        bank->priority[i] &= VGIC_PRIORITY_MASK;
    }
}

static void save_spis(const struct vgic_spis *spis, struct state_writer *out)
{
    save_bank(&spis->bank, out);
    for (unsigned i = 0; i < 32; i++) {
        state_put_u32(out, spis->affinity[i]);
        state_put_u8(out, spis->owner[i]);
    }
}

static void restore_spis(struct virqchip *gic, unsigned word, struct state_reader *in)
{
    struct vgic_spis *spis = &gic->spi[word];
    uint32_t affinities = gic->version == 3 ? 0xffffff : (uint32_t)BIT(gic->cpus) - 1;

    restore_bank(&spis->bank, in);
    for (unsigned i = 0; i < 32; i++) {
        spis->affinity[i] = state_get_u32(in);
        spis->owner[i] = state_get_u8(in);
        if ((spis->affinity[i] & ~affinities) != 0 || spis->owner[i] >= gic->cpus)
            state_reject(in);
        spis->affinity[i] &= affinities;
        spis->owner[i] = spis->owner[i] < gic->cpus ? spis->owner[i] : 0;
        vgic_route_spi(gic, 32 * (word + 1) + i);
    }
}

static void save_cpu(const struct virqchip_cpu *cpu, struct state_writer *out)
{
    const struct vtimer_regs *regs = &cpu->timer.regs;

    save_bank(&cpu->bank, out);
    state_put_bytes(out, cpu->sgi_sources, sizeof(cpu->sgi_sources));
    state_put_bytes(out, cpu->sgi_active, sizeof(cpu->sgi_active));
    state_put_u32(out, cpu->waker);
    state_put_u32(out, cpu->interface.vmcr);
    for (unsigned i = 0; i < ARRAY_SIZE(cpu->interface.ap0r); i++) {
        state_put_u32(out, cpu->interface.ap0r[i]);
        state_put_u32(out, cpu->interface.ap1r[i]);
    }
    state_put_u32(out, regs->cntv_ctl);
    state_put_u64(out, regs->cntv_cval);
    state_put_u32(out, regs->cntp_ctl);
    state_put_u64(out, regs->cntp_cval);
}

/* Version 2: an SGI is pending exactly when it has senders, and they are vCPUs. */
static void restore_sgis(struct virqchip_cpu *cpu, struct state_reader *in)
{
    uint32_t cpus = (uint32_t)BIT(cpu->gic->cpus) - 1;
    bool v2 = cpu->gic->version == 2;

    state_get_bytes(in, cpu->sgi_sources, sizeof(cpu->sgi_sources));
    state_get_bytes(in, cpu->sgi_active, sizeof(cpu->sgi_active));
    for (unsigned sgi = 0; sgi < VGIC_SGIS; sgi++) {
        bool pending = v2 && (cpu->bank.latch >> sgi & 1);

        if ((cpu->sgi_sources[sgi] & ~cpus) != 0 || pending != (cpu->sgi_sources[sgi] != 0) ||
            cpu->sgi_active[sgi] >= cpu->gic->cpus) {
            state_reject(in);
            cpu->bank.latch &= ~(1u << sgi);
            cpu->sgi_sources[sgi] = cpu->sgi_active[sgi] = 0;
        }
    }
}

static void restore_cpu(struct virqchip_cpu *cpu, struct state_reader *in)
{
    const uint32_t ctl = TIMER_CTL_ENABLE | TIMER_CTL_IMASK;
    struct vtimer_regs *regs = &cpu->timer.regs;

    spin_lock(&cpu->lock);
    restore_bank(&cpu->bank, in);
    restore_sgis(cpu, in);
    cpu->waker = state_get_u32(in) & 2;
    cpu->interface.vmcr = state_get_u32(in);
    for (unsigned i = 0; i < ARRAY_SIZE(cpu->interface.ap0r); i++) {
        cpu->interface.ap0r[i] = state_get_u32(in);
        cpu->interface.ap1r[i] = state_get_u32(in);
    }
    regs->cntv_ctl = state_get_u32(in);
    regs->cntv_cval = state_get_u64(in);
    regs->cntp_ctl = state_get_u32(in);
    regs->cntp_cval = state_get_u64(in);
    if (((regs->cntv_ctl | regs->cntp_ctl) & ~ctl) != 0)
        state_reject(in);
    regs->cntv_ctl &= ctl;
    regs->cntp_ctl &= ctl;
    vtimer_restored(cpu);
    cpu->spi_words = (uint32_t)BIT(VGIC_SPI_BANKS) - 1;
    spin_unlock(&cpu->lock);
}

void vgic_save(const struct vdev *dev, struct state_writer *out)
{
    const struct virqchip *gic = container_of(dev, const struct virqchip, dev);

    state_put_u8(out, (uint8_t)gic->version);
    state_put_u8(out, (uint8_t)gic->cpus);
    state_put_u32(out, gic->ctlr);
    state_put_u64(out, arch_counter() - gic->cntvoff);
    for (unsigned word = 0; word < VGIC_SPI_BANKS; word++)
        save_spis(&gic->spi[word], out);
    for (unsigned id = 0; id < gic->cpus; id++)
        save_cpu(&gic->cpu[id], out);
}

status_t vgic_restore(struct vdev *dev, struct state_reader *in)
{
    struct virqchip *gic = container_of(dev, struct virqchip, dev);

    if (state_get_u8(in) != gic->version || state_get_u8(in) != gic->cpus)
        return ERR_INVALID_ARGS;
    gic->ctlr = state_get_u32(in);
    if ((gic->ctlr & ~(uint32_t)(GICD_CTLR_GRP0 | GICD_CTLR_GRP1)) != 0)
        state_reject(in);
    gic->ctlr &= (uint32_t)(GICD_CTLR_GRP0 | GICD_CTLR_GRP1);
    vtimer_set_count(gic, state_get_u64(in));
    for (unsigned word = 0; word < VGIC_SPI_BANKS; word++)
        restore_spis(gic, word, in);
    for (unsigned id = 0; id < gic->cpus; id++)
        restore_cpu(&gic->cpu[id], in);
    return state_status(in);
}
