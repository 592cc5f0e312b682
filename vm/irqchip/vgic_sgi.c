/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts that vCPUs send each other: ICC_SGI1R_EL1 and its kin (GIC architecture
 * specification 12.2), GICD_SGIR (GICv2 specification 4.3.15).
 */

#include <arch/ipi.h>

#include "vm/irqchip/irqchip.h"
#include "vm/irqchip/vgic.h"

#define SGI1R_TARGETS GENMASK(15, 0)
#define SGI1R_AFF1 GENMASK(23, 16)
#define SGI1R_INTID GENMASK(27, 24)
#define SGI1R_AFF2 GENMASK(39, 32)
#define SGI1R_IRM BIT(40)
#define SGI1R_RS GENMASK(47, 44)
#define SGI1R_AFF3 GENMASK(55, 48)

#define SGIR_INTID GENMASK(3, 0)
#define SGIR_TARGETS GENMASK(23, 16)
#define SGIR_FILTER GENMASK(25, 24)

enum sgir_filter { SGIR_LIST, SGIR_ALL_BUT_SELF, SGIR_SELF };

/* vCPUs that the register names, a bit each. They have 16 to an Aff1, so RS selects none. */
static uint32_t sgi1r_targets(const struct virqchip_cpu *sender, uint64_t value)
{
    uint32_t all = (uint32_t)BIT(sender->gic->cpus) - 1;
    uint64_t aff1 = FIELD_GET(SGI1R_AFF1, value);

    if (value & SGI1R_IRM)
        return all & ~(1u << sender->id);
    if ((value & (SGI1R_AFF2 | SGI1R_AFF3 | SGI1R_RS)) != 0 || aff1 >= VM_MAX_VCPUS / 16)
        return 0;
    return all & (uint32_t)(FIELD_GET(SGI1R_TARGETS, value) << 16 * aff1);
}

/* With one security state, SGI0R and ASGI1R reach group 0 only; SGI1R reaches both. */
static bool may_send(const struct virqchip_cpu *target, unsigned sgi, unsigned kind)
{
    uint32_t group1 = __atomic_load_n(&target->bank.group1, __ATOMIC_RELAXED);

    return kind == IPI_SGI1R || !(group1 >> sgi & 1);
}

/* Straight into a list register, if it can be. */
static void send_to_self(struct virqchip_cpu *cpu, unsigned sgi)
{
    if (!vgic_list_now(cpu, sgi, 0)) {
        cpu->bank.latch |= 1u << sgi;
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
    }
}

static __attribute__((noinline)) void send_to(struct virqchip_cpu *sender, uint32_t targets,
                                              unsigned sgi, unsigned kind)
{
    for (; targets != 0; targets &= targets - 1) {
        struct virqchip_cpu *target = &sender->gic->cpu[__builtin_ctz(targets)];

        if (!may_send(target, sgi, kind))
            continue;
        if (target != sender) {
            vgic_pulse_private(target, sgi, sender->id);
            continue;
        }
        spin_lock(&sender->lock);
        send_to_self(sender, sgi);
        spin_unlock(&sender->lock);
        vgic_count_injected(sender);
    }
}

/* The plainest way to name oneself, for an SGI that was sent so before: most there are. */
static bool send_again(struct virqchip_cpu *cpu, unsigned sgi)
{
    bool listed;

    spin_lock(&cpu->lock);
    listed = vgic_list_again(cpu, sgi);
    if (listed)
        cpu->bank.moved |= 1u << sgi;
    spin_unlock(&cpu->lock);
    if (listed)
        vgic_count_injected(cpu);
    return listed;
}

void virqchip_send_ipi(struct vcpu *vcpu, const struct vm_exit *exit)
{
    struct virqchip_cpu *sender = vcpu->irqchip;
    uint64_t value = exit->ipi.value;
    unsigned sgi = (unsigned)FIELD_GET(SGI1R_INTID, value);

    if (exit->ipi.kind == IPI_SGI1R && (value & ~SGI1R_INTID) == BIT(sender->id) &&
        send_again(sender, sgi))
        return;
    if (sender->gic->version == 3) /* in version 2 there is no such register */
        send_to(sender, sgi1r_targets(sender, value), sgi, exit->ipi.kind);
}

_Static_assert(VM_MAX_VCPUS <= 16, "vCPU n is target n of Aff1 0");

void vgic_write_sgir(struct virqchip_cpu *sender, uint32_t value)
{
    struct virqchip *gic = sender->gic;
    uint32_t self = 1u << sender->id;
    uint32_t all = (uint32_t)BIT(gic->cpus) - 1;
    uint32_t targets;

    switch (FIELD_GET(SGIR_FILTER, value)) {
    case SGIR_LIST: targets = all & (uint32_t)FIELD_GET(SGIR_TARGETS, value); break;
    case SGIR_ALL_BUT_SELF: targets = all & ~self; break;
    case SGIR_SELF: targets = self; break;
    default: targets = 0; break;
    }
    for (; targets != 0; targets &= targets - 1)
        vgic_pulse_private(&gic->cpu[__builtin_ctz(targets)],
                           (unsigned)FIELD_GET(SGIR_INTID, value), sender->id);
}
