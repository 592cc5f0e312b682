/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A local APIC in a snapshot. Its vCPU is not loaded.
 *
 *     IA32_APIC_BASE | registers | IRR, ISR, TMR | events, errors | what is left of the timer
 */

#include "vm/irqchip/x86/vlapic.h"
#include "vm/state.h"

static const uint8_t kept[] = {
    APIC_TPR,       APIC_LDR,       APIC_DFR,       APIC_SVR,         APIC_ESR,      APIC_LVT_CMCI,
    APIC_ICR,       APIC_ICR2,      APIC_LVT_TIMER, APIC_LVT_THERMAL, APIC_LVT_PERF, APIC_LVT_LINT0,
    APIC_LVT_LINT1, APIC_LVT_ERROR, APIC_TMICT,     APIC_TDCR,
};

#define EVENTS (VLAPIC_NMI | VLAPIC_EXTINT | VLAPIC_LINT0)
#define ERRORS (ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL | ESR_REGISTER)

static void save_set(const struct vector_set *set, struct state_writer *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(set->word); i++)
        state_put_u64(out, set->word[i]);
}

/* Vectors below 16 are never pending or in service. */
static void restore_set(struct vector_set *set, struct state_reader *in)
{
    for (unsigned i = 0; i < ARRAY_SIZE(set->word); i++)
        set->word[i] = state_get_u64(in);
    if (set->word[0] & 0xffff)
        state_reject(in);
    set->word[0] &= ~0xffffULL;
}

void vlapic_save(const struct virqchip_cpu *cpu, struct state_writer *out)
{
    state_put_u64(out, cpu->base);
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
        state_put_u32(out, vlapic_reg(cpu, kept[i]));
    save_set(&cpu->irr, out);
    save_set(&cpu->isr, out);
    save_set(&cpu->tmr, out);
    state_put_u32(out, cpu->events);
    state_put_u32(out, cpu->errors);
    state_put_u32(out, vlapic_timer_left(cpu));
    state_put_u64(out, cpu->timer.deadline);
}

static uint32_t get_flags(struct state_reader *in, uint32_t allowed)
{
    uint32_t flags = state_get_u32(in);

    if (flags & ~allowed)
        state_reject(in);
    return flags & allowed;
}

/* By the same way that a guest takes there, so that no mode is reached that it could not reach. */
static void restore_base(struct virqchip_cpu *cpu, struct state_reader *in)
{
    uint64_t base = state_get_u64(in);
    bool ok = ((base & APIC_BASE_BSP) != 0) == (cpu->id == 0);

    vlapic_reset(cpu);
    if (!vlapic_set_base(cpu, base | APIC_BASE_ENABLE) ||
        ((base & APIC_BASE_ENABLE) == 0 && !vlapic_set_base(cpu, base)) || !ok)
        state_reject(in);
}

static void restore_timer(struct virqchip_cpu *cpu, struct state_reader *in)
{
    uint32_t left = state_get_u32(in);
    uint64_t deadline = state_get_u64(in);

    spin_lock(&cpu->lock);
    if (!vlapic_timer_restore(cpu, left, deadline))
        state_reject(in);
    spin_unlock(&cpu->lock);
}

void vlapic_restore(struct virqchip_cpu *cpu, struct state_reader *in)
{
    restore_base(cpu, in);
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
        if (!vlapic_restore_register(cpu, kept[i], state_get_u32(in)))
            state_reject(in);
    restore_set(&cpu->irr, in);
    restore_set(&cpu->isr, in);
    restore_set(&cpu->tmr, in);
    cpu->events = get_flags(in, EVENTS);
    cpu->errors = get_flags(in, (uint32_t)ERRORS);
    vlapic_show_all(cpu);
    restore_timer(cpu, in);
    vcpu_request(cpu->vcpu, VCPU_REQ_IRQ); /* what is awaited is so no more */
}
