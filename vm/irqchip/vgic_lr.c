/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * List registers of the loaded vCPU: what goes in, and what became of it.
 *
 * A sync folds all of them into the banks, ranks what is pending or active, and lists the
 * best. When there is more than fits (GIC architecture specification 12.4, ICH_HCR_EL2):
 *
 *   - The best pending interrupt always has a list register, if need be the one of the
 *     lowest active. So asking for a maintenance interrupt when none is pending (NPIE)
 *     cannot storm: there is one until the guest takes it.
 *   - The guest's deactivation of an active one that is not listed is counted (EOIcount) and
 *     signalled (LRENPIE). The hardware does not say which it was: with EOImode 0 it is the
 *     one of highest priority; with EOImode 1 that is the best guess.
 *   - A level-sensitive input that is still high asks to be looked at when the guest
 *     deactivates it (EOI). So does an SGI of version 2 that has more senders.
 *   - What waits for a group that the guest's interface has disabled is listed once that is
 *     enabled (VGrp<n>EIE).
 */

#include "vm/irqchip/vgic.h"

#include "kernel/irq.h"

struct virqchip_cpu *vgic_loaded_on[MAX_CPUS];

static bool is_v2_sgi(const struct virqchip_cpu *cpu, unsigned intid)
{
    return intid < VGIC_SGIS && cpu->gic->version == 2;
}

/* The guest is done with a timer's interrupt: the host's distributor was told by hardware. */
static void fold_hw(struct virqchip_cpu *cpu, uint32_t bit, uint64_t lr)
{
    if ((lr & LR_HW) && !(lr & LR_STATE)) {
        cpu->hw &= ~bit;
        cpu->bank.line &= ~bit; /* if it is still high, the host's interrupt comes again */
    }
}

/* It is ours to list again, or has a new route and waits for that vCPU. */
static void fold_spi(struct virqchip_cpu *cpu, unsigned intid)
{
    const struct vgic_spis *spis = &cpu->gic->spi[intid / 32 - 1];
    uint32_t bit = 1u << intid % 32;

    cpu->spi_words |= 1u << (intid / 32 - 1);
    if (!(spis->bank.active & bit) && spis->route[intid % 32] != cpu->id)
        vgic_spis_changed(cpu->gic, intid & ~31u, bit);
}

static void fold_lr(struct virqchip_cpu *cpu, unsigned n)
{
    unsigned intid = cpu->lr_intid[n];
    struct vgic_bank *bank = vgic_bank(cpu, intid);
    uint32_t bit = 1u << intid % 32;
    uint64_t lr = gich.ops->read_lr(n);

    if (!(bank->forced & bit))
        bank->active = lr & LR_ACTIVE ? bank->active | bit : bank->active & ~bit;
    if (lr & LR_PENDING)
        bank->latch |= bank->moved & bit;
    if (is_v2_sgi(cpu, intid)) {
        uint8_t source = (uint8_t)FIELD_GET(LR_SOURCE, lr);

        if (lr & LR_ACTIVE)
            cpu->sgi_active[intid] = source;
        else if ((lr & LR_PENDING) && (bank->moved & bit))
            cpu->sgi_sources[intid] |= (uint8_t)BIT(source);
    }
    bank->moved &= ~bit;
    bank->forced &= ~bit;
    bank->listed &= ~bit;
    if (intid < VGIC_PRIVATE)
        fold_hw(cpu, bit, lr);
    else
        fold_spi(cpu, intid);
}

/* Also the VM's lock is held, if any list register has an SPI. `words`: cpu->spi_words. */
static void fold_all(struct virqchip_cpu *cpu, uint32_t words)
{
    if (cpu->hcr & HCR_LRENPIE) {
        unsigned ended = (unsigned)FIELD_GET(HCR_EOICOUNT, gich.ops->read_hcr());

        vgic_end_unlisted(cpu, words, ended);
    }
    for (uint32_t rest = cpu->used; rest != 0; rest &= rest - 1)
        fold_lr(cpu, (unsigned)__builtin_ctz(rest));
    cpu->spi_lrs = 0;
}

