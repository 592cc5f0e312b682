/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's virtual addresses (4 levels, 4 KiB granule):
 *
 *     0x0000_0000_0000_0000  identity: the boot pages, only until the final tables are in
 *     0xffff_8000_0000_0000  direct map: all RAM, never executable
 *     0xffff_c000_0000_0000  mappings made at run time: device registers, stacks
 *     0xffff_ffff_8000_0000  this image, in the top 2 GiB (-mcmodel=kernel)
 */
#pragma once

#include "arch/addr.h"

#define LAYOUT_DIRECT_MAP 0xffff800000000000UL
#define LAYOUT_DYNAMIC 0xffffc00000000000UL
#define LAYOUT_IMAGE 0xffffffff80000000UL

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(address.raw + LAYOUT_DIRECT_MAP);
}

static inline paddr_t virt_to_phys(const void *address)
{
    return paddr((uintptr_t)address - LAYOUT_DIRECT_MAP);
}
