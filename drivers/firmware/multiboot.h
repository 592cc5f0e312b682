/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Multiboot loader tells (Multiboot 0.6.96, Multiboot2 2.0): memory, the bundle, the
 * command line, and perhaps the screen and where ACPI starts.
 */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/acpi.h"
#include "drivers/firmware/host_info.h"

#define MULTIBOOT_LINE_MAX 256 /* of the command line: what is longer is cut */

struct multiboot_facts {
    uint64_t rsdp;         /* physical; 0: not told */
    struct host_range low; /* RAM below 1 MiB, the highest */
    char line[MULTIBOOT_LINE_MAX];
};

/*
 * Fills out's banks (merged, but not across 1 MiB; of more than HOST_MAX_BANKS the largest),
 * initrd (the first module), bootargs (facts->line) and screen. On an error *why is a sentence.
 * ERR_INVALID_ARGS: neither Multiboot, or damaged. ERR_NOT_FOUND: no memory map.
 */
status_t multiboot_read(acpi_memory memory, uint32_t magic, uint64_t info, struct host_info *out,
                        struct multiboot_facts *facts, const char **why);