/* Timers' interrupts active on the host whose guest has not taken them, and now need not. */
static void settle_hw(struct virqchip_cpu *cpu)
{
    for (uint32_t rest = cpu->hw & ~cpu->bank.active; rest != 0; rest &= rest - 1) {
        unsigned irq = (unsigned)__builtin_ctz(rest);

        if (arch_vtimer_asserted(irq))
            continue;
        cpu->bank.line &= ~(1u << irq);
        cpu->hw &= ~(1u << irq);
        irq_chip()->deactivate(irq);
    }
}

/* Priority, group and INTID. */
static uint64_t lr_base(const struct vgic_bank *bank, unsigned intid)
{
    unsigned i = intid % 32;

    return intid | FIELD_PREP(LR_PRIORITY, bank->priority[i]) |
           (bank->group1 >> i & 1 ? LR_GROUP1 : 0);
}

/* An SGI of version 2 is one sender's at a time; the next one's waits for its end. */
static uint64_t list_v2_sgi(struct virqchip_cpu *cpu, unsigned sgi)
{
    struct vgic_bank *bank = &cpu->bank;
    uint32_t bit = 1u << sgi;
    uint64_t lr;

    if (bank->active & bit) {
        lr = LR_ACTIVE | FIELD_PREP(LR_SOURCE, cpu->sgi_active[sgi]);
    } else {
        lr = LR_PENDING | FIELD_PREP(LR_SOURCE, (unsigned)__builtin_ctz(cpu->sgi_sources[sgi]));
        cpu->sgi_sources[sgi] &= (uint8_t)(cpu->sgi_sources[sgi] - 1);
        bank->moved |= bit;
        if (cpu->sgi_sources[sgi] == 0)
            bank->latch &= ~bit;
    }
    return lr | (bank->latch & bit ? LR_EOI : 0);
}

static uint64_t list_state(struct virqchip_cpu *cpu, struct vgic_bank *bank, unsigned intid)
{
    uint32_t bit = 1u << intid % 32;
    uint32_t forwarded = vgic_forward(cpu->gic, bank) & bit;
    bool high = bank->line & ~bank->edge & bit;
    bool hw = intid < VGIC_PRIVATE && (cpu->hw & bit);
    uint64_t lr = bank->active & bit ? LR_ACTIVE : 0;

    if (intid >= VGIC_PRIVATE && cpu->gic->spi[intid / 32 - 1].route[intid % 32] != cpu->id)
        return lr | LR_EOI; /* active here, and from then on another vCPU's */
    if (bank->latch & forwarded) {
        lr |= LR_PENDING;
        bank->latch &= ~bit;
        bank->moved |= bit;
    } else if (high && forwarded && !lr) {
        lr = LR_PENDING;
    }
    if (hw && lr != LR_STATE) /* HW knows no active and pending */
        return lr | vgic_hw_bits(intid);
    return lr | (high || hw ? LR_EOI : 0);
}

static void list_lr(struct virqchip_cpu *cpu, unsigned n, unsigned intid)
{
    struct vgic_bank *bank = vgic_bank(cpu, intid);
    uint64_t lr = lr_base(bank, intid) |
                  (is_v2_sgi(cpu, intid) ? list_v2_sgi(cpu, intid) : list_state(cpu, bank, intid));

    bank->listed |= 1u << intid % 32;
    cpu->lr_intid[n] = (uint16_t)intid;
    if (intid < VGIC_PRIVATE) {
        cpu->lr_of[intid] = (uint8_t)n;
    } else {
        cpu->gic->spi[intid / 32 - 1].owner[intid % 32] = (uint8_t)cpu->id;
        cpu->spi_lrs |= (uint16_t)BIT(n);
    }
    gich.ops->write_lr(n, lr);
}

