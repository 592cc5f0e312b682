/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of host interrupts. irq_handle_one is on the path of every interrupt that a guest
 * gets, its virtual timer's first of all: acknowledge, and drop the priority so that others may
 * come; call the handler; deactivate unless a guest will.
 */

#include "kernel/irq.h"

#include "arch/bits.h"
#include "arch/smp.h"
#include "kernel/log.h"
#include "kernel/panic.h"

struct irq_entry {
    irq_handler_t handler;
    void *arg;
};

static struct irq_entry table[IRQ_MAX];
static const struct irqchip *chip;

/* The kick: arriving is all it does; it ended the guest's run or the CPU's sleep. */
static enum irq_result handle_ipi(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    return IRQ_DONE;
}

static enum irq_result stop_cpu(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    arch_cpu_stop();
}

void irq_stop_at_kick(void)
{
    __atomic_store_n(&table[chip->ipi].handler, stop_cpu, __ATOMIC_RELEASE);
}

void irq_set_chip(const struct irqchip *new_chip)
{
    assert(new_chip->ipi < IRQ_MAX);
    table[new_chip->ipi].handler = handle_ipi;
    chip = new_chip;
}

const struct irqchip *irq_chip(void)
{
    return chip;
}

status_t irq_register(uint32_t irq, irq_handler_t handler, void *arg)
{
    if (irq >= IRQ_MAX || !handler)
        return ERR_INVALID_ARGS;
    if (table[irq].handler)
        return ERR_ALREADY_EXISTS;
    table[irq].arg = arg;
    __atomic_store_n(&table[irq].handler, handler, __ATOMIC_RELEASE);
    return OK;
}

static __attribute__((noinline, cold)) void refuse(uint32_t irq)
{
    chip->disable(irq);
    chip->deactivate(irq);
    log_warn("interrupt %u: nobody asked for it, now disabled", irq);
}

bool irq_handle_one(void)
{
    const struct irqchip *const host = chip;
    const uint32_t irq = host->ack();
    const struct irq_entry *entry;

    if (irq >= IRQ_MAX)
        return false;
    entry = &table[irq];
    if (unlikely(!entry->handler))
        refuse(irq);
    else if (entry->handler(irq, entry->arg) == IRQ_DONE)
        host->deactivate(irq);
    return true;
}
