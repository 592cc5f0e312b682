/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64: what the firmware tells is a device tree. */

#include <arch/layout.h>
#include <libfdt.h>

#include "drivers/firmware/fdt.h"

status_t host_info_read(const struct boot_info *boot, struct host_info *out, const char **why)
{
    const void *const fdt = phys_to_virt(boot->firmware);
    status_t status = host_info_from_fdt(fdt, out, why);

    if (status == OK)
        out->firmware = (struct host_range){ boot->firmware, fdt_totalsize(fdt) };
    return status;
}
