/* SPDX-License-Identifier: BSD-2-Clause */
/* An arena whose pages were something else before. Include once. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "arch/mmu.h"
#include "kernel/bootmem.h"
#include "kernel/panic.h"
#include "kernel/pmm.h"

#define BASE ((uint64_t)FAKE_RAM_BASE)
#define BOOTMEM_BYTES (32u << 20)

static uint8_t *bootmem;
static pmm_arena_t arena;

/* Boot memory full of what would be valid pages, were it ever read. */
static int setup(void **state)
{
    (void)state;
    bootmem = malloc(BOOTMEM_BYTES);
    for (size_t i = 0; i < BOOTMEM_BYTES / sizeof(vm_page_t); i++)
        ((vm_page_t *)bootmem)[i] = (vm_page_t){
            .next = 1,
            .prev = 1,
            .references = 1,
            .state = (uint8_t)(i % VM_PAGE_STATES),
            .order = (uint8_t)(i % PMM_ORDERS),
        };
    bootmem_add(bootmem, BOOTMEM_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(bootmem);
    return 0;
}

static inline void make(uint64_t base, size_t pages)
{
    assert_int_equal(pmm_arena_init(&arena, paddr(base), pages * PAGE_SIZE), OK);
}

static inline size_t sum_of_counts(void)
{
    size_t sum = 0;

    for (unsigned s = 0; s < VM_PAGE_STATES; s++)
        sum += pmm_arena_count(&arena, s);
    return sum;
}

static inline uint64_t address_of(const vm_page_t *page)
{
    return pmm_arena_page_paddr(&arena, page).raw;
}
