/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pc_machine.h"

#include <string.h>

#include "kernel/log.h"
#include "kernel/percpu.h"

#define SETTLE_MAX 64 /* turns; more is a storm */
#define RANGES 16

struct vm vm;
struct guest_cpu guest[PC_CPUS];
bool covered;
unsigned vm_ends;
enum vm_end vm_end_reason;

static struct vcpu vcpus[PC_CPUS];
static struct cpu cpus[PC_CPUS];
static struct {
    struct vdev *dev;
    uint64_t base, size;
    uint8_t range;
    bool port;
} ranges[RANGES];
static unsigned range_count;

/* --- the rest of the hypervisor --- */

void vcpu_request(struct vcpu *vcpu, uint32_t requests)
{
    __atomic_fetch_or(&vcpu->requests, requests, __ATOMIC_SEQ_CST);
    guest[vcpu->id].requested++;
}

void vcpu_turn_off(struct vcpu *vcpu)
{
    guest[vcpu->id].turned_off++;
}

status_t vcpu_power_on(struct vcpu *vcpu, const struct hv_reset *start)
{
    guest[vcpu->id].powered_on++;
    guest[vcpu->id].start = *start;
    return OK;
}

void vm_end_by_guest(struct vm *ended, enum vm_end end)
{
    assert_ptr_equal(ended, &vm);
    vm_ends++;
    vm_end_reason = end;
}

static void attach(struct vdev *dev, uint64_t base, uint64_t size, bool port)
{
    unsigned range = 0;

    assert_true(range_count < RANGES);
    for (unsigned i = 0; i < range_count; i++)
        range += ranges[i].dev == dev;
    if (range == 0) {
        dev->next = vm.devices;
        vm.devices = dev;
    }
    ranges[range_count].dev = dev;
    ranges[range_count].base = base;
    ranges[range_count].size = size;
    ranges[range_count].range = (uint8_t)range;
    ranges[range_count++].port = port;
}

status_t vm_attach_device(struct vm *to, struct vdev *dev, gpa_t base, uint64_t size)
{
    assert_ptr_equal(to, &vm);
    attach(dev, base.raw, size, false);
    return OK;
}

status_t vm_attach_ports(struct vm *to, struct vdev *dev, uint16_t first, uint16_t count)
{
    assert_ptr_equal(to, &vm);
    attach(dev, first, count, true);
    return OK;
}

status_t aspace_cover(struct aspace *as, gpa_t at, paddr_t page)
{
    (void)page;
    assert_ptr_equal(as, &vm.space);
    assert_int_equal(at.raw, VLAPIC_BASE);
    assert_false(covered);
    covered = true;
    return OK;
}

status_t aspace_uncover(struct aspace *as, gpa_t at)
{
    assert_ptr_equal(as, &vm.space);
    assert_int_equal(at.raw, VLAPIC_BASE);
    assert_true(covered);
    covered = false;
    return OK;
}

