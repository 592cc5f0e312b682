/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A local APIC's registers: one table says which exist in the page and which as MSRs, and which
 * bits are kept (SDM 3A tables 11-1 and 11-6). The page swallows what is wrong and notes it in
 * ESR; the MSRs raise #GP(0).
 */

#include "vm/irqchip/x86/pc_irqchip.h"

enum access { R = 1, W = 2, RX = 4, WX = 8 }; /* page; MSR */

#define STATUS 0x5000u /* delivery status, an LVT entry's remote IRR: read-only, not reserved */
#define ERRORS (ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL | ESR_REGISTER)

static const struct rule {
    uint8_t access;
    uint32_t bits;
} rules[VLAPIC_REGS] = {
    [APIC_ID] = { R | RX, 0 },
    [APIC_VERSION] = { R | RX, 0 },
    [APIC_TPR] = { R | W | RX | WX, 0xff },
    [APIC_APR] = { R, 0 },
    [APIC_PPR] = { R | RX, 0 },
    [APIC_EOI] = { W | WX, 0 },
    [APIC_RRD] = { R, 0 },
    [APIC_LDR] = { R | W | RX, 0xff000000 },
    [APIC_DFR] = { R | W, 0xf0000000 },
    [APIC_SVR] = { R | W | RX | WX, 0x13ff },
    [APIC_ISR... APIC_ISR + 7] = { R | RX, 0 },
    [APIC_TMR... APIC_TMR + 7] = { R | RX, 0 },
    [APIC_IRR... APIC_IRR + 7] = { R | RX, 0 },
    [APIC_ESR] = { R | W | RX | WX, 0 },
    [APIC_LVT_CMCI] = { R | W | RX | WX, 0x107ff },
    [APIC_ICR] = { R | W | RX | WX, ICR_KEPT },
    [APIC_ICR2] = { R | W, 0xff000000 },
    [APIC_LVT_TIMER] = { R | W | RX | WX, 0x700ff },
    [APIC_LVT_THERMAL] = { R | W | RX | WX, 0x107ff },
    [APIC_LVT_PERF] = { R | W | RX | WX, 0x107ff },
    [APIC_LVT_LINT0] = { R | W | RX | WX, 0x1a7ff },
    [APIC_LVT_LINT1] = { R | W | RX | WX, 0x1a7ff },
    [APIC_LVT_ERROR] = { R | W | RX | WX, 0x100ff },
    [APIC_TMICT] = { R | W | RX | WX, UINT32_MAX },
    [APIC_TMCCT] = { R | RX, 0 },
    [APIC_TDCR] = { R | W | RX | WX, 0xb },
    [APIC_SELF_IPI] = { WX, 0xff },
};

static bool is_lvt(unsigned reg)
{
    return reg == APIC_LVT_CMCI || (reg >= APIC_LVT_TIMER && reg <= APIC_LVT_ERROR);
}

/* --- by register, whichever way it was reached --- */

static uint32_t word_of(const struct vector_set *set, unsigned n)
{
    return (uint32_t)(__atomic_load_n(&set->word[n / 2], __ATOMIC_RELAXED) >> 32 * (n % 2));
}

static uint32_t read_count(struct virqchip_cpu *cpu)
{
    uint32_t count;

    spin_lock(&cpu->lock);
    count = vlapic_timer_count(cpu);
    spin_unlock(&cpu->lock);
    return count;
}

static uint32_t read_register(struct virqchip_cpu *cpu, unsigned reg)
{
    switch (reg) {
    case APIC_APR: return vlapic_apr(cpu);
    case APIC_PPR: return vlapic_ppr(cpu);
    case APIC_ISR ... APIC_ISR + 7: return word_of(&cpu->isr, reg - APIC_ISR);
    case APIC_TMR ... APIC_TMR + 7: return word_of(&cpu->tmr, reg - APIC_TMR);
    case APIC_IRR ... APIC_IRR + 7: return word_of(&cpu->irr, reg - APIC_IRR);
    case APIC_TMCCT: return read_count(cpu);
    default: return vlapic_reg(cpu, reg);
    }
}

