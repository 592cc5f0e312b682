/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory as a PC's firmware leaves it: the places that the AT's setup gave them, and
 * those of later years for what does not fit.
 *
 *     12  disks      14  equipment          15  base memory, KiB
 *     17, 30  above 1 MiB, KiB, up to 63 MiB        34  above 16 MiB, 64 KiB each
 *     5b  above 4 GiB, 64 KiB each, 24 bits         5f  CPUs but one
 *     2e  sum of 10..2d, high byte first
 */

#include "vm/devices/cmos_memory.h"

#include "arch/bits.h"

enum {
    DISKS = 0x12,
    EQUIPMENT = 0x14,
    BASE_MEMORY = 0x15,
    EXTENDED = 0x17,
    SUMMED = 0x10,
    SUM = 0x2e,
    EXTENDED_TOO = 0x30,
    ABOVE_16M = 0x34,
    ABOVE_4G = 0x5b,
    MORE_CPUS = 0x5f,
};

#define DISK_BY_ITSELF 0xf0 /* the first one is of a type that is told elsewhere */
#define EQUIPMENT_PC 0x06   /* coprocessor, keyboard; an adapter with its own firmware */
#define BASE_KIB 640u
#define EXTENDED_MAX 0xfc00u /* KiB */
#define MIB ((uint64_t)1 << 20)

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t above(uint64_t memory, uint64_t start, uint64_t unit, uint64_t most)
{
    return memory > start ? MIN((memory - start) / unit, most) : 0;
}

void cmos_memory_fill(uint8_t *byte, const struct cmos_config *config)
{
    const uint64_t extended = above(config->memory, MIB, 1024, EXTENDED_MAX);
    unsigned sum = 0;

    byte[DISKS] = config->has_disk ? DISK_BY_ITSELF : 0;
    byte[EQUIPMENT] = EQUIPMENT_PC;
    put(&byte[BASE_MEMORY], MIN(config->memory / 1024, BASE_KIB), 2);
    put(&byte[EXTENDED], extended, 2);
    put(&byte[EXTENDED_TOO], extended, 2);
    put(&byte[ABOVE_16M], above(config->memory, 16 * MIB, 65536, UINT16_MAX), 2);
    put(&byte[ABOVE_4G], MIN(config->high_memory / 65536, (uint64_t)0xffffff), 3);
    byte[MORE_CPUS] = (uint8_t)(config->cpus - 1);
    for (unsigned i = SUMMED; i < SUM; i++)
        sum += byte[i];
    byte[SUM] = (uint8_t)(sum >> 8);
    byte[SUM + 1] = (uint8_t)sum;
}
