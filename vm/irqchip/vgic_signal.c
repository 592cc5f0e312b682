/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's CPU interface would signal to its CPU, whether it is in a list register or
 * not: that, and nothing else, ends a halt. What the CPU masks (PSTATE) does not count, what
 * its interface masks does (GIC architecture specification 4.8, 12.4): groups that are not
 * enabled, priorities that are masked or do not preempt what is being handled.
 */

#include "vm/irqchip/vgic.h"

/* ICH_VMCR_EL2, GICH_VMCR */
#define VMCR_CBPR BIT(4) /* group 1 has group 0's binary point */
#define VMCR_BPR1 GENMASK(20, 18)
#define VMCR_BPR0 GENMASK(23, 21)

#define PRIORITIES 256u

struct threshold {
    uint32_t vmcr;
    unsigned running; /* priority of what is being handled; PRIORITIES: nothing is */
};

/* Each active-priority register has 32 levels; together they span all priorities. */
static unsigned running_priority(const struct gich_state *state)
{
    for (unsigned n = 0; n < gich.ap_registers; n++) {
        uint32_t levels = state->ap0r[n] | state->ap1r[n];

        if (levels != 0)
            return (32 * n + (unsigned)__builtin_ctz(levels)) * PRIORITIES /
                   (32 * gich.ap_registers);
    }
    return PRIORITIES;
}

/* The bits of a priority that decide whether it preempts. Group 1's point is one higher. */
static unsigned preempting_bits(uint32_t vmcr, bool group1)
{
    unsigned point = group1 && !(vmcr & VMCR_CBPR)
                         ? MAX((unsigned)FIELD_GET(VMCR_BPR1, vmcr), 1u) - 1
                         : (unsigned)FIELD_GET(VMCR_BPR0, vmcr);

    return ~0u << (point + 1);
}

static bool passes(const struct threshold *threshold, bool group1, unsigned priority)
{
    unsigned bits = preempting_bits(threshold->vmcr, group1);

    return (threshold->vmcr & (group1 ? VMCR_ENG1 : VMCR_ENG0)) &&
           priority < FIELD_GET(VMCR_PMR, threshold->vmcr) &&
           (priority & bits) < (threshold->running & bits);
}

static bool any_listed(const struct virqchip_cpu *cpu, const struct threshold *threshold)
{
    for (uint32_t rest = cpu->used; rest != 0; rest &= rest - 1) {
        uint64_t lr = gich.ops->read_lr((unsigned)__builtin_ctz(rest));

        if ((lr & LR_STATE) == LR_PENDING &&
            passes(threshold, lr & LR_GROUP1, (unsigned)FIELD_GET(LR_PRIORITY, lr)))
            return true;
    }
    return false;
}

/* Bank 0 is the vCPU's own; for others the VM's lock is held. */
static bool any_in_bank(struct virqchip_cpu *cpu, unsigned index, const struct threshold *threshold)
{
    const struct vgic_bank *bank = vgic_bank(cpu, 32 * index);
    uint32_t pending =
        vgic_pending(bank) & vgic_forward(cpu->gic, bank) & ~bank->active & ~bank->listed;

    for (uint32_t rest = vgic_only_mine(cpu, index, pending); rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);

        if (passes(threshold, bank->group1 >> i & 1, bank->priority[i]))
            return true;
    }
    return false;
}

static bool any_spi(struct virqchip_cpu *cpu, const struct threshold *threshold)
{
    bool found = false;

    if (__atomic_load_n(&cpu->spi_words, __ATOMIC_RELAXED) == 0)
        return false;
    spin_lock(&cpu->gic->lock);
    for (uint32_t rest = cpu->spi_words; rest != 0 && !found; rest &= rest - 1)
        found = any_in_bank(cpu, (unsigned)__builtin_ctz(rest) + 1, threshold);
    spin_unlock(&cpu->gic->lock);
    return found;
}

bool vgic_signals(struct virqchip_cpu *cpu)
{
    bool here = vgic_loaded() == cpu;
    struct gich_state live = { 0 };
    const struct gich_state *state = &cpu->interface;

    if (here) {
        gich.ops->save(&live);
        state = &live;
    }
    const struct threshold threshold = { state->vmcr, running_priority(state) };

    return (here && any_listed(cpu, &threshold)) || any_in_bank(cpu, 0, &threshold) ||
           any_spi(cpu, &threshold);
}
