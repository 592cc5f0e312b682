/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VM is made of. Each part is made after what it needs and unmade before it, so one
 * table read forwards makes a VM and read backwards unmakes it, whole or half done.
 */

#include "arch/mem.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/pmm.h"
#include "vm/image/image.h"
#include "vm/irqchip/irqchip.h"
#include "vm/lifecycle.h"
#include "vm/machine/machine.h"

/* A step that fails leaves nothing behind. */
struct part {
    const char *name;
    status_t (*make)(struct vm *vm);
    void (*unmake)(struct vm *vm); /* NULL: nothing to give back */
};

static status_t make_defaults(struct vm *vm)
{
    const char *key, *why;
    status_t status;

    vm->machine = machine_find(vm->config.machine);
    if (vm->machine == NULL) {
        log_error("%s: machine = \"%s\": there is none of that name here", vm->config.name,
                  vm->config.machine);
        return ERR_NOT_FOUND;
    }
    status = vm->machine->defaults(&vm->config);
    if (status == OK)
        status = vm_config_check(&vm->config, &key, &why);
    else
        return status;
    if (status != OK)
        log_error("%s: %s %s", vm->config.name, key, why);
    return status;
}

static status_t make_space(struct vm *vm)
{
    return aspace_init(&vm->space);
}

static void unmake_space(struct vm *vm)
{
    aspace_destroy(&vm->space);
}

static status_t make_vcpus(struct vm *vm)
{
    vm->vcpus = pmm_alloc_wired(vm->config.cpus * sizeof(*vm->vcpus));
    if (vm->vcpus == NULL)
        return ERR_NO_MEMORY;
    for (unsigned i = 0; i < vm->config.cpus; i++)
        vcpu_init(&vm->vcpus[i], vm, i);
    return OK;
}

static void unmake_vcpus(struct vm *vm)
{
    pmm_free_wired(vm->vcpus);
    vm->vcpus = NULL;
}

static void unmake_ram_from(struct vm *vm, unsigned count)
{
    while (count-- != 0)
        vmo_destroy(&vm->ram[count]);
}

/* Its object begins where 2 MiB of the guest's do, so that blocks fit; before the RAM it stays
 * empty. */
static status_t make_ram_region(struct vm *vm, unsigned i)
{
    const struct vm_config_ram *ram = &vm->config.ram[i];
    const uint64_t offset = ram->base.raw % SIZE_2M;
    const struct region region = {
        .base = ram->base,
        .size = ram->size,
        .offset = offset,
        .kind = REGION_ALLOCATED,
        .prot = PT_READ | PT_WRITE | PT_EXEC,
        .vmo = &vm->ram[i],
    };
    status_t status = vmo_init(&vm->ram[i], offset + ram->size);

    if (status != OK)
        return status;
    status = aspace_map(&vm->space, &region);
    if (status != OK)
        vmo_destroy(&vm->ram[i]);
    return status;
}

/* Undone, the space still maps memory that is gone; but no vCPU will ever enter it again. */
static status_t make_ram(struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.ram_count; i++) {
        const status_t status = make_ram_region(vm, i);

        if (status != OK) {
            unmake_ram_from(vm, i);
            return status;
        }
    }
    return OK;
}

static void unmake_ram(struct vm *vm)
{
    unmake_ram_from(vm, vm->config.ram_count);
}

static status_t make_console(struct vm *vm)
{
    return console_attach(&vm->console, vm->config.name);
}

static void unmake_console(struct vm *vm)
{
    console_detach(&vm->console);
}

/* The newest device first: a later one may use an earlier one. */
static void unmake_machine(struct vm *vm)
{
    while (vm->devices != NULL) {
        struct vdev *dev = vm->devices;

        vm->devices = dev->next;
        if (dev->ops->destroy != NULL)
            dev->ops->destroy(dev);
    }
    if (vm->irqchip != NULL)
        virqchip_destroy(vm);
    vm->irqchip = NULL;
    pmm_free_wired(vm->ports);
    vm->ports = NULL;
    pmm_free_wired(vm->fdt);
    vm->fdt = NULL;
}

