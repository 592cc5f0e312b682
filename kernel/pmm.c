/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator of an arena.
 *
 *     page      0   1   2   3   4   5   6   7     (here counted from physical address 0)
 *     order 2   [              ][              ]
 *     order 1   [      ][      ][      ][      ]  a block starts at a multiple of its size;
 *     order 0   [  ][  ][  ][  ][  ][  ][  ][  ]  two buddies make one block of the next order
 *
 * Every page belongs to exactly one block, free or not. Seen from a page, walk down from the
 * largest order: where an aligned run of that order would start stands either the block that
 * holds the page, or the first page of a smaller one. So its entry is valid, and says which
 * (block_of). The buddy of a block, likewise, always starts a block. Nothing else is ever
 * read, and so nothing else needs to be initialised.
 */

#include "kernel/pmm.h"

#include "kernel/bootmem.h"
#include "kernel/panic.h"

static uint64_t first_pfn(const pmm_arena_t *arena)
{
    return arena->base.raw >> PAGE_SHIFT;
}

/* A free block: at the head of its order's list, and counted. */
static void list_add(pmm_arena_t *arena, size_t index, unsigned order)
{
    uint32_t next = arena->free_list[order];
    uint32_t self = (uint32_t)index + 1;

    arena->pages[index] =
        (vm_page_t){ .next = next, .state = VM_PAGE_FREE, .order = (uint8_t)order };
    if (next != 0)
        arena->pages[next - 1].prev = self;
    arena->free_list[order] = self;
    arena->count[VM_PAGE_FREE] += BIT(order);
}

static void list_remove(pmm_arena_t *arena, size_t index)
{
    const vm_page_t *page = &arena->pages[index];

    if (page->next != 0)
        arena->pages[page->next - 1].prev = page->prev;
    if (page->prev != 0)
        arena->pages[page->prev - 1].next = page->next;
    else
        arena->free_list[page->order] = page->next;
    arena->count[VM_PAGE_FREE] -= BIT(page->order);
}

/* The block that holds page `index`: its first page. */
static size_t block_of(const pmm_arena_t *arena, size_t index)
{
    uint64_t first = first_pfn(arena);

    for (unsigned order = PMM_ORDERS; order-- > 0;) {
        uint64_t head = ALIGN_DOWN(first + index, BIT(order));

        if (head >= first && arena->pages[head - first].order == order)
            return head - first;
    }
    panic("pmm: page %zu is in no block", index);
}

/* A block leaves its list, cut down to `order`; the upper halves stay free. */
static void take_block(pmm_arena_t *arena, size_t index, unsigned order)
{
    unsigned have = arena->pages[index].order;

    list_remove(arena, index);
    while (have > order) {
        have--;
        list_add(arena, index + BIT(have), have);
    }
}

static void set_block(pmm_arena_t *arena, size_t index, unsigned order, enum vm_page_state state)
{
    arena->pages[index] = (vm_page_t){
        .references = state != VM_PAGE_RESERVED,
        .state = (uint8_t)state,
        .order = (uint8_t)order,
    };
    arena->count[state] += BIT(order);
}

/* The block's buddy, if it is free and whole. */
static bool free_buddy(const pmm_arena_t *arena, size_t index, unsigned order, size_t *out)
{
    uint64_t first = first_pfn(arena);
    uint64_t buddy = ((first + index) ^ BIT(order)) - first; /* wraps when before the arena */

    if (buddy >= arena->page_count || arena->page_count - buddy < BIT(order))
        return false;
    *out = buddy;
    return arena->pages[buddy].state == VM_PAGE_FREE && arena->pages[buddy].order == order;
}

static void release_block(pmm_arena_t *arena, size_t index)
{
    vm_page_t *page = &arena->pages[index];
    unsigned order = page->order;
    size_t buddy;

    arena->count[page->state] -= BIT(order);
    page->state = VM_PAGE_FREE;
    while (order + 1 < PMM_ORDERS && free_buddy(arena, index, order, &buddy)) {
        list_remove(arena, buddy);
        index = MIN(index, buddy);
        order++;
    }
    list_add(arena, index, order);
}

status_t pmm_arena_init(pmm_arena_t *arena, paddr_t base, size_t size)
{
    size_t count = size >> PAGE_SHIFT;

    if (arena == NULL || count == 0 || count >= UINT32_MAX || !IS_ALIGNED(base.raw, PAGE_SIZE) ||
        base.raw + (size - 1) < base.raw)
        return ERR_INVALID_ARGS;

    vm_page_t *pages = bootmem_alloc(count * sizeof(vm_page_t), sizeof(vm_page_t));

    if (pages == NULL)
        return ERR_NO_MEMORY;
    *arena = (pmm_arena_t){ .base = base, .page_count = count, .pages = pages };

    for (size_t index = 0; index < count;) {
        uint64_t pfn = first_pfn(arena) + index;
        unsigned order = PMM_ORDERS - 1;

        while (!IS_ALIGNED(pfn, BIT(order)) || BIT(order) > count - index)
            order--;
        list_add(arena, index, order);
        index += BIT(order);
    }
    return OK;
}

