/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's virtual addresses (EL2, one 48-bit range, 4 KiB granule):
 *
 *     0x0000_0000_0000  identity: the boot page, only until the final tables are in
 *     0x4000_0000_0000  direct map: all RAM, never executable
 *     0x8000_0000_0000  this image: text, rodata, data, bss
 *     0x9000_0000_0000  mappings made at run time: device registers, stacks
 */
#pragma once

#include "arch/addr.h"

#define LAYOUT_DIRECT_MAP 0x400000000000UL
#define LAYOUT_IMAGE 0x800000000000UL
#define LAYOUT_DYNAMIC 0x900000000000UL

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(address.raw + LAYOUT_DIRECT_MAP);
}

static inline paddr_t virt_to_phys(const void *address)
{
    return paddr((uintptr_t)address - LAYOUT_DIRECT_MAP);
}
