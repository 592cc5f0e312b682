/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table walker: one for the hypervisor's own tables and for every guest's second
 * stage, driven by a format from arch/ (see arch/mmu.h for the picture).
 *
 * Invariants: a table page is WIRED memory owned by its tree; a live entry is never changed
 * to another live entry, but made invalid, forgotten by every TLB, then written
 * (break-before-make, Arm ARM D8.14), except for what it permits; an empty table is freed by
 * unmap.
 */
#pragma once

#include "arch/mmu.h"
#include "arch/spinlock.h"
#include "arch/status.h"

struct page_table {
    spinlock_t lock; /* outside the arenas', inside the VMOs' */
    const struct pt_format *format;
    const struct pt_tlb_ops *tlb;
    uint32_t tag; /* handed to tlb: VMID, ASID */
    paddr_t root;
    size_t table_pages; /* root included */
};

struct pt_mapping {
    paddr_t to;     /* what the queried address translates to */
    unsigned prot;  /* enum pt_prot */
    unsigned level; /* of the leaf */
};

status_t page_table_init(struct page_table *pt, const struct pt_format *format,
                         const struct pt_tlb_ops *tlb, uint32_t tag);
/* Frees every table. No CPU may be using the tree. */
void page_table_destroy(struct page_table *pt);

/*
 * Maps [va, va + bytes) to [to, to + bytes) with the largest leaves that alignment and format
 * allow. Present entries: left when they say the same; ERR_ALREADY_EXISTS when not. A call
 * that fails has changed nothing.
 * ERR_INVALID_ARGS: misaligned, bytes 0, or beyond the format's width. ERR_NO_MEMORY.
 */
status_t page_table_map(struct page_table *pt, uint64_t va, paddr_t to, uint64_t bytes,
                        unsigned prot);

/*
 * Unmaps whatever is there in [va, va + bytes), splitting larger leaves at the edges, and
 * makes every CPU forget it. ERR_INVALID_ARGS as for map; ERR_NO_MEMORY when splitting.
 */
status_t page_table_unmap(struct page_table *pt, uint64_t va, uint64_t bytes);

/* Changes what the mapped parts of the range allow, and makes every CPU forget what they
 * allowed. Errors as unmap. */
status_t page_table_protect(struct page_table *pt, uint64_t va, uint64_t bytes, unsigned prot);

/* ERR_NOT_FOUND: not mapped. */
status_t page_table_query(struct page_table *pt, uint64_t va, struct pt_mapping *out);

/*
 * Leaves that together say what one larger leaf inside of the range could: replaced by that
 * one. ERR_INVALID_ARGS as for map.
 */
status_t page_table_merge(struct page_table *pt, uint64_t va, uint64_t bytes);
