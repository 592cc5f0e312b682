/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes pending at a local APIC, and what its vCPU takes next (SDM 3A 11.8).
 *
 *     NMI            at once; the backend waits for the guest's IRET
 *     PIC (ExtINT)   when the guest takes interrupts, whatever its priority
 *     IRR            when the guest takes interrupts and the vector's class is above PPR's
 *
 * What must wait for the guest to take interrupts has the backend ask for a window; what waits
 * for TPR only, watch TPR, which may fall without an exit. An interrupt is in service from the
 * moment it is given to the backend, which repeats an injection that an exit interrupted.
 */

#include "vm/irqchip/x86/pc_irqchip.h"

#define PRIORITY_CLASS 0xf0u

/* --- priorities --- */

uint32_t vlapic_ppr(const struct virqchip_cpu *cpu)
{
    uint32_t tpr = vlapic_reg(cpu, APIC_TPR);
    uint32_t serving = vector_set_highest(&cpu->isr) & PRIORITY_CLASS;

    return (tpr & PRIORITY_CLASS) >= serving ? tpr : serving;
}

/* SDM 3A 11.6.2.4 */
uint32_t vlapic_apr(const struct virqchip_cpu *cpu)
{
    uint32_t tpr = vlapic_reg(cpu, APIC_TPR);
    uint32_t requested = vector_set_highest(&cpu->irr) & PRIORITY_CLASS;
    uint32_t serving = vector_set_highest(&cpu->isr) & PRIORITY_CLASS;

    if ((tpr & PRIORITY_CLASS) >= requested && (tpr & PRIORITY_CLASS) > serving)
        return tpr;
    return MAX(MAX(tpr & PRIORITY_CLASS, requested), serving);
}

unsigned vlapic_next(const struct virqchip_cpu *cpu)
{
    unsigned vector = vector_set_highest(&cpu->irr);

    if (vector == 0 || (vector & PRIORITY_CLASS) <= (vlapic_ppr(cpu) & PRIORITY_CLASS))
        return 0;
    return vector;
}

/* --- what comes in --- */

/*
 * What is pending already has been told about: whoever sends it over and over again does not
 * have the vCPU woken each time.
 */
static void post(struct virqchip_cpu *cpu, uint32_t event)
{
    const uint32_t before = __atomic_fetch_or(&cpu->events, event, __ATOMIC_SEQ_CST);

    __atomic_fetch_add(&cpu->vcpu->stats.injected, 1, __ATOMIC_RELAXED);
    if (!(before & event))
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
}

/* The vCPU is to show it, also where the vector is pending already. */
static __attribute__((noinline)) void set_trigger_mode(struct virqchip_cpu *cpu, uint8_t vector,
                                                       bool level)
{
    if (level)
        vector_set_add(&cpu->tmr, vector);
    else
        vector_set_remove(&cpu->tmr, vector);
    __atomic_fetch_or(&cpu->stale, VLAPIC_STALE_TMR, __ATOMIC_SEQ_CST);
    if (cpu->shown)
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
}

static void accept_vector(struct virqchip_cpu *cpu, uint8_t vector, bool level)
{
    if (!(vlapic_reg(cpu, APIC_SVR) & SVR_ENABLE))
        return;
    if (unlikely(vector < APIC_FIRST_VECTOR)) {
        vlapic_error(cpu, ESR_RECEIVE_ILLEGAL);
        return;
    }
    if (unlikely(vector_set_has(&cpu->tmr, vector) != level))
        set_trigger_mode(cpu, vector, level);
    __atomic_fetch_add(&cpu->vcpu->stats.injected, 1, __ATOMIC_RELAXED);
    if (vector_set_add(&cpu->irr, vector))
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
}

void vlapic_accept(struct virqchip_cpu *cpu, enum apic_delivery delivery, uint8_t vector,
                   bool level)
{
    if (likely(delivery == APIC_FIXED || delivery == APIC_LOWEST))
        accept_vector(cpu, vector, level);
    else if (delivery == APIC_NMI)
        post(cpu, VLAPIC_NMI);
    else if (delivery == APIC_EXTINT)
        post(cpu, VLAPIC_EXTINT);
}

void vlapic_fire_lvt(struct virqchip_cpu *cpu, enum vlapic_reg entry)
{
    uint32_t lvt = vlapic_reg(cpu, entry);
    bool fixed = entry == APIC_LVT_TIMER || entry == APIC_LVT_ERROR;

    if (!(lvt & APIC_MASKED) && vlapic_enabled(cpu))
        vlapic_accept(cpu, fixed ? APIC_FIXED : FIELD_GET(APIC_DELIVERY, lvt),
                      (uint8_t)FIELD_GET(APIC_VECTOR, lvt), false);
}

/* The second time says nothing new, so an illegal vector in the error's own entry ends here. */
void vlapic_error(struct virqchip_cpu *cpu, uint32_t esr_bit)
{
    if (!(__atomic_fetch_or(&cpu->errors, esr_bit, __ATOMIC_RELAXED) & esr_bit))
        vlapic_fire_lvt(cpu, APIC_LVT_ERROR);
}

/* Does LINT0 lead to the CPU's INTR? With the APIC turned off it is that pin. */
static bool lint0_is_extint(const struct virqchip_cpu *cpu)
{
    uint32_t lvt = vlapic_reg(cpu, APIC_LVT_LINT0);

    return !vlapic_enabled(cpu) ||
           (!(lvt & APIC_MASKED) && FIELD_GET(APIC_DELIVERY, lvt) == APIC_EXTINT);
}

