/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exits that every architecture has. Memory exits have a file of their own
 * (exit_memory.c); the table of all is the architecture's (exit_arm64.c, exit_x86.c).
 */

#include "vm/exit.h"

#include "vm/irqchip/irqchip.h"

enum vcpu_next exit_ipi(struct vcpu *vcpu, const struct vm_exit *exit)
{
    virqchip_send_ipi(vcpu, exit);
    return VCPU_ENTER;
}

enum vcpu_next exit_halt(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    return VCPU_HALT;
}

enum vcpu_next exit_yield(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    return VCPU_YIELD;
}

enum vcpu_next exit_fatal(struct vcpu *vcpu, const struct vm_exit *exit)
{
    vcpu_crash(vcpu, exit, exit->fatal.what);
    return VCPU_ENTER; /* only as far as the request to park */
}
