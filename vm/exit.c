/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dispatcher: each reason's handler, by table. Memory exits have a file of their own
 * (exit_memory.c), hypercalls have the architecture's.
 */

#include "vm/exit.h"

#include "kernel/irq.h"
#include "vm/irqchip/irqchip.h"

static enum vcpu_next exit_irq(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    irq_dispatch();
    return VCPU_ENTER;
}

static enum vcpu_next exit_ipi(struct vcpu *vcpu, const struct vm_exit *exit)
{
    virqchip_send_ipi(vcpu, exit);
    return VCPU_ENTER;
}

static enum vcpu_next exit_halt(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    return VCPU_HALT;
}

static enum vcpu_next exit_yield(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    return VCPU_YIELD;
}

static enum vcpu_next exit_fatal(struct vcpu *vcpu, const struct vm_exit *exit)
{
    vcpu_crash(vcpu, exit, exit->fatal.what);
    return VCPU_ENTER; /* only as far as the request to park */
}

const exit_handler exit_handlers[VM_EXIT_REASONS] = {
    [VM_EXIT_IRQ] = exit_irq,     [VM_EXIT_MEMORY] = exit_memory,
    [VM_EXIT_IPI] = exit_ipi,     [VM_EXIT_HYPERCALL] = vm_hypercall,
    [VM_EXIT_HALT] = exit_halt,   [VM_EXIT_YIELD] = exit_yield,
    [VM_EXIT_FATAL] = exit_fatal,
};
