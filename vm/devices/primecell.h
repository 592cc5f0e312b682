/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ARM's PrimeCell peripherals have in common: 32-bit register slots in a 4 KiB page, at
 * whose end eight read-only bytes identify the part.
 *
 *     0xfe0  PeriphID0..3   part number [11:0], designer 0x41 [19:12], revision [23:20]
 *     0xff0  PCellID0..3    0x0d 0xf0 0x05 0xb1
 */
#pragma once

#include "arch/bits.h"

#define PRIMECELL_ID 0xfe0
#define PRIMECELL_BYTES 0x1000
#define PRIMECELL_PERIPHID(part, revision) ((uint32_t)((revision) << 20 | 0x41 << 12 | (part)))

/* The slot at `offset`, PRIMECELL_ID and beyond; 0 past the last one. */
static inline uint8_t primecell_id(uint32_t periphid, uint64_t offset)
{
    uint64_t slot = (offset - PRIMECELL_ID) / 4;
    uint64_t id = 0xb105f00d00000000u | periphid;

    if (slot >= sizeof(id))
        return 0;
    return (uint8_t)(id >> (8 * slot));
}
