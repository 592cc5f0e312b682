/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Image loaders: puts what the configuration names into guest memory and says how the boot
 * vCPU starts.
 *
 *     kernel                  its own header, or `load`, says where
 *     device tree             behind it, aligned to its room: never across 2 MiB
 *     initrd                  behind that, page-aligned
 *
 * A firmware lies in flash at 0 and finds the device tree at the start of RAM. The host's
 * socle-bundle plans the same (tools/socle/images.py), to refuse early what cannot fit.
 */
#pragma once

#include "arch/hv.h"
#include "vm/config/config.h"

struct vm;

#define IMAGE_FDT_ROOM 0x4000u  /* least room for a device tree */
#define IMAGE_FDT_MAX 0x200000u /* Linux maps no more */

/* What config->kernel is: the configuration's word or, for AUTO, the header's. */
enum vm_image_format image_format(const struct vm_config *config);

/* Where things go, by the configuration alone: the same at each boot. */
struct image_plan {
    gpa_t entry;
    gpa_t fdt;
    uint64_t fdt_room; /* a power of two; 0: the guest gets no device tree */
    gpa_t initrd;      /* config->initrd.bytes long */
};

/*
 * Plans, for a configuration with its machine's defaults. `generated`: the machine makes a
 * device tree where the configuration gives none. Errors as image_load.
 */
status_t image_plan(const struct vm_config *config, bool generated, struct image_plan *plan);

/*
 * Loads kernel, initrd, and vm->fdt where there is one, from their pristine bytes: works
 * again at each restart. Each error is logged with the VM's name, the field that is wrong
 * and why.
 * ERR_INVALID_ARGS: a malformed image. ERR_NO_MEMORY: it does not fit the VM's memory.
 * ERR_NOT_FOUND: the configuration names no image.
 */
status_t image_load(struct vm *vm, struct hv_reset *start);