void log_print(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

/* --- running --- */

static bool turn(unsigned id)
{
    struct vcpu *vcpu = &vcpus[id];
    bool again = false;

    if (vcpu->requests & VCPU_REQ_IRQ) {
        vcpu->requests = 0;
        virqchip_sync(vcpu);
        again = true;
    }
    if (guest[id].window && hv->irq_ready(&vcpu->hv)) {
        guest[id].window = false; /* an exit of its own: once */
        vlapic_window(vcpu->irqchip);
        again = true;
    }
    return again;
}

void settle(void)
{
    unsigned turns = 0;
    bool again = true;

    while (again) {
        again = false;
        for (unsigned id = 0; id < vm.config.cpus; id++)
            again |= turn(id);
        assert_true(turns++ < SETTLE_MAX);
    }
}

int taken(unsigned cpu)
{
    int vector;

    settle();
    if (!guest[cpu].interrupts)
        return NOTHING;
    vector = guest[cpu].queued;
    guest[cpu].queued = NOTHING;
    settle();
    return vector;
}

void counter_to(uint64_t ticks)
{
    while (fake_timers_next() <= ticks) {
        fake_counter_set(MAX(fake_timers_next(), arch_counter()));
        fake_timers_fire();
        settle();
    }
    fake_counter_set(ticks);
    settle();
}

void pc_start(unsigned count)
{
    memset(&vm, 0, sizeof(vm));
    memset(vcpus, 0, sizeof(vcpus));
    memset(guest, 0, sizeof(guest));
    covered = false;
    fake_timers_reset();
    range_count = vm_ends = 0;
    fake_counter_set(1000);
    arch_set_this_cpu(&cpus[0]);
    vm.config.cpus = count;
    vm.vcpus = vcpus;
    for (unsigned id = 0; id < count; id++) {
        cpus[id].id = id;
        vcpus[id].id = id;
        vcpus[id].vm = &vm;
        guest[id].interrupts = true;
        guest[id].queued = NOTHING;
    }
    assert_int_equal(virqchip_host_init(), OK);
    virqchip_cpu_init();
    assert_int_equal(virqchip_create(&vm), OK);
    for (unsigned id = 0; id < count; id++)
        virqchip_load(&vcpus[id]);
    settle();
}

void pc_start_enabled(unsigned count)
{
    pc_start(count);
    for (unsigned id = 0; id < count; id++)
        apic_write(id, APIC_SVR, 0x1ff);
}

void pc_stop(void)
{
    for (unsigned id = 0; id < vm.config.cpus; id++)
        virqchip_put(&vcpus[id]);
    while (vm.devices != NULL) {
        struct vdev *dev = vm.devices;

        vm.devices = dev->next;
        if (dev->ops->destroy != NULL)
            dev->ops->destroy(dev);
    }
    assert_null(vm.irqchip);
    assert_int_equal(fake_timers_next(), TIMER_NEVER);
}

/* --- a guest's accesses --- */

static uint64_t access(unsigned cpu, bool port, uint64_t at, unsigned size, bool write,
                       uint64_t value)
{
    for (unsigned i = 0; i < range_count; i++) {
        const struct vdev_access how = { .offset = at - ranges[i].base,
                                         .size = (uint8_t)size,
                                         .range = ranges[i].range,
                                         .cpu = (uint8_t)cpu };

        if (ranges[i].port != port || how.offset >= ranges[i].size)
            continue;
        if (write)
            vdev_write(ranges[i].dev, how, value);
        else
            value = low_bytes(vdev_read(ranges[i].dev, how), size);
        settle();
        return value;
    }
    fail_msg("nothing at 0x%lx", (unsigned long)at);
    return 0;
}

uint64_t mmio_read(unsigned cpu, uint64_t address, unsigned size)
{
    return access(cpu, false, address, size, false, 0);
}

void mmio_write(unsigned cpu, uint64_t address, unsigned size, uint64_t value)
{
    access(cpu, false, address, size, true, value);
}

uint32_t apic_read(unsigned cpu, enum vlapic_reg reg)
{
    return (uint32_t)mmio_read(cpu, VLAPIC_BASE + 16 * reg, 4);
}

void apic_write(unsigned cpu, enum vlapic_reg reg, uint32_t value)
{
    mmio_write(cpu, VLAPIC_BASE + 16 * reg, 4, value);
}

void apic_eoi(unsigned cpu)
{
    apic_write(cpu, APIC_EOI, 0);
}

void icr(unsigned cpu, uint32_t destination, uint32_t low)
{
    apic_write(cpu, APIC_ICR2, destination << 24);
    apic_write(cpu, APIC_ICR, low);
}

bool msr_read(unsigned cpu, uint32_t index, uint64_t *value)
{
    return vlapic_read_msr(lapic(cpu), index, value);
}

bool msr_write(unsigned cpu, uint32_t index, uint64_t value)
{
    bool done = vlapic_write_msr(lapic(cpu), index, value);

    settle();
    return done;
}

uint8_t port_in(uint16_t port)
{
    return (uint8_t)access(0, true, port, 1, false, 0);
}

void port_out(uint16_t port, uint8_t value)
{
    access(0, true, port, 1, true, value);
}

static uint32_t ioapic_read(uint32_t reg)
{
    mmio_write(0, VIOAPIC_BASE, 4, reg);
    return (uint32_t)mmio_read(0, VIOAPIC_BASE + 0x10, 4);
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
    mmio_write(0, VIOAPIC_BASE, 4, reg);
    mmio_write(0, VIOAPIC_BASE + 0x10, 4, value);
}

uint64_t entry_read(unsigned pin)
{
    return ioapic_read(0x10 + 2 * pin) | (uint64_t)ioapic_read(0x11 + 2 * pin) << 32;
}

void entry_write(unsigned pin, uint64_t entry)
{
    ioapic_write(0x11 + 2 * pin, (uint32_t)(entry >> 32));
    ioapic_write(0x10 + 2 * pin, (uint32_t)entry);
}

void pic_init(uint8_t icw4)
{
    port_out(0x20, 0x11);
    port_out(0x21, 0x20);
    port_out(0x21, 0x04);
    port_out(0x21, icw4);
    port_out(0xa0, 0x11);
    port_out(0xa1, 0x28);
    port_out(0xa1, 0x02);
    port_out(0xa1, icw4);
}

void gsi(uint32_t irq, bool level)
{
    const struct irq_line line = virqchip_line(&vm, irq);

    assert_non_null(line.set);
    irq_line_set(&line, level);
    settle();
}

struct virqchip_cpu *lapic(unsigned cpu)
{
    return vcpus[cpu].irqchip;
}

struct vdev *device(const char *name)
{
    for (struct vdev *dev = vm.devices; dev != NULL; dev = dev->next)
        if (strcmp(dev->ops->name, name) == 0)
            return dev;
    return NULL;
}

/* --- invariants --- */

void check_invariants(void)
{
    const struct virqchip *chip = vm.irqchip;
    bool all = true;

    for (unsigned id = 0; id < vm.config.cpus; id++) {
        const struct virqchip_cpu *cpu = lapic(id);

        assert_int_equal(cpu->lock.held, 0);
        assert_int_equal(cpu->irr.word[0] & 0xffff, 0);
        assert_int_equal(cpu->isr.word[0] & 0xffff, 0);
        assert_true((cpu->base & ~0x900ull) == VLAPIC_BASE || vlapic_is_x2(cpu));
        assert_true(cpu->timer.expected <= 1);
        all &= cpu->vcpu->hv.apic == HV_APIC_PAGE;
        assert_int_equal(cpu->shown, cpu->vcpu->hv.apic == HV_APIC_PAGE);
        /* What it could take has been given to it, or waits for a window. */
        if (guest[id].interrupts && guest[id].queued == NOTHING)
            assert_int_equal(vlapic_next(cpu), 0);
    }
    assert_int_equal(covered, all);
    assert_int_equal(chip->place_lock.held, 0);
    assert_int_equal(chip->pic.dev.lock.held, 0);
    assert_int_equal(chip->ioapic.dev.lock.held, 0);
    assert_int_equal(chip->pit.dev.lock.held, 0);
}