void vlapic_set_lint0(struct virqchip_cpu *cpu, bool level)
{
    if (!level)
        __atomic_fetch_and(&cpu->events, ~(uint32_t)VLAPIC_LINT0, __ATOMIC_SEQ_CST);
    else if (lint0_is_extint(cpu))
        post(cpu, VLAPIC_LINT0);
    else if (!(__atomic_fetch_or(&cpu->events, VLAPIC_LINT0, __ATOMIC_SEQ_CST) & VLAPIC_LINT0))
        vlapic_fire_lvt(cpu, APIC_LVT_LINT0);
}

/* --- what goes out --- */

static bool extint_waits(const struct virqchip_cpu *cpu, uint32_t events)
{
    return (events & VLAPIC_EXTINT) || ((events & VLAPIC_LINT0) && lint0_is_extint(cpu));
}

static void await(struct virqchip_cpu *cpu, uint8_t what)
{
    const uint8_t changed = cpu->awaited ^ what;

    if (likely(changed == 0))
        return;
    cpu->awaited = what;
    if (changed & VLAPIC_WINDOW)
        hv->ask_window(&cpu->vcpu->hv, (what & VLAPIC_WINDOW) != 0);
    if (changed & VLAPIC_CLASS)
        hv->watch_priority(&cpu->vcpu->hv, what & VLAPIC_CLASS);
}

/* The class of what nothing but TPR keeps waiting; 0: there is no such thing. */
static uint8_t held_by_tpr(const struct virqchip_cpu *cpu)
{
    const unsigned class = vector_set_highest(&cpu->irr) >> 4;

    if (class <= vector_set_highest(&cpu->isr) >> 4 || class > vlapic_reg(cpu, APIC_TPR) >> 4)
        return 0;
    return (uint8_t) class;
}

static uint32_t load_events(const struct virqchip_cpu *cpu)
{
    return __atomic_load_n(&cpu->events, __ATOMIC_RELAXED);
}

/* Not inline, as the next, so that other interrupts do not pay for it. */
static __attribute__((noinline)) void take_nmi(struct virqchip_cpu *cpu)
{
    __atomic_fetch_and(&cpu->events, ~(uint32_t)VLAPIC_NMI, __ATOMIC_SEQ_CST);
    hv->inject_nmi(&cpu->vcpu->hv);
}

static __attribute__((noinline)) void take_extint(struct virqchip_cpu *cpu)
{
    __atomic_fetch_and(&cpu->events, ~(uint32_t)VLAPIC_EXTINT, __ATOMIC_SEQ_CST);
    hv->inject_irq(&cpu->vcpu->hv, vpic_acknowledge(&cpu->chip->pic));
}

static void take_vector(struct virqchip_cpu *cpu, unsigned vector)
{
    uint64_t *isr = &cpu->isr.word[vector / 64];

    vector_set_remove(&cpu->irr, vector);
    __atomic_store_n(isr, *isr | BIT(vector % 64), __ATOMIC_RELAXED);
    if (cpu->shown)
        vlapic_show_taken(cpu, vector);
    hv->inject_irq(&cpu->vcpu->hv, (uint8_t)vector);
}

/* One of the two is taken; the other then waits for the next window. */
void virqchip_sync(struct vcpu *vcpu)
{
    struct virqchip_cpu *cpu = vcpu->irqchip;
    unsigned vector = vlapic_next(cpu);
    uint32_t events = load_events(cpu);
    bool extint;

    if (unlikely(events & VLAPIC_NMI))
        take_nmi(cpu);
    extint = extint_waits(cpu, events);
    if (vector == 0 && !extint) {
        await(cpu, held_by_tpr(cpu));
        vlapic_show_pending(cpu);
        return;
    }
    if (!hv->irq_ready(&vcpu->hv)) {
        await(cpu, VLAPIC_WINDOW);
        vlapic_show_pending(cpu);
        return;
    }
    if (likely(!extint)) {
        take_vector(cpu, vector); /* others are of its class or below: they wait for its end */
        await(cpu, 0);
        return;
    }
    take_extint(cpu);
    vlapic_show_pending(cpu);
    await(cpu,
          vector != 0 || extint_waits(cpu, load_events(cpu)) ? VLAPIC_WINDOW : held_by_tpr(cpu));
}

void vlapic_window(struct virqchip_cpu *cpu)
{
    await(cpu, 0);
    virqchip_sync(cpu->vcpu);
}

/* HLT ends by what the guest would take: it is loaded on the calling CPU. */
bool virqchip_wakes(struct vcpu *vcpu)
{
    const struct virqchip_cpu *cpu = vcpu->irqchip;
    uint32_t events = load_events(cpu);

    if (events & VLAPIC_NMI)
        return true;
    return (vlapic_next(cpu) != 0 || extint_waits(cpu, events)) && hv->irq_ready(&vcpu->hv);
}

void vlapic_look_again(struct virqchip_cpu *cpu)
{
    uint32_t events = load_events(cpu);

    if (vector_set_highest(&cpu->irr) != 0 || (events & VLAPIC_NMI) || extint_waits(cpu, events))
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
}

void vlapic_eoi(struct virqchip_cpu *cpu)
{
    unsigned vector = vector_set_highest(&cpu->isr);
    uint64_t *isr = &cpu->isr.word[vector / 64];

    if (vector == 0)
        return;
    __atomic_store_n(isr, *isr & ~BIT(vector % 64), __ATOMIC_RELAXED);
    if (cpu->shown)
        vlapic_show_service(cpu, vector);
    if (unlikely(vector_set_has(&cpu->tmr, vector)) &&
        !(vlapic_reg(cpu, APIC_SVR) & SVR_NO_BROADCAST))
        vioapic_eoi(&cpu->chip->ioapic, (uint8_t)vector);
    vlapic_look_again(cpu);
}
