/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dispatcher on x86, and the exits that only x86 has: ports, the APIC's MSRs, interrupt
 * windows, the reset line, hypercalls.
 */

#include <arch/finish.h>

#include "vm/exit.h"

#include "kernel/irq.h"
#include "kernel/log.h"
#include "vm/irqchip/x86/vlapic.h"
#include "vm/pio.h"
#include "vm/vm.h"

/* --- ports --- */

/* A machine without ports is one where nothing answers. */
static uint64_t read_port(struct vcpu *vcpu, uint16_t port, unsigned size)
{
    struct pio_bus *ports = vcpu->vm->ports;

    return likely(ports != NULL) ? pio_read(ports, port, size, vcpu->id) : UINT64_MAX;
}

static void write_port(struct vcpu *vcpu, uint16_t port, unsigned size, uint64_t value)
{
    struct pio_bus *ports = vcpu->vm->ports;

    if (likely(ports != NULL))
        pio_write(ports, port, size, value, vcpu->id);
}

static status_t bus_port_read(void *context, uint16_t port, unsigned size, uint64_t *value)
{
    *value = low_bytes(read_port(context, port, size), size);
    return OK;
}

static status_t bus_port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    write_port(context, port, size, low_bytes(value, size));
    return OK;
}

/* INS and OUTS: their other side is memory, or another device. */
static __attribute__((noinline)) enum vcpu_next emulate_string(struct vcpu *vcpu,
                                                               const struct vm_exit *exit)
{
    struct hv_bus bus = exit_bus(vcpu);

    bus.port_read = bus_port_read;
    bus.port_write = bus_port_write;
    if (hv->emulate(&vcpu->hv, exit, &bus) != OK)
        hv->inject_bus_fault(&vcpu->hv, exit);
    return VCPU_ENTER;
}

static enum vcpu_next exit_pio(struct vcpu *vcpu, const struct vm_exit *exit)
{
    if (unlikely(!exit->pio.decoded))
        return emulate_string(vcpu, exit);
    if (exit->pio.write) {
        write_port(vcpu, exit->pio.port, exit->pio.size, exit->pio.value);
        hv_finish_write(&vcpu->hv, exit);
    } else {
        hv_finish_read(&vcpu->hv, exit, read_port(vcpu, exit->pio.port, exit->pio.size));
    }
    return VCPU_ENTER;
}

/* --- interrupts --- */

/* All: what was let in is recorded and no longer pending, so the guest would not exit again. */
static enum vcpu_next exit_irq(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    irq_dispatch();
    return VCPU_ENTER;
}

static enum vcpu_next exit_msr(struct vcpu *vcpu, const struct vm_exit *exit)
{
    uint64_t value;

    if (exit->msr.write && vlapic_write_msr(vcpu->irqchip, exit->msr.index, exit->msr.value))
        hv_finish_write(&vcpu->hv, exit);
    else if (!exit->msr.write && vlapic_read_msr(vcpu->irqchip, exit->msr.index, &value))
        hv_finish_read(&vcpu->hv, exit, value);
    else
        hv->inject_gp(&vcpu->hv);
    return VCPU_ENTER;
}

static enum vcpu_next exit_window(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    vlapic_window(vcpu->irqchip);
    return VCPU_ENTER;
}

/* --- the machine --- */

static enum vcpu_next exit_reset(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    log_warn("%s: vCPU %u: triple fault at 0x%lx: reset", vcpu->vm->config.name, vcpu->id,
             (unsigned long)hv->pc(&vcpu->hv));
    vm_end_by_guest(vcpu->vm, VM_END_RESET);
    return VCPU_ENTER; /* only as far as the request to park */
}

/* RAX is the call's number, and its result. */
enum vcpu_next vm_hypercall(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    vcpu->hv.gpr[GPR_RAX] = UINT64_MAX; /* no call is announced, so none is known */
    hv->skip(&vcpu->hv);
    return VCPU_ENTER;
}

const exit_handler exit_handlers[VM_EXIT_REASONS] = {
    [VM_EXIT_IRQ] = exit_irq,           [VM_EXIT_MEMORY] = exit_memory, [VM_EXIT_IPI] = exit_ipi,
    [VM_EXIT_HYPERCALL] = vm_hypercall, [VM_EXIT_PIO] = exit_pio,       [VM_EXIT_MSR] = exit_msr,
    [VM_EXIT_WINDOW] = exit_window,     [VM_EXIT_RESET] = exit_reset,   [VM_EXIT_HALT] = exit_halt,
    [VM_EXIT_YIELD] = exit_yield,       [VM_EXIT_FATAL] = exit_fatal,
};
