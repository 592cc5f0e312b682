/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space: final tables, mappings of device registers, stacks.
 * Nothing in it is both writable and executable, and every stack ends at a guard page.
 */
#pragma once

#include "arch/addr.h"
#include "arch/boot.h"
#include "arch/status.h"

struct ram_bank {
    paddr_t base;
    uint64_t bytes;
};

/*
 * Builds the final tables and installs them on the boot CPU: the image by section, and all
 * RAM but the image in the direct map, in whole 2 MiB blocks. Needs the arenas, and RAM in the
 * boot's direct map.
 */
status_t hyp_space_init(const struct boot_info *boot, const struct ram_bank *banks, unsigned count);

/*
 * RAM that is to be reached through the direct map even where it sticks out of the banks' whole
 * blocks: a bundle, the boot arguments. ERR_NO_MEMORY.
 */
status_t hyp_map_ram(paddr_t base, uint64_t bytes);

/* Device registers, readable and writable; NULL: no memory for the tables. Never unmapped. */
void *hyp_map_device(paddr_t base, size_t bytes);

/* The same, but for pixels: writes may be combined and come late. */
void *hyp_map_frame_buffer(paddr_t base, size_t bytes);

/* The top of a new stack (STACK_BYTES, guard page below); NULL: no memory. */
#define STACK_BYTES ((size_t)16 << 10)
void *hyp_alloc_stack(void);

/* What is marked SEALED (arch/image.h) is read-only from here on. */
void hyp_seal(void);
