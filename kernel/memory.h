/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over the machine's memory at boot: an arena for each bank, without what is in use,
 * then the hypervisor's own address space.
 */
#pragma once

#include "arch/boot.h"
#include "kernel/hypspace.h"

#define MEMORY_MAX_BANKS 8

/* A range that must stay as it is: firmware's, the device tree, a bundle. */
struct memory_range {
    paddr_t base;
    uint64_t bytes;
};

/*
 * ERR_INVALID_ARGS: no bank, or more than MEMORY_MAX_BANKS. ERR_NO_MEMORY: a bank has no
 * room for its own page array.
 */
status_t memory_init(const struct boot_info *boot, const struct ram_bank *banks,
                     unsigned bank_count, const struct memory_range *used, unsigned used_count);

/* Bytes that the page arrays take, of all banks: what Socle keeps for each GiB. */
size_t memory_overhead(void);
