/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding machines by name, and what their builders share. */

#include "vm/machine/machine.h"

#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine/machine_parts.h"
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

/* The first range goes to `port`, where that is given; the others are PCs' only place. */
static status_t attach_ports(struct vm *vm, struct vdev *dev, const struct device_type *type,
                             uint32_t port)
{
    status_t status = OK;

    for (unsigned i = 0; i < DEVICE_MAX_PORTS && type->ports[i].count != 0 && status == OK; i++) {
        const struct device_ports *range = &type->ports[i];
        const uint16_t first = i == 0 && port != 0 ? (uint16_t)port : range->first;

        status = vm_attach_ports(vm, dev, first, range->count);
    }
    return status;
}

static status_t attach(struct vm *vm, struct vdev *dev, const struct device_type *type,
                       const struct vm_config_device *config)
{
    if (type->ports[0].count != 0 && config->base.raw == 0)
        return attach_ports(vm, dev, type, config->port);
    return vm_attach_device(vm, dev, config->base, type->size);
}

/* NULL, or what is wrong. */
static const char *check(const struct device_type *type, const struct vm_config_device *config)
{
    if (config->irq != 0 && (config->irq < device_irqs.first || config->irq > device_irqs.last))
        return "there is no such irq";
    if (config->port != 0 && (type->ports[0].count == 0 || config->base.raw != 0))
        return "it has no ports, or a base too";
    if (config->base.raw != 0 && type->size == 0)
        return "it has no registers in memory";
    return NULL;
}

status_t machine_add_device(struct vm *vm, const struct vm_config_device *config)
{
    const struct device_type *found = find_type(config->type);
    struct irq_line line = { 0 };
    const char *why;
    struct vdev *dev;
    status_t status;

    if (found == NULL) {
        log_error("%s: device: there is no type '%s'", vm->config.name, config->type);
        return ERR_NOT_FOUND;
    }
    why = check(found, config);
    if (why != NULL) {
        log_error("%s: device '%s': %s", vm->config.name, config->type, why);
        return ERR_INVALID_ARGS;
    }
    if (config->irq != 0)
        line = virqchip_line(vm, config->irq);
    status = found->create(&dev, vm, config, line);
    if (status == OK)
        status = attach(vm, dev, found, config);
    if (status != OK)
        log_error("%s: device '%s' at 0x%llx: %s", vm->config.name, config->type,
                  (unsigned long long)config->base.raw, status_str(status));
    return status;
}

status_t machine_add_devices(struct vm *vm, const struct vm_config_device *configs, size_t count)
{
    status_t status = OK;

    for (size_t i = 0; i < count && status == OK; i++)
        status = machine_add_device(vm, &configs[i]);
    return status;
}

status_t machine_add_configured(struct vm *vm)
{
    return machine_add_devices(vm, vm->config.devices, vm->config.device_count);
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
