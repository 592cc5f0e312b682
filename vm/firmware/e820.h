/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map that a PC's guest is told, in the form of the BIOS call that it is named for. */
#pragma once

#include "vm/config/config.h"

enum e820_type { E820_RAM = 1, E820_RESERVED = 2 };

struct e820_entry {
    uint64_t base, size;
    uint32_t type; /* enum e820_type */
} __attribute__((packed));

/* Each region of RAM may be cut in two by what is reserved. */
#define E820_RESERVED_MAX 2
#define E820_MAX (VM_MAX_REGIONS + 2 * E820_RESERVED_MAX)

/* Fills `out` in the order of addresses, nothing twice; how many entries. */
unsigned e820_make(const struct vm_config *config, struct e820_entry out[E820_MAX]);
