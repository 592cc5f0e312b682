/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's device tree (Devicetree Specification 0.4), read in one pass. */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

#define HOST_FDT_MAX_BYTES SIZE_2M /* as the arm64 boot protocol has it */

/*
 * Fills `out` from the tree at `fdt`, of which the header's totalsize (at most
 * HOST_FDT_MAX_BYTES) is mapped. Nodes with a status other than "okay" are left out. The UART
 * is the one that /chosen's stdout-path names, else the first that there is a driver for.
 * On an error, *why is a sentence:
 * ERR_INVALID_ARGS: not a device tree, or a damaged one. ERR_NO_MEMORY: more reserved ranges
 * than the table holds. ERR_NOT_FOUND: no memory, CPU, GIC or timer.
 */
status_t host_info_from_fdt(const void *fdt, struct host_info *out, const char **why);