static void list_best(struct virqchip_cpu *cpu, bool spis)
{
    struct vgic_ranking ranking;
    unsigned pending = 0;
    uint32_t hcr = (uint32_t)HCR_EN;

    cpu->ready = 0;
    vgic_rank(cpu, spis ? cpu->spi_words : 0, &ranking);
    for (unsigned n = 0; n < ranking.count; n++) {
        pending += (ranking.best[n] & VGIC_KEY_PENDING) != 0;
        list_lr(cpu, n, (unsigned)FIELD_GET(VGIC_KEY_INTID, ranking.best[n]));
    }
    for (unsigned n = ranking.count; cpu->used >> n != 0; n++)
        gich.ops->write_lr(n, 0);
    cpu->used = (uint16_t)(BIT(ranking.count) - 1);

    cpu->overflow = ranking.pending + ranking.active > ranking.count;
    hcr |= ranking.withheld;
    if (ranking.pending > pending)
        hcr |= (uint32_t)HCR_NPIE;
    if (ranking.active > ranking.count - pending)
        hcr |= (uint32_t)HCR_LRENPIE;
    if (hcr != cpu->hcr || (hcr & HCR_LRENPIE)) {
        cpu->hcr = hcr;
        gich.ops->write_hcr(hcr); /* EOIcount is 0 again */
    }
    if (spis)
        cpu->spi_words = cpu->overflow || ranking.withheld != 0 ? ranking.words : 0;
}

/* SPIs in list registers, or waiting for one, are the VM's. */
static bool lock_spis(struct virqchip_cpu *cpu)
{
    if (cpu->spi_lrs == 0 && __atomic_load_n(&cpu->spi_words, __ATOMIC_RELAXED) == 0)
        return false;
    spin_lock(&cpu->gic->lock);
    return true;
}

void vgic_fold(struct virqchip_cpu *cpu)
{
    bool spis = lock_spis(cpu);

    fold_all(cpu, spis ? cpu->spi_words : 0);
    for (unsigned n = 0; cpu->used >> n != 0; n++)
        gich.ops->write_lr(n, 0);
    cpu->used = 0;
    cpu->overflow = true; /* nothing is listed that should be */
    cpu->ready = 0;
    settle_hw(cpu);
    if (spis)
        spin_unlock(&cpu->gic->lock);
}

void vgic_sync(struct virqchip_cpu *cpu)
{
    bool spis = lock_spis(cpu);

    fold_all(cpu, spis ? cpu->spi_words : 0);
    settle_hw(cpu);
    list_best(cpu, spis);
    if (spis)
        spin_unlock(&cpu->gic->lock);
}

/* A list register for a private interrupt that has none; GICH_MAX_LRS: all are used. */
static unsigned take_lr(struct virqchip_cpu *cpu, unsigned intid)
{
    unsigned n = (unsigned)__builtin_ctz(~(uint32_t)cpu->used);

    if (n >= gich.lrs)
        return GICH_MAX_LRS;
    cpu->used |= (uint16_t)BIT(n);
    cpu->lr_intid[n] = (uint16_t)intid;
    cpu->lr_of[intid] = (uint8_t)n;
    cpu->bank.listed |= 1u << intid;
    return n;
}

bool vgic_list_now(struct virqchip_cpu *cpu, unsigned intid, uint64_t bits)
{
    struct vgic_bank *bank = &cpu->bank;
    const struct gich_ops *ops = gich.ops;
    uint32_t bit = 1u << intid;
    uint64_t lr = LR_PENDING | lr_base(bank, intid) | bits;
    unsigned n;

    if (unlikely(cpu->overflow) || !(vgic_forward(cpu->gic, bank) & ~bank->forced & bit))
        return false;
    if (likely(bank->listed & bit)) {
        uint64_t state = ops->read_lr(n = cpu->lr_of[intid]) & LR_STATE;

        if (state != 0 && bits != 0)
            return false;
        lr |= state;
    } else {
        n = take_lr(cpu, intid);
        if (n == GICH_MAX_LRS)
            return false;
    }
    if (bits == 0)
        bank->moved |= bit;
    ops->write_lr(n, lr);
    cpu->lr_ready[intid] = lr & ~LR_ACTIVE;
    cpu->ready |= bit;
    return true;
}

void vgic_load(struct virqchip_cpu *cpu)
{
    bool spis = lock_spis(cpu);

    vgic_loaded_on[this_cpu()->id] = cpu;
    cpu->loaded = true;
    cpu->hcr = 0;
    gich.ops->load(&cpu->interface);
    list_best(cpu, spis);
    if (spis)
        spin_unlock(&cpu->gic->lock);
}

void vgic_put(struct virqchip_cpu *cpu)
{
    vgic_fold(cpu);
    gich.ops->save(&cpu->interface);
    gich.ops->write_hcr(0);
    cpu->hcr = 0;
    cpu->loaded = false;
    vgic_loaded_on[this_cpu()->id] = NULL;
}
