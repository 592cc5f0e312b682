/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's interrupt controller, whichever architecture: what the run loop, the devices and
 * the lifecycle need of it.
 */
#pragma once

#include "arch/status.h"
#include "vm/vdev.h"

struct vm;
struct vcpu;
struct vm_exit;

/* Makes the VM's controller and its frames in the VM's space. Needs vm->vcpus. */
status_t virqchip_create(struct vm *vm);
void virqchip_destroy(struct vm *vm);

/* Power-on state of everything, distributor and every CPU interface. No vCPU is loaded. */
void virqchip_reset(struct vm *vm);
/* One CPU's interface and timers, as at its power-on; what was sent to it stays pending. */
void virqchip_reset_vcpu(struct vcpu *vcpu);

/* With hv->vcpu_load and hv->vcpu_put: list registers and virtual timers. */
void virqchip_load(struct vcpu *vcpu);
void virqchip_put(struct vcpu *vcpu);

/* Before an entry, when VCPU_REQ_IRQ is asked: pending interrupts go to the hardware. */
void virqchip_sync(struct vcpu *vcpu);

/* Is an interrupt pending that ends a halt? Any CPU. */
bool virqchip_wakes(struct vcpu *vcpu);

/* The guest wrote an interrupt-sending register. */
void virqchip_send_ipi(struct vcpu *vcpu, const struct vm_exit *exit);

/* A wire to input `irq`. */
struct irq_line virqchip_line(struct vm *vm, uint32_t irq);

/* An edge. As vm_inject_interrupt. */
status_t virqchip_inject(struct vm *vm, uint64_t cpu_mask, uint32_t irq);

/* Once, at boot: hands the host's interrupts for guests (virtual timers, maintenance) to us. */
status_t virqchip_host_init(void);
/* On each CPU. */
void virqchip_cpu_init(void);