/* Not inline, as the next two, so that the end of an interrupt does not pay for them. */
static __attribute__((noinline)) void write_timer(struct virqchip_cpu *cpu, unsigned reg,
                                                  uint32_t value)
{
    spin_lock(&cpu->lock);
    vlapic_timer_write(cpu, (enum vlapic_reg)reg, value);
    spin_unlock(&cpu->lock);
}

/* While the APIC is disabled by software, every entry stays masked (SDM 3A 11.4.7.2). */
static __attribute__((noinline)) void write_lvt(struct virqchip_cpu *cpu, unsigned reg,
                                                uint32_t value)
{
    if (!(vlapic_reg(cpu, APIC_SVR) & SVR_ENABLE))
        value |= APIC_MASKED;
    if (reg == APIC_LVT_TIMER)
        write_timer(cpu, reg, value);
    else
        vlapic_set_reg(cpu, reg, value);
    if (reg == APIC_LVT_LINT0)
        vlapic_look_again(cpu);
}

static __attribute__((noinline)) void write_svr(struct virqchip_cpu *cpu, uint32_t value)
{
    vlapic_set_reg(cpu, APIC_SVR, value);
    if (value & SVR_ENABLE)
        return;
    for (unsigned reg = APIC_LVT_CMCI; reg <= APIC_LVT_ERROR; reg++)
        if (is_lvt(reg))
            write_lvt(cpu, reg, vlapic_reg(cpu, reg));
}

static void send_to_self(struct virqchip_cpu *cpu, uint8_t vector)
{
    if (vector < APIC_FIRST_VECTOR)
        vlapic_error(cpu, ESR_SEND_ILLEGAL);
    else
        vlapic_accept(cpu, APIC_FIXED, vector, false);
}

/* Only bits that the register keeps. */
static void write_register(struct virqchip_cpu *cpu, unsigned reg, uint32_t value)
{
    switch (reg) {
    case APIC_EOI:
        vlapic_set_reg(cpu, reg, 0);
        vlapic_eoi(cpu);
        break;
    case APIC_TPR:
        vlapic_set_reg(cpu, reg, value);
        vlapic_look_again(cpu);
        break;
    case APIC_ICR: vlapic_write_icr(cpu, (uint64_t)vlapic_reg(cpu, APIC_ICR2) << 32 | value); break;
    case APIC_SELF_IPI: send_to_self(cpu, (uint8_t)value); break;
    case APIC_SVR: write_svr(cpu, value); break;
    case APIC_ESR:
        vlapic_set_reg(cpu, reg, __atomic_exchange_n(&cpu->errors, 0, __ATOMIC_RELAXED));
        break;
    case APIC_DFR: vlapic_set_reg(cpu, reg, value | ~rules[APIC_DFR].bits); break;
    case APIC_TMICT:
    case APIC_TDCR: write_timer(cpu, reg, value); break;
    default:
        if (is_lvt(reg))
            write_lvt(cpu, reg, value);
        else
            vlapic_set_reg(cpu, reg, value);
        break;
    }
}

/* --- the page --- */

/* The vCPU's own, as long as it has one; with x2APIC or no APIC nothing answers. */
static struct virqchip_cpu *at_page(struct vdev *dev, unsigned id)
{
    struct virqchip_cpu *cpu = &container_of(dev, struct virqchip, lapics)->cpu[id];

    return likely((cpu->base & (APIC_BASE_ENABLE | APIC_BASE_X2)) == APIC_BASE_ENABLE) ? cpu : NULL;
}

static bool is_allowed(struct virqchip_cpu *cpu, uint64_t reg, uint8_t access)
{
    if (likely(reg < VLAPIC_REGS && (rules[reg].access & access)))
        return true;
    if (reg >= VLAPIC_REGS || !(rules[reg].access & (R | W)))
        vlapic_error(cpu, ESR_REGISTER);
    return false;
}

/* Registers are the low 4 bytes of each 16. */
uint64_t vlapic_read(struct vdev *dev, struct vdev_access access)
{
    struct virqchip_cpu *cpu = at_page(dev, access.cpu);

    if (unlikely(cpu == NULL))
        return UINT64_MAX;
    if (unlikely((access.offset & 0xf) >= 4) || !is_allowed(cpu, access.offset / 16, R))
        return 0;
    return (uint64_t)read_register(cpu, (unsigned)(access.offset / 16)) >> 8 * (access.offset & 3);
}

