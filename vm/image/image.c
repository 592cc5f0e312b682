/* SPDX-License-Identifier: BSD-2-Clause */
/* Image loading: which format, where everything goes, and the copying. */

#include "vm/image/image.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "vm/image/image_format.h"
#include "vm/machine/machine.h"
#include "vm/vm.h"

status_t image_reject(const struct vm_config *config, const char *what, const char *why)
{
    log_error("%s: %s: %s", config->name, what, why);
    return ERR_INVALID_ARGS;
}

status_t image_check_fit(const struct vm_config *config, const char *what, uint64_t base,
                         uint64_t size)
{
    if (vm_config_has_ram(config, gpa(base), size))
        return OK;
    log_error("%s: %s: does not fit: takes 0x%llx bytes from 0x%llx, and not all of that is RAM",
              config->name, what, (unsigned long long)size, (unsigned long long)base);
    return ERR_NO_MEMORY;
}

status_t image_load_flat(struct vm *vm, const struct image_place *place)
{
    return vm_image_load_region(vm, place->base, &vm->config.kernel,
                                place->end.raw - place->base.raw);
}

/* The last row, which has no loader, where it is none of this architecture. */
static const struct image_kind *kind_of(const struct vm_config *config)
{
    const struct image_kind *at = image_kinds;

    while (at->loader != NULL &&
           (config->format == VM_IMAGE_AUTO ? !at->loader->matches(&config->kernel)
                                            : at->format != config->format))
        at++;
    return at;
}

enum vm_image_format image_format(const struct vm_config *config)
{
    return kind_of(config)->format;
}

static const struct image_format *format_of(const struct vm_config *config)
{
    return kind_of(config)->loader;
}

/* Room for the device tree that the guest is shown: 0 none. */
static uint64_t fdt_room(const struct vm_config *config, bool generated)
{
    uint64_t room = IMAGE_FDT_ROOM;

    if (config->fdt.data == NULL && !generated)
        return 0;
    while (room < config->fdt.bytes + IMAGE_FDT_ROOM)
        room *= 2;
    return room;
}

/* What goes behind the kernel, or for a firmware to the start of RAM. */
static status_t plan_rest(const struct vm_config *config, uint64_t at, uint64_t initrd_last,
                          struct image_plan *plan)
{
    status_t status = OK;

    if (plan->fdt_room != 0) {
        plan->fdt = gpa(ALIGN_UP(at, plan->fdt_room));
        at = plan->fdt.raw + plan->fdt_room;
        status = image_check_fit(config, "device tree", plan->fdt.raw, plan->fdt_room);
    }
    if (status == OK && config->initrd.data != NULL) {
        plan->initrd = gpa(ALIGN_UP(at, PAGE_SIZE));
        status = image_check_fit(config, "initrd", plan->initrd.raw, config->initrd.bytes);
        if (status == OK && initrd_last != 0 &&
            plan->initrd.raw + config->initrd.bytes - 1 > initrd_last)
            return image_reject(config, "initrd", "ends higher than the kernel takes it");
    }
    return status;
}

static status_t plan_kernel(const struct vm_config *config, struct image_place *kernel)
{
    const struct image_format *format = format_of(config);

    if (format == NULL)
        return image_reject(config, "format", "none that this architecture's CPUs run");
    return format->place(config, kernel);
}

static status_t plan_with(const struct vm_config *config, bool generated, struct image_plan *plan,
                          struct image_place *kernel)
{
    uint64_t behind;

    if (config->kernel.data == NULL && config->firmware.data == NULL) {
        log_error("%s: kernel: none given, nothing to start", config->name);
        return ERR_NOT_FOUND;
    }
    memset(plan, 0, sizeof(*plan));
    memset(kernel, 0, sizeof(*kernel));
    plan->fdt_room = fdt_room(config, generated);
    if (plan->fdt_room > IMAGE_FDT_MAX)
        return image_reject(config, "fdt", "larger than guests take (2 MiB)");
    behind = config->ram[0].base.raw;
    if (config->kernel.data != NULL) {
        status_t status = plan_kernel(config, kernel);

        if (status != OK)
            return status;
        behind = kernel->end.raw;
        plan->entry = config->has_entry ? config->entry : kernel->entry;
    }
    return plan_rest(config, behind, kernel->initrd_last, plan);
}

status_t image_plan(const struct vm_config *config, bool generated, struct image_plan *plan)
{
    struct image_place kernel;

    return plan_with(config, generated, plan, &kernel);
}

/* Everything to where the plan says. */
static status_t load_planned(struct vm *vm, const struct image_plan *plan,
                             const struct image_place *kernel)
{
    const struct vm_config *config = &vm->config;
    status_t status = OK;

    if (config->kernel.data != NULL)
        status = format_of(config)->load(vm, kernel);
    else
        status = vm_image_load_region(vm, gpa(0), &config->firmware, config->firmware.bytes);
    if (status == OK && config->initrd.data != NULL)
        status = vm_image_load_region(vm, plan->initrd, &config->initrd, config->initrd.bytes);
    if (status == OK && vm->fdt != NULL)
        status = vm_write_guest(vm, plan->fdt, vm->fdt, vm->fdt_bytes);
    if (status == OK && vm->machine != NULL && vm->machine->load != NULL)
        status = vm->machine->load(vm);
    return status;
}

static status_t plan_start(struct vm *vm, const struct image_plan *plan, struct hv_reset *start)
{
    const struct image_format *format = NULL;

    memset(start, 0, sizeof(*start));
    start->entry = plan->entry.raw;
    start->arg[0] = plan->fdt.raw; /* 0 where there is none */
    if (vm->config.kernel.data != NULL)
        format = format_of(&vm->config);
    return format != NULL && format->start != NULL ? format->start(vm, plan, start) : OK;
}

status_t image_load(struct vm *vm, struct hv_reset *start)
{
    struct image_place kernel;
    struct image_plan plan;
    status_t status = plan_with(&vm->config, vm->fdt != NULL, &plan, &kernel);

    if (status != OK)
        return status;
    status = load_planned(vm, &plan, &kernel);
    if (status == OK)
        status = plan_start(vm, &plan, start);
    if (status != OK)
        log_error("%s: images: %s while loading them", vm->config.name, status_str(status));
    return status;
}
