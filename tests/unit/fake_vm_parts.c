/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_vm_parts.h"

#include "arch/fake/fake.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "tests/unit/fake_arena.h"
#include "vm/exit.h"
#include "vm/image/image.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_parts fake_parts;
char fake_log[65536];
size_t fake_free_before;

static size_t logged;

void fake_log_clear(void)
{
    logged = 0;
    fake_log[0] = '\0';
}

static void keep_line(const char *text, unsigned length)
{
    if (logged + length >= sizeof(fake_log))
        logged = 0;
    memcpy(&fake_log[logged], text, length);
    logged += length;
    fake_log[logged] = '\0';
}

static void send_ipi(unsigned cpu)
{
    (void)cpu;
}

static uint32_t ack(void)
{
    fake_parts.irqs++;
    return IRQ_NONE;
}

static const struct irqchip chip = { .name = "fake", .ack = ack, .send_ipi = send_ipi };

static void make_world(void)
{
    struct cpu *cpu = cpu_new(0);

    if (cpu == NULL || make_arena(NULL) != 0)
        abort();
    arch_set_this_cpu(cpu);
    cpu_set_online(cpu);
    irq_set_chip(&chip);
    log_set_sink(keep_line);
}

void fake_world_init(void)
{
    static bool made;

    if (!made)
        make_world();
    made = true;
    memset(&fake_parts, 0, sizeof(fake_parts));
    fake_log_clear();
    vm_set_ended_hook(NULL);
}

int fake_world_setup(void **state)
{
    (void)state;
    fake_world_init();
    fake_free_before = pmm_free_count();
    return 0;
}

int fake_world_teardown(void **state)
{
    (void)state;
    assert_null(vm_first());
    assert_int_equal(pmm_free_count(), fake_free_before);
    return 0;
}

struct vm_config fake_config(const char *name)
{
    struct vm_config config;

    vm_config_init(&config);
    strncpy(config.name, name, VM_NAME_MAX);
    strcpy(config.machine, "fake");
    config.ram[0] = (struct vm_config_ram){ gpa(FAKE_RAM), FAKE_RAM_SIZE };
    config.ram_count = 1;
    config.kernel = (struct blob){ "kernel", 6 };
    config.has_entry = true;
    config.entry = gpa(FAKE_ENTRY);
    return config;
}

struct vm *fake_vm(const char *name)
{
    const struct vm_config config = fake_config(name);
    struct vm *vm;

    return vm_create(&config, &vm) == OK ? vm : NULL;
}

struct vm *fake_vm_running(const char *name)
{
    struct vm *vm = fake_vm(name);

    assert_non_null(vm);
    assert_int_equal(vm_boot(vm), OK);
    fake_drain();
    return vm;
}

void fake_vm_end(struct vm *vm)
{
    if (vm->state == VM_RUNNING || vm->state == VM_PAUSED)
        assert_int_equal(vm_stop(vm), OK);
    fake_drain();
    assert_int_equal(vm_destroy(vm), OK);
}

void fake_drain(void)
{
    for (unsigned turns = 0; sched_turn(); turns++)
        if (turns == 10000)
            abort(); /* never comes to rest */
}

/* --- the device --- */

static struct fake_device *from_vdev(struct vdev *dev)
{
    return container_of(dev, struct fake_device, dev);
}

static uint64_t device_read(struct vdev *dev, struct vdev_access access)
{
    struct fake_device *device = from_vdev(dev);

    device->reads++;
    device->access = access;
    return device->answer;
}

static void device_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct fake_device *device = from_vdev(dev);

    device->writes++;
    device->access = access;
    device->written = value;
    if (access.size == 1)
        device->bytes = device->bytes >> 8 | value << 56;
}

static void device_reset(struct vdev *dev)
{
    from_vdev(dev)->resets++;
    from_vdev(dev)->reset_locked = dev->lock.held != 0;
}

static void device_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

static const struct vdev_ops device_ops = {
    .name = "fake",
    .read = device_read,
    .write = device_write,
    .reset = device_reset,
    .destroy = device_destroy,
};

/* --- the interrupt controller --- */

status_t virqchip_create(struct vm *vm)
{
    vm->irqchip = pmm_alloc_wired(PAGE_SIZE);
    return vm->irqchip != NULL ? OK : ERR_NO_MEMORY;
}

void virqchip_destroy(struct vm *vm)
{
    pmm_free_wired(vm->irqchip);
}

void virqchip_reset(struct vm *vm)
{
    (void)vm;
    fake_parts.chip_resets++;
}

void virqchip_reset_vcpu(struct vcpu *vcpu)
{
    (void)vcpu;
    fake_parts.vcpu_resets++;
}

void virqchip_load(struct vcpu *vcpu)
{
    (void)vcpu;
    fake_parts.loads++;
}

void virqchip_put(struct vcpu *vcpu)
{
    (void)vcpu;
    fake_parts.puts++;
}

void virqchip_sync(struct vcpu *vcpu)
{
    fake_parts.syncs++;
    if (fake_parts.on_run != NULL)
        fake_parts.on_run(vcpu);
}

bool virqchip_wakes(struct vcpu *vcpu)
{
    (void)vcpu;
    return fake_parts.wakes;
}

void virqchip_send_ipi(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    fake_parts.ipis++;
}

status_t virqchip_inject(struct vm *vm, uint64_t cpu_mask, uint32_t irq)
{
    (void)vm;
    (void)cpu_mask;
    fake_parts.injects++;
    return irq < 1020 ? OK : ERR_INVALID_ARGS;
}

/* --- console, images, machine --- */

status_t console_attach(struct console *console, const char *name)
{
    console->name = name;
    console->kept = pmm_alloc_wired(CONSOLE_KEEP);
    return console->kept != NULL ? OK : ERR_NO_MEMORY;
}

void console_detach(struct console *console)
{
    pmm_free_wired(console->kept);
}

status_t image_load(struct vm *vm, struct hv_reset *start)
{
    fake_parts.images++;
    if (fake_parts.image_status != OK)
        return fake_parts.image_status;
    start->entry = vm->config.entry.raw;
    return vm_image_load_region(vm, gpa(FAKE_RAM + 0x1000), &vm->config.kernel, 64);
}

static status_t defaults(struct vm_config *config)
{
    (void)config;
    return OK;
}

static status_t build(struct vm *vm)
{
    struct fake_device *device;
    status_t status = virqchip_create(vm);

    if (status != OK)
        return status;
    device = pmm_alloc_wired(sizeof(*device));
    if (device == NULL)
        return ERR_NO_MEMORY;
    device->dev.ops = &device_ops;
    status = vm_attach_device(vm, &device->dev, gpa(FAKE_DEVICE), FAKE_DEVICE_SIZE);
    if (status != OK)
        return status;
    fake_parts.device = device;
    vm->fdt = pmm_alloc_wired(2 * PAGE_SIZE);
    return vm->fdt != NULL ? fake_parts.build_status : ERR_NO_MEMORY;
}

static bool ask_shutdown(struct vm *vm)
{
    (void)vm;
    fake_parts.presses++;
    return fake_parts.has_key;
}

static const struct machine fake_machine = {
    .name = "fake",
    .defaults = defaults,
    .build = build,
    .ask_shutdown = ask_shutdown,
};

const struct machine *machine_find(const char *name)
{
    return strcmp(name, fake_machine.name) == 0 ? &fake_machine : NULL;
}
