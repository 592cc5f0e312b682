/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine bare: RAM where the configuration says, by default at 0, the devices that it
 * names, and an interrupt controller. A raw kernel is loaded and entered 64 KiB into RAM.
 */

#include "kernel/log.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine/machine_parts.h"
#include "vm/vm.h"

#define RAM_BYTES ((uint64_t)16 << 20)
#define LOAD_OFFSET 0x10000u

static status_t bare_defaults(struct vm_config *config)
{
    if (config->firmware.data != NULL) {
        log_error("%s: firmware: machine bare has no flash to start it from", config->name);
        return ERR_INVALID_ARGS;
    }
    machine_default_ram(config, 0, RAM_BYTES, LOAD_OFFSET);
    return OK;
}

static status_t bare_build(struct vm *vm)
{
    status_t status = virqchip_create(vm);

    if (status == ERR_ALREADY_EXISTS) { /* the controller is there, but not its registers */
        log_warn("%s: RAM lies over the interrupt controller's registers: it does without them",
                 vm->config.name);
        status = OK;
    }
    if (status == OK)
        status = machine_add_configured(vm);
    if (status == OK)
        status = machine_bare_tables(vm);
    return status;
}

const struct machine machine_bare = {
    .name = "bare",
    .defaults = bare_defaults,
    .build = bare_build,
};
