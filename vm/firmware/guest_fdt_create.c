/* SPDX-License-Identifier: BSD-2-Clause */
/* Which device tree a VM gets. */

#include <libfdt.h>

#include "kernel/log.h"
#include "kernel/pmm.h"
#include "vm/firmware/guest_fdt.h"
#include "vm/vm.h"

status_t guest_fdt_create(struct vm *vm, const struct guest_fdt_facts *facts)
{
    const struct vm_config *config = &vm->config;
    struct image_plan plan;
    status_t status = image_plan(config, facts != NULL, &plan);

    if (status != OK || plan.fdt_room == 0)
        return status;
    vm->fdt = pmm_alloc_wired(plan.fdt_room);
    if (vm->fdt == NULL)
        return ERR_NO_MEMORY;
    if (config->fdt.data != NULL)
        status = guest_fdt_patch(config, &plan, vm->fdt, plan.fdt_room);
    else
        status = guest_fdt_generate(config, &plan, facts, vm->fdt, plan.fdt_room);
    if (status != OK) {
        log_error("%s: device tree: %s", config->name, status_str(status));
        pmm_free_wired(vm->fdt);
        vm->fdt = NULL;
        return status;
    }
    vm->fdt_bytes = fdt_totalsize(vm->fdt);
    return OK;
}
