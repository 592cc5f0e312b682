/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree that a guest is shown. libfdt may use SIMD registers, which are the
 * guests': all of this is called when a VM is made, while no vCPU is loaded.
 */
#pragma once

#include "vm/config/config.h"
#include "vm/image/image.h"

/* What the generator cannot know from the configuration. */
struct guest_fdt_facts {
    unsigned gic_version; /* 2 or 3 */
};

/*
 * The tree of a machine virt, into `buffer`; its size is in its header.
 * ERR_NO_MEMORY: larger than `room`.
 */
status_t guest_fdt_generate(const struct vm_config *config, const struct image_plan *plan,
                            const struct guest_fdt_facts *facts, void *buffer, size_t room);

/*
 * config->fdt with this VM's memory, initrd and, if there is one, command line in it.
 * ERR_INVALID_ARGS: not a sound tree; logged. ERR_NO_MEMORY: larger than `room`.
 */
status_t guest_fdt_patch(const struct vm_config *config, const struct image_plan *plan,
                         void *buffer, size_t room);

struct vm;

/*
 * Gives the VM its device tree, as vm->fdt: the configuration's, patched, or else a generated
 * one; none where there is neither (`facts` NULL). Errors as above and as image_plan, logged.
 */
status_t guest_fdt_create(struct vm *vm, const struct guest_fdt_facts *facts);
