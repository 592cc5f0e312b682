/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot memory: a pointer that moves up a range. */

#include "kernel/bootmem.h"

#include "arch/bits.h"

static uint8_t *next_free;
static size_t bytes_left;

void bootmem_add(void *start, size_t bytes)
{
    next_free = start;
    bytes_left = bytes;
}

void *bootmem_alloc(size_t bytes, size_t align)
{
    size_t gap = (size_t) - (uintptr_t)next_free & (align - 1);

    if (gap > bytes_left || bytes > bytes_left - gap)
        return NULL;

    uint8_t *memory = next_free + gap;

    next_free = memory + bytes;
    bytes_left -= gap + bytes;
    return memory;
}

void *bootmem_end(void)
{
    return next_free;
}
