/* SPDX-License-Identifier: BSD-2-Clause */
/* The backend of the PC whose interrupt controllers are tested: guest CPUs that only take notes. */
#include "tests/unit/pc_machine.h"

static struct guest_cpu *guest_of(const struct hv_vcpu *vcpu)
{
    return &guest[container_of(vcpu, struct vcpu, hv)->id];
}

static bool irq_ready(const struct hv_vcpu *vcpu)
{
    return guest_of(vcpu)->interrupts && guest_of(vcpu)->queued == NOTHING;
}

static void inject_irq(struct hv_vcpu *vcpu, uint8_t vector)
{
    assert_true(irq_ready(vcpu));
    guest_of(vcpu)->queued = vector;
}

static void inject_nmi(struct hv_vcpu *vcpu)
{
    guest_of(vcpu)->nmis++;
}

static void ask_window(struct hv_vcpu *vcpu, bool ask)
{
    guest_of(vcpu)->window = ask;
}

/* An entry would fail if TPR were below it already. */
static void watch_priority(struct hv_vcpu *vcpu, uint8_t class)
{
    assert_true(class <= vcpu->apic_registers[4 * APIC_TPR] >> 4);
    guest_of(vcpu)->watched = class;
}

static bool set_apic(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers)
{
    vcpu->apic = (uint8_t)how;
    vcpu->apic_registers = registers;
    return how == HV_APIC_PAGE;
}

/* Of no machine: that it is mapped is enough. */
static bool apic_place(paddr_t *page)
{
    *page = paddr(0x123000);
    return true;
}

static void inject_gp(struct hv_vcpu *vcpu)
{
    guest_of(vcpu)->faults++;
}

static void finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    (void)exit;
    guest_of(vcpu)->value = value;
    guest_of(vcpu)->finished = true;
}

static void finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    guest_of(vcpu)->finished = true;
}

static void skip_instruction(struct hv_vcpu *vcpu)
{
    guest_of(vcpu)->skipped++;
}

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    (void)vcpu;
    return 0x1000;
}

/* INSB of one byte from the exit's port into memory at 0; OUTSB the other way. */
static status_t emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    uint64_t byte;
    status_t status;

    (void)vcpu;
    if (exit->pio.size == 0)
        return ERR_UNSUPPORTED;
    if (exit->pio.write) {
        status = bus->read(bus->context, gpa(0), 1, &byte);
        return status == OK ? bus->port_write(bus->context, exit->pio.port, 1, byte) : status;
    }
    status = bus->port_read(bus->context, exit->pio.port, 1, &byte);
    return status == OK ? bus->write(bus->context, gpa(0), 1, byte) : status;
}

static void inject_bus_fault(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    guest_of(vcpu)->faults++;
}

static const struct hv_ops ops = {
    .irq_ready = irq_ready,
    .inject_irq = inject_irq,
    .inject_nmi = inject_nmi,
    .ask_window = ask_window,
    .watch_priority = watch_priority,
    .inject_gp = inject_gp,
    .set_apic = set_apic,
    .apic_place = apic_place,
    .finish_read = finish_read,
    .finish_write = finish_write,
    .skip = skip_instruction,
    .pc = pc,
    .emulate = emulate,
    .inject_bus_fault = inject_bus_fault,
};
const struct hv_ops *hv = &ops;
