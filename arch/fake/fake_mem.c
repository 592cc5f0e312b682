/* SPDX-License-Identifier: BSD-2-Clause */
/* Bulk memory primitives in plain C; the sanitizer watches their arguments. */

#include "arch/mem.h"

#include <string.h>

#include "arch/fake/fake.h"

struct fake_mem fake_mem;

void fake_mem_reset(void)
{
    fake_mem = (struct fake_mem){ 0 };
}

void asm_mem_copy(void *dst, const void *src, size_t bytes)
{
    if (bytes != 0)
        memcpy(dst, src, bytes);
}

void asm_mem_zero(void *dst, size_t bytes)
{
    if (bytes != 0)
        memset(dst, 0, bytes);
}

void asm_block_fill(void *dst, uint64_t pattern, size_t bytes)
{
    uint8_t *to = dst;

    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(pattern >> (8 * (i % 8)));
}

void arch_clean_for_guest(const void *start, size_t bytes)
{
    (void)start;
    __atomic_fetch_add(&fake_mem.cleaned_bytes, bytes, __ATOMIC_RELAXED);
}

void arch_zero_for_guest(void *page, size_t bytes)
{
    asm_mem_zero(page, bytes);
    __atomic_fetch_add(&fake_mem.zeroed_bytes, bytes, __ATOMIC_RELAXED);
}

void arch_sync_instructions(void)
{
    __atomic_fetch_add(&fake_mem.instruction_syncs, 1, __ATOMIC_RELAXED);
}
