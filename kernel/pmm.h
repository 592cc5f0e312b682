/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical memory: one arena per memory bank, a buddy allocator in each.
 *
 *     arena   [ base ........................................ base + pages * 4096 )
 *     blocks  power-of-two runs of pages, aligned to their size; a free block is one list
 *             entry, kept in the vm_page_t of its first page
 *     pages   one vm_page_t each, in an array outside the arena (kernel/bootmem.h)
 *
 * Only the vm_page_t of a block's first page means anything, and which pages are first follows
 * from the blocks themselves (see pmm.c). So the array is never initialised: an arena of any
 * size costs one entry for each of its largest blocks at boot.
 */
#pragma once

#include "arch/addr.h"
#include "arch/spinlock.h"
#include "arch/status.h"

#define PMM_ORDERS 19 /* blocks of 4 KiB (order 0) to 1 GiB (order 18) */
#define PMM_ORDER_2M 9
#define PMM_ORDER_1G 18

enum vm_page_state {
    VM_PAGE_FREE = 0,
    VM_PAGE_ALLOCATED, /* handed out, counted by references */
    VM_PAGE_WIRED,     /* the hypervisor's own: tables, stacks, structures */
    VM_PAGE_RESERVED,  /* never handed out: firmware, the image, a bundle */
    VM_PAGE_STATES,
};

/* The first page of a block carries the block's state; what the others say is stale. */
typedef struct vm_page {
    uint32_t next, prev; /* free list: page index in the arena + 1, 0 ends */
    uint32_t references;
    uint8_t state; /* enum vm_page_state */
    uint8_t order;
    uint8_t spare[2];
} vm_page_t;

_Static_assert(sizeof(vm_page_t) == 16, "4 MiB for each GiB");

typedef struct pmm_arena {
    /* Innermost lock but the log's: taken with any other held. */
    spinlock_t lock;
    paddr_t base;
    size_t page_count;
    vm_page_t *pages;
    uint32_t free_list[PMM_ORDERS];
    size_t count[VM_PAGE_STATES]; /* pages by state; their sum is page_count */
    struct pmm_arena *next;       /* of the system's arenas */
} pmm_arena_t;

/*
 * Every page from `base` on, floor(size / 4096) of them, becomes free.
 * ERR_INVALID_ARGS: NULL, size 0, less than a page, base not page-aligned, or beyond the end
 * of the address space.
 * ERR_NO_MEMORY: no boot memory left for the page array.
 */
status_t pmm_arena_init(pmm_arena_t *arena, paddr_t base, size_t size);

/* One page, ALLOCATED with one reference. ERR_NO_MEMORY: empty. ERR_INVALID_ARGS: NULL. */
status_t pmm_arena_alloc_page(pmm_arena_t *arena, vm_page_t **out);

/*
 * Drops a reference; at zero the page, or the block that it heads, is free again.
 * ERR_INVALID_ARGS: NULL, not allocated (double free), inside of a block, or of another
 * arena; nothing changes.
 */
status_t pmm_arena_free_page(pmm_arena_t *arena, vm_page_t *page);

/* Free pages; 0 for NULL. */
size_t pmm_arena_free_count(pmm_arena_t *arena);

/* Pages in a state. */
size_t pmm_arena_count(pmm_arena_t *arena, enum vm_page_state state);

/*
 * 1 << order pages, contiguous and aligned to their size, in `state` (ALLOCATED or WIRED)
 * with one reference. O(log n). ERR_NO_MEMORY, ERR_INVALID_ARGS as above.
 */
status_t pmm_arena_alloc_block(pmm_arena_t *arena, unsigned order, enum vm_page_state state,
                               vm_page_t **out);

/*
 * [base, base + bytes), rounded outward to pages, is never handed out.
 * ERR_NOT_FOUND: not inside the arena. ERR_BAD_STATE: not all free; nothing changes.
 */
status_t pmm_arena_reserve(pmm_arena_t *arena, paddr_t base, size_t bytes);

/* One more reference to an allocated page or block. ERR_INVALID_ARGS as for free, or no more
 * can be counted. */
status_t pmm_arena_ref_page(pmm_arena_t *arena, vm_page_t *page);

/*
 * An allocated block becomes blocks of `order`, each with its state and references, each
 * freed on its own. ERR_INVALID_ARGS: as for free, or the block is smaller.
 */
status_t pmm_arena_split_block(pmm_arena_t *arena, vm_page_t *page, unsigned order);

paddr_t pmm_arena_page_paddr(const pmm_arena_t *arena, const vm_page_t *page);

/* NULL where the address is not in the arena. */
vm_page_t *pmm_arena_page_at(pmm_arena_t *arena, paddr_t address);

/*
 * The system's arenas, all banks together. Added at boot, never removed; again is nothing.
 */
void pmm_add_arena(pmm_arena_t *arena);
pmm_arena_t *pmm_first_arena(void);         /* then ->next */
pmm_arena_t *pmm_arena_of(paddr_t address); /* NULL: in none of them */

/* A block from whichever arena has one; its address. ERR_NO_MEMORY. */
status_t pmm_alloc(unsigned order, enum vm_page_state state, paddr_t *out);

/* A block that pmm_alloc gave. A wrong address is our own bug: panics. */
void pmm_free(paddr_t block);

size_t pmm_free_count(void);

/*
 * Zeroed WIRED pages for the hypervisor's own structures, in the direct map: a run of the
 * next power of two. NULL when none is left, or for 0 bytes or more than 1 GiB.
 */
void *pmm_alloc_wired(size_t bytes);
void pmm_free_wired(void *memory); /* NULL is nothing */
