/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a sender to vCPUs: destinations (SDM 3A 11.6.2) and the interrupt command register
 * (11.6.1, x2APIC 11.12.9).
 */

#include "kernel/log.h"
#include "vm/irqchip/x86/pc_irqchip.h"

#define ICR_LOGICAL BIT(11)
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_SHORTHAND GENMASK(19, 18)
#define DFR_CLUSTER_MODEL 0
#define BROADCAST 0xffu
#define BROADCAST_WIDE UINT32_MAX

enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

/* vCPUs, a bit each. */
typedef uint32_t cpu_set;
_Static_assert(VM_MAX_VCPUS <= 32, "a bit each");

static cpu_set all_cpus(const struct virqchip *chip)
{
    return (cpu_set)(BIT(chip->cpus) - 1);
}

/* --- destinations --- */

static bool is_broadcast(const struct apic_message *message)
{
    return message->destination == (message->wide ? BROADCAST_WIDE : BROADCAST);
}

static bool matches_logical(const struct virqchip_cpu *cpu, uint32_t destination)
{
    uint32_t ldr = vlapic_reg(cpu, APIC_LDR);

    if (vlapic_is_x2(cpu))
        return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff) != 0;
    ldr >>= 24;
    if (vlapic_reg(cpu, APIC_DFR) >> 28 == DFR_CLUSTER_MODEL)
        return ldr >> 4 == destination >> 4 && (ldr & destination & 0xf) != 0;
    return (ldr & destination & 0xff) != 0;
}

static cpu_set receivers(const struct virqchip *chip, const struct apic_message *message)
{
    cpu_set set = 0;

    if (is_broadcast(message))
        return all_cpus(chip);
    if (!message->logical)
        return message->destination < chip->cpus ? 1u << message->destination : 0;
    for (unsigned id = 0; id < chip->cpus; id++)
        set |= (cpu_set)matches_logical(&chip->cpu[id], message->destination) << id;
    return set;
}

/* The one of them that does the least important work; 0: none of them listens. */
static cpu_set least_busy(const struct virqchip *chip, cpu_set set)
{
    cpu_set best = 0;
    uint32_t best_priority = UINT32_MAX;

    for (; set != 0; set &= set - 1) {
        const struct virqchip_cpu *cpu = &chip->cpu[__builtin_ctz(set)];
        uint32_t priority = vlapic_ppr(cpu);

        if (!(vlapic_reg(cpu, APIC_SVR) & SVR_ENABLE) || !vlapic_enabled(cpu) ||
            priority >= best_priority)
            continue;
        best = set & (0 - set);
        best_priority = priority;
    }
    return best;
}

static void deliver(struct virqchip *chip, cpu_set set, const struct apic_message *message)
{
    if (message->delivery == APIC_LOWEST)
        set = least_busy(chip, set);
    for (; set != 0; set &= set - 1) {
        struct virqchip_cpu *cpu = &chip->cpu[__builtin_ctz(set)];

        if (likely(vlapic_enabled(cpu)))
            vlapic_accept(cpu, message->delivery, message->vector, message->level);
    }
}

void vlapic_send(struct virqchip *chip, const struct apic_message *message)
{
    deliver(chip, receivers(chip, message), message);
}

/* --- starting and stopping CPUs --- */

/* The boot CPU waits for no STARTUP: for it, INIT is the machine's reset. */
static void send_init(struct virqchip_cpu *target)
{
    struct vm *vm = target->chip->vm;

    if (target->id != 0) {
        vcpu_turn_off(target->vcpu);
        return;
    }
    log_info("%s: INIT for its boot CPU: reset", vm->config.name);
    vm_end_by_guest(vm, VM_END_RESET);
}

/* One that runs already does not listen. */
static void send_startup(struct virqchip_cpu *target, uint8_t page)
{
    const struct hv_reset start = { .mode = HV_MODE_STARTUP,
                                    .entry = (uint64_t)page << PAGE_SHIFT };

    (void)vcpu_power_on(target->vcpu, &start);
}

/* Not inline, so that other interrupts do not pay for it. */
static __attribute__((noinline)) void start_or_stop(struct virqchip *chip, cpu_set set,
                                                    const struct apic_message *message)
{
    for (; set != 0; set &= set - 1) {
        struct virqchip_cpu *target = &chip->cpu[__builtin_ctz(set)];

        if (message->delivery == APIC_INIT)
            send_init(target);
        else
            send_startup(target, message->vector);
    }
}

/* --- the register --- */

static cpu_set icr_receivers(const struct virqchip_cpu *cpu, uint64_t icr,
                             const struct apic_message *message)
{
    switch (FIELD_GET(ICR_SHORTHAND, icr)) {
    case TO_DESTINATION: return receivers(cpu->chip, message);
    case TO_SELF: return 1u << cpu->id;
    case TO_OTHERS: return all_cpus(cpu->chip) & ~(1u << cpu->id);
    default: return all_cpus(cpu->chip);
    }
}

void vlapic_write_icr(struct virqchip_cpu *cpu, uint64_t icr)
{
    const bool wide = vlapic_is_x2(cpu);
    const struct apic_message message = {
        .destination = (uint32_t)(icr >> (wide ? 32 : 56)),
        .vector = (uint8_t)FIELD_GET(APIC_VECTOR, icr),
        .delivery = (uint8_t)FIELD_GET(APIC_DELIVERY, icr),
        .logical = (icr & ICR_LOGICAL) != 0,
        .wide = wide,
    };
    bool fixed = message.delivery == APIC_FIXED || message.delivery == APIC_LOWEST;

    vlapic_set_reg(cpu, APIC_ICR, (uint32_t)icr & ICR_KEPT);
    vlapic_set_reg(cpu, APIC_ICR2, (uint32_t)(icr >> 32));
    if (unlikely(fixed && message.vector < APIC_FIRST_VECTOR)) {
        vlapic_error(cpu, ESR_SEND_ILLEGAL);
        return;
    }
    if (fixed || message.delivery == APIC_NMI)
        deliver(cpu->chip, icr_receivers(cpu, icr, &message), &message);
    else if (message.delivery == APIC_STARTUP ||
             (message.delivery == APIC_INIT && (icr & (ICR_ASSERT | ICR_LEVEL)) != ICR_LEVEL))
        start_or_stop(cpu->chip, icr_receivers(cpu, icr, &message), &message);
}

void virqchip_send_ipi(struct vcpu *vcpu, const struct vm_exit *exit)
{
    vlapic_write_icr(vcpu->irqchip, exit->ipi.value);
}
