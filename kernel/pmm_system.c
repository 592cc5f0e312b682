/* SPDX-License-Identifier: BSD-2-Clause */
/* The system's memory: what asks for a page does not ask of which bank it is. */

#include "kernel/pmm.h"

#include "arch/mem.h"
#include "arch/mmu.h"
#include "kernel/panic.h"

static pmm_arena_t *first_arena;

void pmm_add_arena(pmm_arena_t *arena)
{
    pmm_arena_t **link = &first_arena;

    for (; *link != NULL; link = &(*link)->next)
        if (*link == arena)
            return;
    arena->next = NULL;
    *link = arena;
}

pmm_arena_t *pmm_first_arena(void)
{
    return first_arena;
}

pmm_arena_t *pmm_arena_of(paddr_t address)
{
    pmm_arena_t *arena = first_arena;

    while (arena != NULL && pmm_arena_page_at(arena, address) == NULL)
        arena = arena->next;
    return arena;
}

status_t pmm_alloc(unsigned order, enum vm_page_state state, paddr_t *out)
{
    for (pmm_arena_t *arena = first_arena; arena != NULL; arena = arena->next) {
        vm_page_t *page;

        if (pmm_arena_alloc_block(arena, order, state, &page) == OK) {
            *out = pmm_arena_page_paddr(arena, page);
            return OK;
        }
    }
    return ERR_NO_MEMORY;
}

void pmm_free(paddr_t block)
{
    pmm_arena_t *arena = pmm_arena_of(block);

    if (arena == NULL || pmm_arena_free_page(arena, pmm_arena_page_at(arena, block)) != OK)
        panic("pmm: free of %#llx, which is not allocated", (unsigned long long)block.raw);
}

size_t pmm_free_count(void)
{
    size_t count = 0;

    for (pmm_arena_t *arena = first_arena; arena != NULL; arena = arena->next)
        count += pmm_arena_free_count(arena);
    return count;
}

void *pmm_alloc_wired(size_t bytes)
{
    unsigned order = 0;
    paddr_t block;

    if (bytes == 0)
        return NULL;
    while (order < PMM_ORDERS && (PAGE_SIZE << order) < bytes)
        order++;
    if (pmm_alloc(order, VM_PAGE_WIRED, &block) != OK)
        return NULL;

    void *memory = phys_to_virt(block);

    asm_mem_zero(memory, PAGE_SIZE << order);
    return memory;
}

void pmm_free_wired(void *memory)
{
    if (memory != NULL)
        pmm_free(virt_to_phys(memory));
}