/* Only whole registers are written. Of those that are not, hardware may have changed the id. */
void vlapic_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct virqchip_cpu *cpu = at_page(dev, access.cpu);
    unsigned reg = (unsigned)(access.offset / 16);

    if (unlikely(cpu == NULL || access.size != 4 || (access.offset & 0xf) != 0))
        return;
    if (is_allowed(cpu, reg, W))
        write_register(cpu, reg, (uint32_t)value & rules[reg].bits);
    else
        vlapic_set_reg(cpu, APIC_ID, cpu->id << 24);
}

/* --- snapshots --- */

bool vlapic_restore_register(struct virqchip_cpu *cpu, unsigned reg, uint32_t value)
{
    uint32_t allowed = rules[reg].bits;

    if (reg == APIC_DFR)
        allowed = UINT32_MAX;
    else if (reg == APIC_ESR)
        allowed = (uint32_t)ERRORS;
    else if ((reg == APIC_ICR2 || reg == APIC_LDR) && vlapic_is_x2(cpu))
        allowed = UINT32_MAX;
    if ((value & ~allowed) != 0 || (reg == APIC_DFR && (value | rules[reg].bits) != UINT32_MAX) ||
        (reg == APIC_LDR && vlapic_is_x2(cpu) && value != vlapic_reg(cpu, APIC_LDR)))
        return false;
    vlapic_set_reg(cpu, reg, value);
    return true;
}

/* --- the MSRs --- */

static bool read_x2(struct virqchip_cpu *cpu, uint32_t reg, uint64_t *value)
{
    if (!vlapic_is_x2(cpu) || reg >= VLAPIC_REGS || !(rules[reg].access & RX))
        return false;
    *value = read_register(cpu, reg);
    if (reg == APIC_ICR)
        *value |= (uint64_t)vlapic_reg(cpu, APIC_ICR2) << 32;
    return true;
}

static bool write_x2(struct virqchip_cpu *cpu, uint32_t reg, uint64_t value)
{
    const struct rule *rule = &rules[reg % VLAPIC_REGS];
    uint64_t allowed = rule->bits;

    if (!vlapic_is_x2(cpu) || reg >= VLAPIC_REGS || !(rule->access & WX))
        return false;
    if (reg == APIC_ICR)
        allowed |= GENMASK(63, 32) | ICR_PENDING;
    else if (is_lvt(reg))
        allowed |= STATUS;
    if ((value & ~allowed) != 0)
        return false;
    if (reg == APIC_ICR)
        vlapic_write_icr(cpu, value);
    else
        write_register(cpu, reg, (uint32_t)value & rule->bits);
    return true;
}

static uint64_t read_deadline(struct virqchip_cpu *cpu)
{
    uint64_t deadline;

    spin_lock(&cpu->lock);
    deadline = cpu->timer.deadline;
    spin_unlock(&cpu->lock);
    return deadline;
}

static void write_deadline(struct virqchip_cpu *cpu, uint64_t value)
{
    spin_lock(&cpu->lock);
    vlapic_timer_set_deadline(cpu, value);
    spin_unlock(&cpu->lock);
}

/* TPR's upper half. */
static bool write_cr8(struct virqchip_cpu *cpu, uint64_t value)
{
    if (value > 0xf)
        return false;
    write_register(cpu, APIC_TPR, (uint32_t)value << 4);
    return true;
}

bool vlapic_read_msr(struct virqchip_cpu *cpu, uint32_t index, uint64_t *value)
{
    switch (index) {
    case MSR_TSC_DEADLINE: *value = read_deadline(cpu); return true;
    case MSR_APIC_BASE: *value = cpu->base; return true;
    case X86_MSR_CR8: *value = vlapic_reg(cpu, APIC_TPR) >> 4; return true;
    default: return read_x2(cpu, index - MSR_X2APIC, value);
    }
}

bool vlapic_write_msr(struct virqchip_cpu *cpu, uint32_t index, uint64_t value)
{
    switch (index) {
    case MSR_TSC_DEADLINE: write_deadline(cpu, value); return true;
    case MSR_APIC_BASE: return vlapic_set_base(cpu, value);
    case X86_MSR_CR8: return write_cr8(cpu, value);
    default: return write_x2(cpu, index - MSR_X2APIC, value);
    }
}
