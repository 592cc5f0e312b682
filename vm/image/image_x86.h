/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot protocols of PCs share: low memory, where each loader puts what its kernel
 * is to find.
 *
 *     0x00000  GDT, where GDTR points after reset
 *     0x00600  where a boot sector's CPU starts
 *     0x07000  boot_params              (bzImage)
 *     0x08000  start info, modules, memory map   (PVH, Multiboot)
 *     0x09000  page tables, 6 pages     (64-bit entry)
 *     0x0f000  command line
 *     0x10000  the kernel's, from here on
 */
#pragma once

#include "vm/image/image_format.h"

enum x86_low {
    LOW_GDT = 0x0,
    LOW_STARTER = 0x600,
    LOW_BOOT_PARAMS = 0x7000,
    LOW_INFO = 0x8000,
    LOW_PAGE_TABLES = 0x9000,
    LOW_CMDLINE = 0xf000,
    LOW_END = 0x10000,
};

extern const struct image_format image_bzimage, image_pvh, image_multiboot, image_boot_sector,
    image_flat;

/*
 * A kernel must leave alone, besides low memory, what stands below 1 MiB on a PC; and 32-bit
 * entry points are below 4 GiB. Errors as image_load.
 */
status_t image_x86_check(const struct vm_config *config, const struct image_place *place);

/* ELF segments, checked for that too. */
status_t image_x86_place_elf(const struct vm_config *config, struct image_place *out);

/* What a 32-bit entry starts with: eax, ebx. */
void image_x86_start_protected(struct hv_reset *start, uint64_t entry, uint32_t eax, uint32_t ebx);

/* What a 64-bit entry starts with: the first 4 GiB mapped one to one, rsi. */
status_t image_x86_start_long(struct vm *vm, struct hv_reset *start, uint64_t entry, uint64_t rsi);

/* config->cmdline to LOW_CMDLINE, with its end. */
status_t image_x86_put_cmdline(struct vm *vm);

/* eax and ebx of a Multiboot kernel, and what they point at. */
status_t image_multiboot_start(struct vm *vm, const struct image_plan *plan,
                               struct hv_reset *start);
