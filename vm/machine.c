/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding machines by name, and what their builders share. */

#include "vm/machine.h"

#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine_parts.h"
#include "vm/vm.h"

const struct machine *machine_find(const char *name)
{
    for (const struct machine *const *at = machines; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static const struct device_type *find_type(const char *type)
{
    for (const struct device_type *at = device_types; at->type != NULL; at++)
        if (strcmp(at->type, type) == 0)
            return at;
    return NULL;
}

status_t machine_add_device(struct vm *vm, const char *type, gpa_t base, uint32_t irq)
{
    const struct device_type *found = find_type(type);
    struct irq_line line = { 0 };
    struct vdev *dev;
    status_t status;

    if (found == NULL) {
        log_error("%s: device: there is no type '%s'", vm->config.name, type);
        return ERR_NOT_FOUND;
    }
    if (irq != 0)
        line = virqchip_line(vm, irq);
    status = found->create(&dev, vm, line);
    if (status == OK)
        status = vm_attach_device(vm, dev, base, found->size);
    if (status != OK)
        log_error("%s: device '%s' at 0x%llx: %s", vm->config.name, type,
                  (unsigned long long)base.raw, status_str(status));
    return status;
}

status_t machine_add_configured(struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.device_count; i++) {
        const struct vm_config_device *device = &vm->config.devices[i];
        status_t status = machine_add_device(vm, device->type, device->base, device->irq);

        if (status != OK)
            return status;
    }
    return OK;
}

void machine_default_ram(struct vm_config *config, uint64_t base, uint64_t bytes, uint64_t load)
{
    if (config->ram_count == 0) {
        config->ram[0].base = gpa(base);
        config->ram[0].size = config->memory != 0 ? config->memory : bytes;
        config->ram_count = 1;
        config->memory = 0;
    }
    if (!config->has_load)
        config->load = gpa_add(config->ram[0].base, load);
}