static status_t make_machine(struct vm *vm)
{
    const status_t status = vm->machine->build(vm);

    if (status != OK)
        unmake_machine(vm);
    return status;
}

static const struct part parts[] = {
    { "configuration", make_defaults, NULL },    { "address space", make_space, unmake_space },
    { "vCPUs", make_vcpus, unmake_vcpus },       { "RAM", make_ram, unmake_ram },
    { "console", make_console, unmake_console }, { "machine", make_machine, unmake_machine },
    { "images", vm_load_guest, NULL },
};

static void unmake_from(struct vm *vm, size_t count)
{
    while (count-- != 0)
        if (parts[count].unmake != NULL)
            parts[count].unmake(vm);
}

status_t vm_make_parts(struct vm *vm)
{
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        const status_t status = parts[i].make(vm);

        if (status != OK) {
            log_error("%s: not created: its %s: %s", vm->config.name, parts[i].name,
                      status_str(status));
            unmake_from(vm, i);
            return status;
        }
    }
    return OK;
}

void vm_unmake_parts(struct vm *vm)
{
    unmake_from(vm, ARRAY_SIZE(parts));
}

static status_t prefault(struct vm *vm)
{
    status_t status = OK;

    for (unsigned i = 0; i < vm->space.count && status == OK; i++)
        if (vm->space.regions[i].kind == REGION_ALLOCATED)
            status = aspace_prefault(&vm->space, &vm->space.regions[i]);
    return status;
}

void vm_reset_machine(struct vm *vm)
{
    for (struct vdev *dev = vm->devices; dev != NULL; dev = dev->next)
        vdev_reset(dev);
    if (vm->irqchip != NULL)
        virqchip_reset(vm);
}

status_t vm_load_guest(struct vm *vm)
{
    struct hv_reset *start = &vm->vcpus[0].start;
    status_t status;

    memset(start, 0, sizeof(*start));
    status = image_load(vm, start);
    start->id = vcpu_hwid(0);
    if (status == OK)
        arch_sync_instructions();
    return status == OK && vm->config.prefault ? prefault(vm) : status;
}

static void init(struct vm *vm, const struct vm_config *config)
{
    vm->config = *config;
    vm->config.name[VM_NAME_MAX] = '\0';
    vm->config.machine[VM_NAME_MAX] = '\0';
    vm->config.cmdline[VM_CMDLINE_MAX] = '\0';
    vm->state = VM_CREATED;
    vm->busy = true;
    vm->ended.run = vm_ended_work;
    vm->shutdown_timer.fire = vm_shutdown_expired;
    vm->restart_timer.fire = vm_restart_due;
}

/* A VM that was never listed, or not for anybody but its maker. */
static status_t make_listed(struct vm *vm)
{
    status_t status = vm_list_add(vm);

    if (status != OK) {
        log_error("%s: not created: there is a VM of that name: choose another", vm->config.name);
        return status;
    }
    status = vm_make_parts(vm);
    spin_lock(&vm->lock);
    if (status != OK) {
        vm_list_remove(vm);
        return status;
    }
    vm->busy = false;
    vm_unlock(vm);
    return OK;
}

status_t vm_create(const struct vm_config *config, struct vm **out)
{
    struct vm *vm;
    status_t status;

    if (config == NULL || out == NULL)
        return ERR_INVALID_ARGS;
    vm = pmm_alloc_wired(sizeof(*vm));
    if (vm == NULL) {
        log_error("%s: not created: %s", config->name, status_str(ERR_NO_MEMORY));
        return ERR_NO_MEMORY;
    }
    init(vm, config);
    status = make_listed(vm);
    if (status != OK) {
        pmm_free_wired(vm);
        return status;
    }
    *out = vm;
    return OK;
}
