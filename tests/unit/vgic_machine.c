/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/vgic_machine.h"

#include <stdlib.h>
#include <string.h>

#include <arch/cpu.h>

#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "tests/unit/fake_timers.h"

#define SETTLE_MAX 64 /* turns; more is a storm */

struct vm vm;
unsigned maintenance_count;
bool physical_active[MACHINE_CPUS][32];

static struct vcpu vcpus[MACHINE_CPUS];
static struct cpu cpus[MACHINE_CPUS];
static bool enabled[MACHINE_CPUS][32];
static irq_handler_t handlers[32];

/*
 * The rest of the hypervisor.
 */

void vcpu_request(struct vcpu *vcpu, uint32_t requests)
{
    __atomic_fetch_or(&vcpu->requests, requests, __ATOMIC_SEQ_CST);
}

status_t vm_attach_device(struct vm *to, struct vdev *dev, gpa_t base, uint64_t size)
{
    (void)base;
    (void)size;
    to->devices = dev;
    return OK;
}

status_t vm_map_region(struct vm *to, const struct region *region)
{
    (void)to;
    assert_int_equal(region->base.raw, VGIC_GICC_BASE);
    assert_int_equal(region->host.raw, gich.gicv.raw);
    return OK;
}

void log_print(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

/*
 * The host's interrupt controller.
 */

static void physical_deactivate(uint32_t irq)
{
    assert_true(physical_active[fake_selected_cpu()][irq]);
    physical_active[fake_selected_cpu()][irq] = false;
}

static void physical_activate(uint32_t irq)
{
    physical_active[fake_selected_cpu()][irq] = true;
}

static void physical_enable(uint32_t irq, bool edge)
{
    assert_false(edge);
    enabled[fake_selected_cpu()][irq] = true;
}

static const struct irqchip chip = {
    .deactivate = physical_deactivate,
    .activate = physical_activate,
    .enable = physical_enable,
};

const struct irqchip *irq_chip(void)
{
    return &chip;
}

status_t irq_register(uint32_t irq, irq_handler_t handler, void *arg)
{
    (void)arg;
    handlers[irq] = handler;
    return OK;
}

static bool asserted(uint32_t irq)
{
    return irq == gich.maintenance_irq ? fake_misr() != 0 : arch_vtimer_asserted(irq);
}

/* Takes one host interrupt of the selected CPU, if one is pending. */
static bool take_interrupt(uint32_t irq)
{
    bool *active = &physical_active[fake_selected_cpu()][irq];

    if (!enabled[fake_selected_cpu()][irq] || *active || !asserted(irq))
        return false;
    *active = true;
    maintenance_count += irq == gich.maintenance_irq;
    if (handlers[irq](irq, NULL) == IRQ_DONE)
        *active = false;
    return true;
}

/*
 * Running.
 */

void on(unsigned cpu)
{
    arch_set_this_cpu(&cpus[cpu]);
    fake_select_cpu(cpu);
}

static bool turn(unsigned cpu)
{
    bool again = take_interrupt(gich.maintenance_irq);

    again |= take_interrupt(VTIMER_IRQ);
    again |= take_interrupt(PTIMER_IRQ);
    if (interface_of(cpu)->loaded && (vcpus[cpu].requests & VCPU_REQ_IRQ)) {
        vcpus[cpu].requests = 0;
        virqchip_sync(&vcpus[cpu]);
        again = true;
    }
    return again;
}

void settle(void)
{
    unsigned selected = fake_selected_cpu();
    unsigned turns = 0;
    bool again = true;

    while (again) {
        again = false;
        for (unsigned cpu = 0; cpu < vm.config.cpus; cpu++) {
            on(cpu);
            again |= turn(cpu);
        }
        assert_true(turns++ < SETTLE_MAX);
    }
    on(selected);
}

void counter_to(uint64_t ticks)
{
    fake_counter_set(ticks);
    fake_timers_fire();
    settle();
}

void load(unsigned cpu)
{
    unsigned selected = fake_selected_cpu();

    on(cpu);
    virqchip_load(&vcpus[cpu]);
    on(selected);
    settle();
}

void put(unsigned cpu)
{
    unsigned selected = fake_selected_cpu();

    on(cpu);
    virqchip_put(&vcpus[cpu]);
    on(selected);
}

void machine_create(unsigned version, unsigned lrs, unsigned count)
{
    memset(&vm, 0, sizeof(vm));
    memset(vcpus, 0, sizeof(vcpus));
    memset(physical_active, 0, sizeof(physical_active));
    maintenance_count = 0;
    fake_timers_reset();
    fake_counter_set(1000);
    fake_gich_init(version, lrs);
    fake_deactivate_physical = physical_deactivate;
    vm.config.cpus = count;
    vm.vcpus = vcpus;
    assert_int_equal(virqchip_host_init(), OK);
    for (unsigned cpu = 0; cpu < MACHINE_CPUS; cpu++) {
        cpus[cpu].id = cpu;
        vcpus[cpu].id = cpu;
        vcpus[cpu].vm = &vm;
        on(cpu);
        virqchip_cpu_init();
    }
    on(0);
    assert_int_equal(virqchip_create(&vm), OK);
}

void machine_start(unsigned version, unsigned lrs, unsigned count)
{
    machine_create(version, lrs, count);
    for (unsigned cpu = 0; cpu < count; cpu++) {
        load(cpu);
        on(cpu);
        fake_guest_interface(true, true, 0xff, false);
    }
    on(0);
    gicd_write(0, 4, 3);
}

void machine_stop(void)
{
    struct vdev *dev = vm.devices;

    for (unsigned cpu = 0; cpu < vm.config.cpus; cpu++) {
        if (interface_of(cpu)->loaded)
            put(cpu);
    }
    virqchip_destroy(&vm);
    dev->ops->destroy(dev);
    assert_int_equal(fake_timers_next(), TIMER_NEVER);
}

int machine_setup_v3(void **state)
{
    (void)state;
    machine_start(3, 4, 2);
    return 0;
}

int machine_setup_v2(void **state)
{
    (void)state;
    machine_start(2, 4, 2);
    return 0;
}

int machine_teardown(void **state)
{
    (void)state;
    check_invariants();
    machine_stop();
    return 0;
}

struct virqchip_cpu *interface_of(unsigned cpu)
{
    return vcpus[cpu].irqchip;
}

bool requested(unsigned cpu)
{
    return vcpus[cpu].requests != 0;
}

/*
 * The guest.
 */

static uint64_t device_read(uint8_t range, uint64_t offset, unsigned size)
{
    const struct vdev_access access = {
        .offset = offset, .size = (uint8_t)size, .range = range, .cpu = (uint8_t)fake_selected_cpu()
    };
    uint64_t value = vm.devices->ops->read(vm.devices, access);

    settle();
    return value;
}

static void device_write(uint8_t range, uint64_t offset, unsigned size, uint64_t value)
{
    vm.devices->ops->write(vm.devices,
                           (struct vdev_access){ .offset = offset,
                                                 .size = (uint8_t)size,
                                                 .range = range,
                                                 .cpu = (uint8_t)fake_selected_cpu() },
                           value);
    settle();
}

uint64_t gicd_read(uint32_t offset, unsigned size)
{
    return device_read(0, offset, size);
}

void gicd_write(uint32_t offset, unsigned size, uint64_t value)
{
    device_write(0, offset, size, value);
}

uint64_t gicr_read(unsigned cpu, uint32_t offset, unsigned size)
{
    return device_read(1, cpu * (uint64_t)VGIC_GICR_BYTES + offset, size);
}

void gicr_write(unsigned cpu, uint32_t offset, unsigned size, uint64_t value)
{
    device_write(1, cpu * (uint64_t)VGIC_GICR_BYTES + offset, size, value);
}

uint32_t ack(void)
{
    uint32_t iar;

    settle();
    iar = fake_guest_ack();
    settle();
    return iar;
}

void eoi(uint32_t iar)
{
    fake_guest_eoi(iar);
    settle();
}

void dir(uint32_t iar)
{
    fake_guest_dir(iar);
    settle();
}

void enable(uint32_t intid, uint8_t priority, unsigned target)
{
    uint32_t word = intid / 32 * 4, bit = 1u << intid % 32;

    if (intid < 32 && gich.version == 3) {
        unsigned cpu = fake_selected_cpu();

        gicr_write(cpu, SGI_FRAME + IGROUPR, 4, gicr_read(cpu, SGI_FRAME + IGROUPR, 4) | bit);
        gicr_write(cpu, SGI_FRAME + IPRIORITYR + intid, 1, priority);
        gicr_write(cpu, SGI_FRAME + ISENABLER, 4, bit);
        return;
    }
    gicd_write(IGROUPR + word, 4, gicd_read(IGROUPR + word, 4) | bit);
    gicd_write(IPRIORITYR + intid, 1, priority);
    if (gich.version == 3)
        gicd_write(IROUTER + 8 * intid, 8, target);
    else
        gicd_write(ITARGETSR + intid, 1, 1u << target);
    gicd_write(ISENABLER + word, 4, bit);
}

void set_line(uint32_t intid, bool level)
{
    struct irq_line line = virqchip_line(&vm, intid);

    irq_line_set(&line, level);
    settle();
}

void inject(uint32_t intid)
{
    assert_int_equal(virqchip_inject(&vm, BIT(fake_selected_cpu()), intid), OK);
    settle();
}

void send_sgi1r(uint64_t value)
{
    const struct vm_exit exit = { .reason = VM_EXIT_IPI,
                                  .ipi = { .value = value, .kind = IPI_SGI1R } };

    virqchip_send_ipi(&vcpus[fake_selected_cpu()], &exit);
    settle();
}

bool spi_active(uint32_t intid)
{
    return gicd_read(ISACTIVER + intid / 32 * 4, 4) >> intid % 32 & 1;
}

bool spi_pending(uint32_t intid)
{
    return gicd_read(ISPENDR + intid / 32 * 4, 4) >> intid % 32 & 1;
}
