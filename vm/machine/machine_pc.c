/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine pc: its building, and its tables at each start. */

#include "vm/machine/machine_pc.h"

#include "kernel/log.h"
#include "kernel/pmm.h"
#include "vm/devices/acpi_pm.h"
#include "vm/devices/pci_host.h"
#include "vm/devices/vga_text.h"
#include "vm/firmware/acpi.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine/machine_parts.h"
#include "vm/vm.h"

#define MEMORY_BYTES ((uint64_t)256 << 20)
#define MEMORY_LEAST ((uint64_t)2 << 20)
#define LOAD 0x100000u

static status_t reject(const struct vm_config *config, const char *key, const char *why)
{
    log_error("%s: %s: %s", config->name, key, why);
    return ERR_INVALID_ARGS;
}

static void add_ram(struct vm_config *config, uint64_t base, uint64_t end)
{
    if (base < end)
        config->ram[config->ram_count++] = (struct vm_config_ram){ gpa(base), end - base };
}

/* `bytes` counts what VGA hides too, as memory modules do. */
static void lay_out_ram(struct vm_config *config, uint64_t bytes)
{
    const uint64_t below = MIN(bytes, (uint64_t)PC_RAM_MAX);

    add_ram(config, 0, PC_LOW_RAM_END);
    add_ram(config, PC_ROM_BASE, below);
    add_ram(config, PC_HIGH_RAM_BASE, PC_HIGH_RAM_BASE + bytes - below);
}

static status_t pc_defaults(struct vm_config *config)
{
    const uint64_t bytes = config->memory != 0 ? config->memory : MEMORY_BYTES;

    if (config->firmware.data != NULL)
        return reject(config, "firmware", "machine pc has no flash to start it from");
    if (config->fdt.data != NULL)
        return reject(config, "fdt", "machine pc has ACPI tables instead");
    if (config->ram_count == 0) {
        if (bytes < MEMORY_LEAST)
            return reject(config, "memory", "a PC has 2 MiB at least");
        lay_out_ram(config, bytes);
        config->memory = 0;
    }
    if (!config->has_load)
        config->load = gpa(LOAD);
    return OK;
}

/* Configuration space, in memory and by ports. */
static status_t add_pci_host(struct vm *vm)
{
    struct vdev *dev;
    status_t status = pci_host_create(&dev, gpa(PC_ECAM_BASE));

    if (status == OK)
        status = vm_attach_device(vm, dev, gpa(PC_ECAM_BASE), PCI_HOST_ECAM_BYTES);
    if (status == OK)
        status = vm_attach_ports(vm, dev, PC_PCI_ADDRESS_PORT, 1);
    if (status == OK)
        status = vm_attach_ports(vm, dev, PC_PCI_DATA_PORT, 4);
    return status;
}

/* Its screen is shown on the console. */
static status_t add_vga(struct vm *vm)
{
    struct vdev *dev;
    status_t status = vga_text_create(&dev, &vm->console);

    if (status == OK)
        status = vm_attach_device(vm, dev, gpa(PC_VGA_TEXT_BASE), VGA_TEXT_MEMORY_BYTES);
    if (status == OK)
        status = vm_attach_ports(vm, dev, PC_VGA_PORT, VGA_TEXT_PORTS);
    return status;
}

static status_t add_legacy_devices(struct vm *vm)
{
    static const struct vm_config_device devices[] = {
        { .type = "uart16550", .irq = PC_COM1_IRQ },
        { .type = "i8042", .irq = PC_KEYBOARD_IRQ },
        { .type = "cmos", .irq = PC_RTC_IRQ },
        { .type = "acpi-pm", .irq = PC_SCI_IRQ },
        { .type = "pc-reset" },
        { .type = "debug-exit" },
        { .type = "debug-console" },
    };

    return machine_add_devices(vm, devices, ARRAY_SIZE(devices));
}

static status_t pc_build(struct vm *vm)
{
    static status_t (*const steps[])(struct vm * vm) = {
        virqchip_create, add_pci_host, add_vga, add_legacy_devices, machine_add_configured,
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        status_t status = steps[i](vm);

        if (status != OK)
            return status;
    }
    return OK;
}

static status_t pc_load(struct vm *vm)
{
    void *tables = pmm_alloc_wired(PC_ACPI_ROOM);
    status_t status = ERR_NO_MEMORY;
    size_t bytes;

    if (tables != NULL)
        status = acpi_generate(vm->config.cpus, tables, PC_ACPI_ROOM, &bytes);
    if (status == OK)
        status = vm_write_guest(vm, gpa(PC_ACPI_BASE), tables, bytes);
    pmm_free_wired(tables);
    return status;
}

static bool pc_ask_shutdown(struct vm *vm)
{
    for (struct vdev *dev = vm_devices(vm); dev != NULL; dev = dev->next) {
        if (dev->ops != &acpi_pm_ops)
            continue;
        acpi_pm_press_power(dev);
        return true;
    }
    return false;
}

const struct machine machine_pc = {
    .name = "pc",
    .defaults = pc_defaults,
    .build = pc_build,
    .load = pc_load,
    .ask_shutdown = pc_ask_shutdown,
};
