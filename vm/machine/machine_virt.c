/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine virt: its building. */

#include "vm/machine/machine_virt.h"

#include "vm/devices/fw_cfg.h"
#include "vm/devices/pl061.h"
#include "vm/firmware/guest_fdt.h"
#include "vm/irqchip/irqchip.h"
#include "vm/irqchip/vgic.h"
#include "vm/machine/machine_parts.h"
#include "vm/machine/virt_flash.h"
#include "vm/vm.h"

#define RAM_BYTES ((uint64_t)256 << 20)
#define LOAD_OFFSET 0x80000u

static status_t virt_defaults(struct vm_config *config)
{
    machine_default_ram(config, VIRT_RAM_BASE, RAM_BYTES, LOAD_OFFSET);
    return OK;
}

static gpa_t base_of(enum virt_part part)
{
    return gpa(virt_map[part].base);
}

static status_t add_primecells(struct vm *vm)
{
    const struct vm_config_device primecells[] = {
        { .type = "pl011", .base = base_of(VIRT_UART), .irq = virt_map[VIRT_UART].irq },
        { .type = "pl031", .base = base_of(VIRT_RTC), .irq = virt_map[VIRT_RTC].irq },
        { .type = "pl061", .base = base_of(VIRT_GPIO), .irq = virt_map[VIRT_GPIO].irq },
    };

    return machine_add_devices(vm, primecells, ARRAY_SIZE(primecells));
}

static status_t dma_read(void *context, gpa_t from, void *to, size_t bytes)
{
    return aspace_read(context, from, to, bytes);
}

static status_t dma_write(void *context, gpa_t to, const void *from, size_t bytes)
{
    return aspace_write_by_device(context, to, from, bytes);
}

static status_t add_fw_cfg(struct vm *vm)
{
    const struct fw_cfg_memory memory = { &vm->space, dma_read, dma_write };
    const struct virt_slot *slot = &virt_map[VIRT_FW_CFG];
    struct vdev *dev;
    status_t status = fw_cfg_create(&dev, &memory);

    if (status != OK)
        return status;
    status = vm_attach_device(vm, dev, gpa(slot->base), slot->size);
    if (status == OK)
        status = fw_cfg_add_integer(dev, FW_CFG_NB_CPUS, vm->config.cpus, sizeof(uint16_t));
    if (status == OK)
        status = fw_cfg_add_integer(dev, FW_CFG_MAX_CPUS, vm->config.cpus, sizeof(uint16_t));
    if (status == OK)
        status = fw_cfg_add_integer(dev, FW_CFG_RAM_SIZE, vm->config.ram[0].size, sizeof(uint64_t));
    if (status == OK)
        status = fw_cfg_add_integer(dev, FW_CFG_NOGRAPHIC, 1, sizeof(uint16_t));
    return status;
}

static status_t add_flash(struct vm *vm)
{
    return vm->config.firmware.data != NULL ? virt_flash_add(vm) : OK;
}

static status_t add_fdt(struct vm *vm)
{
    const struct guest_fdt_facts facts = { .gic_version = vgic_version() };

    return guest_fdt_create(vm, &facts);
}

static status_t virt_build(struct vm *vm)
{
    static status_t (*const steps[])(struct vm * vm) = {
        virqchip_create, add_primecells, add_fw_cfg, add_flash, machine_add_configured, add_fdt,
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        status_t status = steps[i](vm);

        if (status != OK)
            return status;
    }
    return OK;
}

static bool virt_ask_shutdown(struct vm *vm)
{
    for (struct vdev *dev = vm_devices(vm); dev != NULL; dev = dev->next) {
        if (dev->ops != &pl061_ops)
            continue;
        pl061_press(dev, PL061_PIN_POWER);
        return true;
    }
    return false;
}

const struct machine machine_virt = {
    .name = "virt",
    .defaults = virt_defaults,
    .build = virt_build,
    .ask_shutdown = virt_ask_shutdown,
};
