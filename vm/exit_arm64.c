/* SPDX-License-Identifier: BSD-2-Clause */
/* The dispatcher on arm64: each reason's handler. There are no ports and no MSRs. */

#include "vm/exit.h"

#include "kernel/irq.h"

/* On the path of a guest's timer. If another is pending, the guest exits again at once. */
static __attribute__((flatten)) enum vcpu_next exit_irq(struct vcpu *vcpu,
                                                        const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    (void)irq_handle_one();
    return VCPU_ENTER;
}

const exit_handler exit_handlers[VM_EXIT_REASONS] = {
    [VM_EXIT_IRQ] = exit_irq,     [VM_EXIT_MEMORY] = exit_memory,
    [VM_EXIT_IPI] = exit_ipi,     [VM_EXIT_HYPERCALL] = vm_hypercall,
    [VM_EXIT_HALT] = exit_halt,   [VM_EXIT_YIELD] = exit_yield,
    [VM_EXIT_FATAL] = exit_fatal,
};
