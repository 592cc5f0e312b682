/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: /chosen's bootargs in the device tree. The tree is searched for the one
 * property of that name, which is all that a test guest needs of it.
 */
#include "tests/guests/lib/guest.h"

enum { FDT_MAGIC = 0xd00dfeed, FDT_BEGIN_NODE = 1, FDT_PROP = 3, FDT_END = 9 };

void command_line_find(uint64_t fdt);

static uint32_t be32(uint64_t address)
{
    return __builtin_bswap32(*(const uint32_t *)address);
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

static uint64_t align4(uint64_t value)
{
    return (value + 3) & ~3UL;
}

void command_line_find(uint64_t fdt)
{
    if (fdt == 0 || fdt % 8 != 0 || be32(fdt) != FDT_MAGIC)
        return;

    uint64_t strings = fdt + be32(fdt + 12);

    for (uint64_t at = fdt + be32(fdt + 8); be32(at) != FDT_END;) {
        uint32_t token = be32(at);

        at += 4;
        if (token == FDT_BEGIN_NODE) {
            while (*(const char *)at != '\0')
                at++;
            at = align4(at + 1);
        } else if (token == FDT_PROP) {
            if (same((const char *)strings + be32(at + 4), "bootargs"))
                command_line = (const char *)at + 8;
            at = align4(at + 8 + be32(at));
        }
    }
}
