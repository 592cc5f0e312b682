/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel without header on a PC: to `load` (1 MiB on machine pc), and entered at its first
 * byte in 32-bit protected mode. Where there is low memory for it, it finds in eax and ebx
 * what a Multiboot kernel finds there; else both are 0.
 */

#include "vm/image/image_x86.h"
#include "vm/vm.h"

static bool flat_matches(const struct blob *kernel)
{
    return kernel->data != NULL;
}

static status_t flat_place(const struct vm_config *config, struct image_place *out)
{
    status_t status = image_raw_place(config, out);

    return status == OK ? image_x86_check(config, out) : status;
}

static status_t flat_start(struct vm *vm, const struct image_plan *plan, struct hv_reset *start)
{
    if (vm_config_has_ram(&vm->config, gpa(0), LOW_END))
        return image_multiboot_start(vm, plan, start);
    image_x86_start_protected(start, plan->entry.raw, 0, 0);
    return OK;
}

const struct image_format image_flat = {
    .matches = flat_matches,
    .place = flat_place,
    .load = image_load_flat,
    .start = flat_start,
};
