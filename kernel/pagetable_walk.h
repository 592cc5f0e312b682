/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the page-table walker: the geometry of a tree, and going through a range of it. For
 * kernel/pagetable*.c only.
 */
#pragma once

#include "arch/bits.h"
#include "kernel/pagetable.h"

#define PT_ENTRIES (PAGE_SIZE / sizeof(uint64_t))
#define PT_LAST_LEVEL 3

static inline unsigned level_shift(unsigned level)
{
    return PAGE_SHIFT + 9 * (PT_LAST_LEVEL - level);
}

static inline uint64_t level_size(unsigned level)
{
    return BIT(level_shift(level));
}

/* The end of what the entry for `va` covers, but not past `end`. */
static inline uint64_t entry_end(uint64_t va, uint64_t end, unsigned level)
{
    return MIN(ALIGN_DOWN(va, level_size(level)) + level_size(level), end);
}

static inline uint64_t *root_of(const struct page_table *pt)
{
    return phys_to_virt(pt->root);
}

static inline uint64_t *entry_of(const struct page_table *pt, uint64_t *table, uint64_t va,
                                 unsigned level)
{
    uint64_t index = va >> level_shift(level);

    return &table[level == pt->format->top_level ? index : index % PT_ENTRIES];
}

static inline bool is_table(const struct page_table *pt, uint64_t entry, unsigned level)
{
    return pt->format->is_present(entry) && !pt->format->is_leaf(entry, level);
}

static inline uint64_t *child_of(const struct page_table *pt, uint64_t entry)
{
    return phys_to_virt(pt->format->target(entry));
}

static inline bool may_be_leaf(const struct page_table *pt, unsigned level)
{
    return pt->format->leaf_levels & BIT(level);
}

/* Walkers of other CPUs may look at any moment: one whole store. */
static inline void store(uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELAXED);
}

/* Zeroed, counted as the tree's, linked nowhere yet; NULL when there is no memory. */
uint64_t *pt_new_table(struct page_table *pt);
void pt_free_table(struct page_table *pt, uint64_t *table);

/* Break before make: `value` instead of what covers [va, va + bytes). `level` is that of the
 * smallest leaves that were there. */
void pt_replace(struct page_table *pt, uint64_t *entry, uint64_t value, uint64_t va, uint64_t bytes,
                unsigned level);

/* A walk over a range: what happens at each entry that is there, and what came of it. */
struct pt_walk {
    struct page_table *pt;
    void (*at_leaf)(struct pt_walk *walk, uint64_t *entry, uint64_t va, unsigned level);
    /* After a table's part of the range, [va, end), was walked. */
    void (*after_table)(struct pt_walk *walk, uint64_t *entry, uint64_t va, uint64_t end,
                        unsigned level);
    unsigned prot;       /* at_leaf's */
    uint64_t first, end; /* changed and still to be forgotten: nothing outside of this … */
    unsigned level;      /* … and no leaf smaller than of this level */
    uint64_t *dead;      /* tables unlinked and still to be freed */
};

/* Goes through [va, end) of the tree; what was changed is then forgotten by every TLB. */
void pt_walk_range(struct pt_walk *walk, uint64_t va, uint64_t end);

/* The same for a tree that is in no TLB. */
void pt_walk_unused(struct pt_walk *walk, uint64_t va, uint64_t end);

/* [va, end) is to be forgotten in the end, too; called with rising addresses. */
void pt_note_change(struct pt_walk *walk, uint64_t va, uint64_t end, unsigned level);

/* at_leaf: unmaps it. */
void pt_clear_leaf(struct pt_walk *walk, uint64_t *entry, uint64_t va, unsigned level);

/* after_table: unlinks the table if nothing is left in it, to be freed after the TLBs forgot. */
void pt_unlink_empty(struct pt_walk *walk, uint64_t *entry, uint64_t va, uint64_t end,
                     unsigned level);
