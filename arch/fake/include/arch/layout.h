/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host-physical memory of the unit tests: FAKE_RAM_BYTES from FAKE_RAM_BASE on are backed by
 * a mapping of the process, made by fake_ram_init.
 */
#pragma once

#include "arch/addr.h"

#define FAKE_RAM_BASE 0x40000000UL
#define FAKE_RAM_BYTES ((size_t)256 << 20)

/* Zeroes the memory, or makes it on the first call. */
void fake_ram_init(void);

void *phys_to_virt(paddr_t address);
paddr_t virt_to_phys(const void *address);
