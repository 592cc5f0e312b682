/* SPDX-License-Identifier: BSD-2-Clause */
/* x86: the machines there are, and the devices that a configuration can name. */

#include "drivers/rtc/rtc.h"
#include "kernel/log.h"
#include "vm/devices/acpi_pm.h"
#include "vm/devices/cmos.h"
#include "vm/devices/debug_console.h"
#include "vm/devices/debug_exit.h"
#include "vm/devices/i8042.h"
#include "vm/devices/ide.h"
#include "vm/devices/pc_reset.h"
#include "vm/devices/uart16550.h"
#include "vm/image/image.h"
#include "vm/machine/machine_parts.h"
#include "vm/machine/machine_pc.h"
#include "vm/vm.h"

const struct machine *const machines[] = { &machine_pc, &machine_bare, NULL };

const struct device_irqs device_irqs = { 1, 23 }; /* inputs of the I/O APIC but the PIT's */

/* There are no tables for it: what a bare machine has, its guest knows. */
status_t machine_bare_tables(struct vm *vm)
{
    if (vm->config.fdt.data == NULL)
        return OK;
    log_error("%s: fdt: is for arm64", vm->config.name);
    return ERR_INVALID_ARGS;
}

/* --- what devices ask of the VM --- */

static void reset(void *context)
{
    vm_end_by_guest(context, VM_END_RESET);
}

static void power_off(void *context)
{
    vm_end_by_guest(context, VM_END_POWER_OFF);
}

static void debug_exit(void *context, unsigned cpu, uint8_t value)
{
    const struct vm_exit exit = {
        .reason = VM_EXIT_FATAL,
        .fatal = { .what = "the guest says that it has failed", .syndrome = value },
    };
    struct vm *vm = context;

    if (value == 0)
        vm_end_by_guest(vm, VM_END_POWER_OFF);
    else
        vcpu_crash(&vm->vcpus[cpu], &exit, exit.fatal.what);
}

static struct pc_events events_of(struct vm *vm)
{
    return (struct pc_events){
        .context = vm,
        .reset = reset,
        .power_off = power_off,
        .debug_exit = debug_exit,
    };
}

/* What is typed goes to the keyboard of the text-mode PC, else to a UART. */
static bool types_on_keyboard(const struct vm *vm)
{
    return image_format(&vm->config) == VM_IMAGE_BOOT_SECTOR;
}

/* --- devices --- */

static status_t create_debug_console(struct vdev **out, struct vm *vm,
                                     const struct vm_config_device *config, struct irq_line line)
{
    (void)config;
    (void)line; /* it has no interrupt */
    return debug_console_create(out, &vm->console);
}

/* The first one gets what is typed. */
static status_t create_uart16550(struct vdev **out, struct vm *vm,
                                 const struct vm_config_device *config, struct irq_line line)
{
    const bool listens = vm->console.on_input == NULL && !types_on_keyboard(vm);

    (void)config;
    return uart16550_create(out, &vm->console, listens, line);
}

static status_t create_i8042(struct vdev **out, struct vm *vm,
                             const struct vm_config_device *config, struct irq_line line)
{
    const struct pc_events events = events_of(vm);

    (void)config;
    return i8042_create(out, types_on_keyboard(vm) ? &vm->console : NULL, line, &events);
}

static bool has_device(const struct vm_config *config, const char *type)
{
    for (unsigned i = 0; i < config->device_count; i++)
        if (strcmp(config->devices[i].type, type) == 0)
            return true;
    return false;
}

static status_t create_cmos(struct vdev **out, struct vm *vm, const struct vm_config_device *config,
                            struct irq_line line)
{
    struct cmos_config cmos = {
        .now = rtc_now(),
        .cpus = vm->config.cpus,
        .has_disk = has_device(&vm->config, "ide"),
    };

    (void)config;
    for (unsigned i = 0; i < vm->config.ram_count; i++) {
        const struct vm_config_ram *ram = &vm->config.ram[i];

        if (ram->base.raw >= PC_HIGH_RAM_BASE)
            cmos.high_memory += ram->size;
        else
            cmos.memory = MAX(cmos.memory, ram->base.raw + ram->size);
    }
    return cmos_create(out, &cmos, line);
}

static status_t create_ide(struct vdev **out, struct vm *vm, const struct vm_config_device *config,
                           struct irq_line line)
{
    struct ram_disk *disk = ram_disk_find(config->disk);

    if (disk == NULL) {
        log_error("%s: device 'ide': there is no disk '%s'", vm->config.name, config->disk);
        return ERR_NOT_FOUND;
    }
    return ide_create(out, disk, line);
}

static status_t create_acpi_pm(struct vdev **out, struct vm *vm,
                               const struct vm_config_device *config, struct irq_line line)
{
    const struct pc_events events = events_of(vm);

    (void)config;
    return acpi_pm_create(out, line, &events);
}

static status_t create_pc_reset(struct vdev **out, struct vm *vm,
                                const struct vm_config_device *config, struct irq_line line)
{
    const struct pc_events events = events_of(vm);

    (void)config;
    (void)line;
    return pc_reset_create(out, &events);
}

static status_t create_debug_exit(struct vdev **out, struct vm *vm,
                                  const struct vm_config_device *config, struct irq_line line)
{
    const struct pc_events events = events_of(vm);

    (void)config;
    (void)line;
    return debug_exit_create(out, &events);
}

/* clang-format off */
const struct device_type device_types[] = {
    { "debug-console", DEBUG_CONSOLE_BYTES, { { 0xe9, 1 } }, create_debug_console },
    { "uart16550", UART16550_PORTS, { { PC_COM1_PORT, UART16550_PORTS } }, create_uart16550 },
    { "i8042", 0, { { 0x60, 1 }, { 0x64, 1 } }, create_i8042 },
    { "cmos", 0, { { 0x70, CMOS_PORTS } }, create_cmos },
    { "ide", 0, { { 0x1f0, IDE_COMMAND_PORTS }, { 0x3f6, 1 } }, create_ide },
    { "acpi-pm", 0, { { PC_PM_PORT, ACPI_PM_PORTS } }, create_acpi_pm },
    { "pc-reset", 0, { { PC_RESET_PORT, 1 }, { 0x92, 1 } }, create_pc_reset },
    { "debug-exit", 0, { { DEBUG_EXIT_PORT, 1 } }, create_debug_exit },
    { 0 },
};
/* clang-format on */
