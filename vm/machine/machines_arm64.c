/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64: the machines there are, and the devices that a configuration can name. */

#include "drivers/rtc/rtc.h"
#include "vm/devices/debug_console.h"
#include "vm/devices/pl011.h"
#include "vm/devices/pl031.h"
#include "vm/devices/pl061.h"
#include "vm/devices/primecell.h"
#include "vm/firmware/guest_fdt.h"
#include "vm/machine/machine_parts.h"
#include "vm/vm.h"

const struct machine *const machines[] = { &machine_virt, &machine_bare, NULL };

static status_t create_debug_console(struct vdev **out, struct vm *vm,
                                     const struct vm_config_device *config, struct irq_line line)
{
    (void)config;
    (void)line; /* it has no interrupt */
    return debug_console_create(out, &vm->console);
}

static status_t create_pl011(struct vdev **out, struct vm *vm,
                             const struct vm_config_device *config, struct irq_line line)
{
    (void)config;
    return pl011_create(out, &vm->console, line);
}

static status_t create_pl031(struct vdev **out, struct vm *vm,
                             const struct vm_config_device *config, struct irq_line line)
{
    (void)config;
    (void)vm;
    return pl031_create(out, rtc_now(), line);
}

static status_t create_pl061(struct vdev **out, struct vm *vm,
                             const struct vm_config_device *config, struct irq_line line)
{
    (void)config;
    (void)vm;
    return pl061_create(out, line);
}

/* A device tree where the configuration gives one. */
status_t machine_bare_tables(struct vm *vm)
{
    return guest_fdt_create(vm, NULL);
}

const struct device_irqs device_irqs = { 32, 1019 }; /* SPIs */

const struct device_type device_types[] = {
    { .type = "debug-console", .size = DEBUG_CONSOLE_BYTES, .create = create_debug_console },
    { .type = "pl011", .size = PRIMECELL_BYTES, .create = create_pl011 },
    { .type = "pl031", .size = PRIMECELL_BYTES, .create = create_pl031 },
    { .type = "pl061", .size = PRIMECELL_BYTES, .create = create_pl061 },
    { 0 },
};
