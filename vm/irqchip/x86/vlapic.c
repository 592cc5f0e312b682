/* SPDX-License-Identifier: BSD-2-Clause */
/* A local APIC's life: power-on, INIT, and the modes that IA32_APIC_BASE chooses. */

#include "vm/irqchip/x86/vlapic.h"

#include "kernel/lib/string.h"

#define LVT_EXTINT FIELD_PREP(APIC_DELIVERY, APIC_EXTINT)
#define LVT_NMI FIELD_PREP(APIC_DELIVERY, APIC_NMI)
#define SVR_RESET 0xffu
#define DFR_FLAT UINT32_MAX

/* What follows from the id and the mode (SDM 3A 11.12.10.2: the logical x2APIC id). */
static void set_ids(struct virqchip_cpu *cpu)
{
    vlapic_set_reg(cpu, APIC_ID, vlapic_is_x2(cpu) ? cpu->id : cpu->id << 24);
    vlapic_set_reg(cpu, APIC_LDR,
                   vlapic_is_x2(cpu) ? (cpu->id >> 4) << 16 | 1u << (cpu->id & 15) : 0);
}

/* The backend is to know the mode, and where the registers are. */
static void tell_backend(struct virqchip_cpu *cpu)
{
    const enum hv_apic how = !vlapic_enabled(cpu) ? HV_APIC_OFF
                             : vlapic_is_x2(cpu)  ? HV_APIC_MSRS
                                                  : HV_APIC_PAGE;

    cpu->shown = hv->set_apic(&cpu->vcpu->hv, how, cpu->page);
}

static void reset_registers(struct virqchip_cpu *cpu)
{
    memset(cpu->page, 0, sizeof(cpu->page));
    set_ids(cpu);
    vlapic_set_reg(cpu, APIC_VERSION, VLAPIC_VERSION);
    vlapic_set_reg(cpu, APIC_DFR, DFR_FLAT);
    vlapic_set_reg(cpu, APIC_SVR, SVR_RESET);
    vlapic_set_reg(cpu, APIC_LVT_CMCI, APIC_MASKED);
    for (unsigned reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg++)
        vlapic_set_reg(cpu, reg, APIC_MASKED);
    if (cpu->id == 0) {
        vlapic_set_reg(cpu, APIC_LVT_LINT0, LVT_EXTINT);
        vlapic_set_reg(cpu, APIC_LVT_LINT1, LVT_NMI);
    }
}

void vlapic_init(struct virqchip_cpu *cpu)
{
    vlapic_timer_init(cpu);
}

void vlapic_init_reset(struct virqchip_cpu *cpu)
{
    spin_lock(&cpu->lock);
    reset_registers(cpu);
    vlapic_timer_adopt(cpu);
    for (unsigned i = 0; i < ARRAY_SIZE(cpu->irr.word); i++) {
        __atomic_store_n(&cpu->irr.word[i], 0, __ATOMIC_RELAXED);
        __atomic_store_n(&cpu->tmr.word[i], 0, __ATOMIC_RELAXED);
        cpu->isr.word[i] = 0;
    }
    vlapic_show_all(cpu);
    __atomic_fetch_and(&cpu->events, VLAPIC_LINT0, __ATOMIC_RELAXED);
    __atomic_store_n(&cpu->errors, 0, __ATOMIC_RELAXED);
    tell_backend(cpu);
    spin_unlock(&cpu->lock);
}

void vlapic_reset(struct virqchip_cpu *cpu)
{
    cpu->base = VLAPIC_BASE | APIC_BASE_ENABLE | (cpu->id == 0 ? APIC_BASE_BSP : 0);
    vlapic_init_reset(cpu);
}

/* SDM 3A figure 11-27: from which mode to which, each as ENABLE, X2. The page stays where it is. */
bool vlapic_set_base(struct virqchip_cpu *cpu, uint64_t value)
{
    enum { OFF, INVALID, XAPIC, X2APIC };
    static const uint8_t allowed[] = {
        [OFF] = BIT(OFF) | BIT(XAPIC),
        [XAPIC] = BIT(OFF) | BIT(XAPIC) | BIT(X2APIC),
        [X2APIC] = BIT(OFF) | BIT(X2APIC),
    };
    const uint64_t modes = APIC_BASE_ENABLE | APIC_BASE_X2;
    unsigned from = (unsigned)FIELD_GET(modes, cpu->base);
    unsigned to = (unsigned)FIELD_GET(modes, value);

    if ((value & ~(modes | APIC_BASE_BSP)) != VLAPIC_BASE || !(allowed[from] >> to & 1))
        return false;
    if (from == to)
        return true;
    __atomic_store_n(&cpu->base, (cpu->base & ~modes) | (value & modes), __ATOMIC_RELAXED);
    vlapic_place(cpu->chip);
    if (to == X2APIC) {
        set_ids(cpu);
        tell_backend(cpu);
    } else {
        vlapic_init_reset(cpu);
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ); /* what is awaited is so no more */
    }
    return true;
}

void vlapic_drain(struct virqchip_cpu *cpu)
{
    bool busy;

    do {
        spin_lock(&cpu->lock);
        vlapic_timer_stop(cpu);
        busy = cpu->timer.expected != 0;
        spin_unlock(&cpu->lock);
    } while (busy);
}
