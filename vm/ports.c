/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's port space: made with its first port, given back with its devices. */

#include "kernel/log.h"
#include "kernel/pmm.h"
#include "vm/lifecycle.h"
#include "vm/pio.h"

static status_t map(struct vm *vm, const struct pio_range *range)
{
    if (vm->ports == NULL)
        vm->ports = pmm_alloc_wired(sizeof(*vm->ports));
    return vm->ports != NULL ? pio_map(vm->ports, range) : ERR_NO_MEMORY;
}

status_t vm_attach_ports(struct vm *vm, struct vdev *dev, uint16_t first, uint16_t count)
{
    const struct pio_range range = {
        .first = first,
        .count = count,
        .dev_range = vm_own_device(vm, dev),
        .dev = dev,
    };
    status_t status = vm_begin_regions(vm);

    if (status != OK)
        return status;
    status = map(vm, &range);
    if (status != OK)
        log_error("%s: cannot attach %s to port 0x%x: %s", vm->config.name, dev->ops->name, first,
                  status_str(status));
    vm_unlock(vm);
    return status;
}
