/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's virtual and physical timer. While it is loaded they are the CPU's own: the host's
 * interrupt is handed on as a hardware-mapped list register, so the guest's end of it ends it
 * at the host's distributor too. While it is not, one of the hypervisor's timers stands in.
 *
 *     loaded       expiry -> host interrupt -> active there, list register -> guest -> over
 *     not loaded   expiry -> wake -> line high in the bank, vCPU asked to run
 */

#include "kernel/irq.h"
#include "vm/irqchip/vgic.h"

static struct virqchip_cpu *from_timer(struct timer *timer)
{
    return container_of(timer, struct virqchip_cpu, timer.wake);
}

/* When the timer expires, in ticks of the host's counter; TIMER_NEVER if it is off. */
static uint64_t deadline(uint32_t ctl, uint64_t cval, uint64_t offset)
{
    uint64_t at;

    if ((ctl & (TIMER_CTL_ENABLE | TIMER_CTL_IMASK)) != TIMER_CTL_ENABLE ||
        __builtin_add_overflow(cval, offset, &at))
        return TIMER_NEVER;
    return at;
}

/* Sets both lines by the saved registers. The next deadline after now, or TIMER_NEVER. */
static uint64_t update_lines(struct virqchip_cpu *cpu)
{
    const struct vtimer_regs *regs = &cpu->timer.regs;
    uint64_t now = arch_counter();
    uint64_t virtual = deadline(regs->cntv_ctl, regs->cntv_cval, cpu->gic->cntvoff);
    uint64_t physical = deadline(regs->cntp_ctl, regs->cntp_cval, 0);

    cpu->bank.line &= ~VGIC_TIMERS;
    cpu->bank.line |=
        (virtual <= now ? 1u << VTIMER_IRQ : 0) | (physical <= now ? 1u << PTIMER_IRQ : 0);
    return MIN(virtual > now ? virtual : TIMER_NEVER, physical > now ? physical : TIMER_NEVER);
}

/* No longer armed; an expiry may be on its way, though. The vCPU's lock is held. */
static void disarm(struct virqchip_cpu *cpu)
{
    if (cpu->timer.expected != 0 && timer_cancel(&cpu->timer.wake))
        cpu->timer.expected--;
}

/* From now on the hypervisor's timer stands in. The vCPU's lock is held. */
static void stand_in(struct virqchip_cpu *cpu)
{
    uint64_t next = update_lines(cpu);

    disarm(cpu);
    if (next != TIMER_NEVER) {
        cpu->timer.expected++;
        timer_arm(&cpu->timer.wake, next);
    }
}

static void expire(struct timer *timer)
{
    struct virqchip_cpu *cpu = from_timer(timer);

    spin_lock(&cpu->lock);
    cpu->timer.expected--;
    if (!cpu->loaded) {
        stand_in(cpu);
        vgic_count_injected(cpu);
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
    }
    spin_unlock(&cpu->lock);
}

void vtimer_init(struct virqchip_cpu *cpu)
{
    cpu->timer.wake.fire = expire;
}

void vtimer_reset(struct virqchip_cpu *cpu)
{
    cpu->timer.regs = (struct vtimer_regs){ 0 };
    cpu->bank.line &= ~VGIC_TIMERS;
    disarm(cpu);
}

void vtimer_restored(struct virqchip_cpu *cpu)
{
    stand_in(cpu);
}

void vtimer_drain(struct virqchip_cpu *cpu)
{
    bool done;

    do {
        spin_lock(&cpu->lock);
        vtimer_reset(cpu);
        done = cpu->timer.expected == 0;
        spin_unlock(&cpu->lock);
    } while (!done);
}

/*
 * What is high, or active in the guest, is made active at the host's distributor: it does not
 * interrupt us, and the guest's end of it ends it there.
 */
void vtimer_load(struct virqchip_cpu *cpu)
{
    disarm(cpu);
    update_lines(cpu);
    cpu->hw = (cpu->bank.line | cpu->bank.active) & VGIC_TIMERS;
    for (uint32_t rest = cpu->hw; rest != 0; rest &= rest - 1)
        irq_chip()->activate((uint32_t)__builtin_ctz(rest));
    arch_vtimer_load(&cpu->timer.regs, cpu->gic->cntvoff);
}

void vtimer_put(struct virqchip_cpu *cpu)
{
    arch_vtimer_save(&cpu->timer.regs);
    for (uint32_t rest = cpu->hw; rest != 0; rest &= rest - 1)
        irq_chip()->deactivate((uint32_t)__builtin_ctz(rest));
    cpu->hw = 0;
    stand_in(cpu);

    /* It may have expired since the vCPU found nothing to wake it. */
    if ((cpu->bank.line & VGIC_TIMERS) && vgic_signals(cpu))
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
}

/* Not as the last time. Apart, so that the hot path needs less of a stack frame. */
static __attribute__((noinline)) void list_anew(struct virqchip_cpu *cpu, uint32_t irq)
{
    if (!vgic_list_now(cpu, irq, vgic_hw_bits(irq)))
        vcpu_request(cpu->vcpu, VCPU_REQ_IRQ);
}

/* The host's interrupt: the timer of whoever is loaded here. */
static enum irq_result timer_expired(uint32_t irq, void *arg)
{
    struct virqchip_cpu *cpu = vgic_loaded();

    (void)arg;
    if (unlikely(cpu == NULL))
        return IRQ_DONE; /* turned off meanwhile */
    spin_lock(&cpu->lock);
    cpu->hw |= 1u << irq;
    cpu->bank.line |= 1u << irq;
    if (unlikely(!vgic_list_again(cpu, irq)))
        list_anew(cpu, irq);
    spin_unlock(&cpu->lock);
    vgic_count_injected(cpu);
    return IRQ_FORWARDED;
}

status_t vtimer_host_init(void)
{
    status_t status = irq_register(VTIMER_IRQ, timer_expired, NULL);

    return status != OK ? status : irq_register(PTIMER_IRQ, timer_expired, NULL);
}

void vtimer_cpu_init(void)
{
    arch_vtimer_cpu_init();
    irq_chip()->enable(VTIMER_IRQ, false);
    irq_chip()->enable(PTIMER_IRQ, false);
}

void vtimer_set_count(struct virqchip *gic, uint64_t count)
{
    gic->cntvoff = arch_counter() - count;
}
