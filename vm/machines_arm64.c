/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64: the machines there are, and the devices that a configuration can name. */

#include "drivers/rtc/rtc.h"
#include "vm/devices/debug_console.h"
#include "vm/devices/pl011.h"
#include "vm/devices/pl031.h"
#include "vm/devices/pl061.h"
#include "vm/devices/primecell.h"
#include "vm/machine_parts.h"
#include "vm/vm.h"

const struct machine *const machines[] = { &machine_virt, &machine_bare, NULL };

static status_t create_debug_console(struct vdev **out, struct vm *vm, struct irq_line line)
{
    (void)line; /* it has no interrupt */
    return debug_console_create(out, &vm->console);
}

static status_t create_pl011(struct vdev **out, struct vm *vm, struct irq_line line)
{
    return pl011_create(out, &vm->console, line);
}

static status_t create_pl031(struct vdev **out, struct vm *vm, struct irq_line line)
{
    (void)vm;
    return pl031_create(out, rtc_now(), line);
}

static status_t create_pl061(struct vdev **out, struct vm *vm, struct irq_line line)
{
    (void)vm;
    return pl061_create(out, line);
}

const struct device_type device_types[] = {
    { "debug-console", DEBUG_CONSOLE_BYTES, create_debug_console },
    { "pl011", PRIMECELL_BYTES, create_pl011 },
    { "pl031", PRIMECELL_BYTES, create_pl031 },
    { "pl061", PRIMECELL_BYTES, create_pl061 },
    { 0 },
};
