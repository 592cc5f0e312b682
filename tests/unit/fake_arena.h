/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake machine's RAM in an arena, for what needs real memory. */
#pragma once

#include "arch/mmu.h"
#include "kernel/bootmem.h"
#include "kernel/pmm.h"

#define FAKE_ARENA_BASE (FAKE_RAM_BASE + SIZE_2M)
#define FAKE_ARENA_PAGES 8192u
#define FAKE_ARENA_BYTES ((size_t)FAKE_ARENA_PAGES << PAGE_SHIFT)

/* A group's setup: the system's only arena. */
static inline int make_arena(void **unused)
{
    static pmm_arena_t arena;

    (void)unused;
    fake_ram_init();
    bootmem_add(phys_to_virt(paddr(FAKE_RAM_BASE)), SIZE_2M);
    if (pmm_arena_init(&arena, paddr(FAKE_ARENA_BASE), FAKE_ARENA_BYTES) != OK)
        return -1;
    pmm_add_arena(&arena);
    return 0;
}