status_t pmm_arena_alloc_block(pmm_arena_t *arena, unsigned order, enum vm_page_state state,
                               vm_page_t **out)
{
    if (arena == NULL || out == NULL || order >= PMM_ORDERS ||
        (state != VM_PAGE_ALLOCATED && state != VM_PAGE_WIRED))
        return ERR_INVALID_ARGS;

    status_t status = ERR_NO_MEMORY;

    spin_lock(&arena->lock);
    for (unsigned have = order; have < PMM_ORDERS; have++) {
        if (arena->free_list[have] == 0)
            continue;

        size_t index = arena->free_list[have] - 1;

        take_block(arena, index, order);
        set_block(arena, index, order, state);
        *out = &arena->pages[index];
        status = OK;
        break;
    }
    spin_unlock(&arena->lock);
    return status;
}

status_t pmm_arena_alloc_page(pmm_arena_t *arena, vm_page_t **out)
{
    return pmm_arena_alloc_block(arena, 0, VM_PAGE_ALLOCATED, out);
}

/*
 * Locks the arena when `page` is the first of a block that was handed out. Any pointer may
 * come in; only after it is known to be an entry of the array is it looked at.
 */
static bool lock_held_block(pmm_arena_t *arena, const vm_page_t *page)
{
    if (arena == NULL || page == NULL)
        return false;

    uintptr_t offset = (uintptr_t)page - (uintptr_t)arena->pages;
    size_t index = offset / sizeof(vm_page_t);

    if (index >= arena->page_count || offset % sizeof(vm_page_t) != 0)
        return false;
    spin_lock(&arena->lock);
    if (block_of(arena, index) == index &&
        (page->state == VM_PAGE_ALLOCATED || page->state == VM_PAGE_WIRED))
        return true;
    spin_unlock(&arena->lock);
    return false;
}

status_t pmm_arena_free_page(pmm_arena_t *arena, vm_page_t *page)
{
    if (!lock_held_block(arena, page))
        return ERR_INVALID_ARGS;
    if (--page->references == 0)
        release_block(arena, (size_t)(page - arena->pages));
    spin_unlock(&arena->lock);
    return OK;
}

status_t pmm_arena_ref_page(pmm_arena_t *arena, vm_page_t *page)
{
    if (!lock_held_block(arena, page))
        return ERR_INVALID_ARGS;

    bool room = page->references < UINT32_MAX;

    page->references += room;
    spin_unlock(&arena->lock);
    return room ? OK : ERR_INVALID_ARGS;
}

status_t pmm_arena_split_block(pmm_arena_t *arena, vm_page_t *page, unsigned order)
{
    if (!lock_held_block(arena, page))
        return ERR_INVALID_ARGS;

    bool large = order <= page->order;

    if (large) {
        size_t pages = BIT(page->order);

        page->order = (uint8_t)order;
        for (size_t i = BIT(order); i < pages; i += BIT(order))
            page[i] = *page;
    }
    spin_unlock(&arena->lock);
    return large ? OK : ERR_INVALID_ARGS;
}

static bool all_free(const pmm_arena_t *arena, size_t index, size_t end)
{
    while (index < end) {
        size_t block = block_of(arena, index);

        if (arena->pages[block].state != VM_PAGE_FREE)
            return false;
        index = block + BIT(arena->pages[block].order);
    }
    return true;
}

/* Takes free [index, end) out of its blocks, in the largest aligned runs. */
static void reserve_pages(pmm_arena_t *arena, size_t index, size_t end)
{
    while (index < end) {
        size_t block = block_of(arena, index);
        unsigned order = arena->pages[block].order;

        list_remove(arena, block);
        while (block != index || BIT(order) > end - index) { /* the other half stays free */
            const size_t half = block + BIT(--order);

            list_add(arena, index < half ? half : block, order);
            block = index < half ? block : half;
        }
        set_block(arena, block, order, VM_PAGE_RESERVED);
        index += BIT(order);
    }
}

status_t pmm_arena_reserve(pmm_arena_t *arena, paddr_t base, size_t bytes)
{
    if (arena == NULL)
        return ERR_NOT_FOUND;

    uint64_t offset = base.raw - arena->base.raw;
    uint64_t size = (uint64_t)arena->page_count << PAGE_SHIFT;

    if (base.raw < arena->base.raw || offset > size || bytes > size - offset)
        return ERR_NOT_FOUND;
    if (bytes == 0)
        return OK;

    size_t first = offset >> PAGE_SHIFT;
    size_t end = (size_t)(ALIGN_UP(offset + bytes, PAGE_SIZE) >> PAGE_SHIFT);

    spin_lock(&arena->lock);
    bool possible = all_free(arena, first, end);

    if (possible)
        reserve_pages(arena, first, end);
    spin_unlock(&arena->lock);
    return possible ? OK : ERR_BAD_STATE;
}

size_t pmm_arena_count(pmm_arena_t *arena, enum vm_page_state state)
{
    if (arena == NULL || (unsigned)state >= VM_PAGE_STATES)
        return 0;
    spin_lock(&arena->lock);
    size_t count = arena->count[state];

    spin_unlock(&arena->lock);
    return count;
}

size_t pmm_arena_free_count(pmm_arena_t *arena)
{
    return pmm_arena_count(arena, VM_PAGE_FREE);
}

paddr_t pmm_arena_page_paddr(const pmm_arena_t *arena, const vm_page_t *page)
{
    return paddr_add(arena->base, (uint64_t)(page - arena->pages) << PAGE_SHIFT);
}

vm_page_t *pmm_arena_page_at(pmm_arena_t *arena, paddr_t address)
{
    uint64_t index = (address.raw - arena->base.raw) >> PAGE_SHIFT;

    return address.raw >= arena->base.raw && index < arena->page_count ? &arena->pages[index]
                                                                       : NULL;
}
