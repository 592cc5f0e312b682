/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel without header: to `load`, and started at its first byte. */

#include "vm/image/image_format.h"

static bool raw_matches(const struct blob *kernel)
{
    return kernel->data != NULL;
}

status_t image_raw_place(const struct vm_config *config, struct image_place *out)
{
    status_t status = image_check_fit(config, "kernel", config->load.raw, config->kernel.bytes);

    if (status == OK)
        *out = (struct image_place){
            .base = config->load,
            .end = gpa_add(config->load, config->kernel.bytes),
            .entry = config->load,
        };
    return status;
}

const struct image_format image_raw = {
    .matches = raw_matches,
    .place = image_raw_place,
    .load = image_load_flat,
};
