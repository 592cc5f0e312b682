/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel formats: one table row each, one file each. Inside of the image loaders. */
#pragma once

#include "vm/image/image.h"

/* What a kernel occupies once it is loaded, its own zeroed part included. */
struct image_place {
    gpa_t base;
    gpa_t end; /* first address behind it */
    gpa_t entry;
    uint64_t initrd_last; /* the last address that an initrd may take; 0: any */
};

struct image_format {
    /* Does the header say so? */
    bool (*matches)(const struct blob *kernel);

    /* Checks every field and every bound. Errors as image_load, logged. */
    status_t (*place)(const struct vm_config *config, struct image_place *out);

    /* Into the memory of a VM, after place. */
    status_t (*load)(struct vm *vm, const struct image_place *place);

    /*
     * What its boot protocol wants the boot vCPU to start with, beside plan->entry: registers,
     * and structures in memory. NULL: nothing but the device tree's address.
     */
    status_t (*start)(struct vm *vm, const struct image_plan *plan, struct hv_reset *start);
};

/*
 * What the architecture loads, in the order in which headers are tried; the last one takes
 * everything. Ends with a loader of NULL.
 */
struct image_kind {
    enum vm_image_format format;
    const struct image_format *loader;
};

extern const struct image_kind image_kinds[];

extern const struct image_format image_linux, image_elf, image_raw;

/* Logs "<vm>: <what>: <why>". ERR_INVALID_ARGS. */
status_t image_reject(const struct vm_config *config, const char *what, const char *why);

/* Logged ERR_NO_MEMORY where [base, base + size) is not all RAM. */
status_t image_check_fit(const struct vm_config *config, const char *what, uint64_t base,
                         uint64_t size);

/* For formats that start otherwise: ELF segments, and a kernel of one piece. */
status_t image_elf_place(const struct vm_config *config, struct image_place *out);
status_t image_elf_load(struct vm *vm, const struct image_place *place);
status_t image_raw_place(const struct vm_config *config, struct image_place *out);
status_t image_load_flat(struct vm *vm, const struct image_place *place);
