/* SPDX-License-Identifier: BSD-2-Clause */
/* Going through a range of a tree, and taking parts of it away safely. */

#include "kernel/pagetable_walk.h"

#include "kernel/pmm.h"

uint64_t *pt_new_table(struct page_table *pt)
{
    uint64_t *table = pmm_alloc_wired(PAGE_SIZE);

    pt->table_pages += table != NULL;
    return table;
}

void pt_free_table(struct page_table *pt, uint64_t *table)
{
    pmm_free_wired(table);
    pt->table_pages--;
}

void pt_replace(struct page_table *pt, uint64_t *entry, uint64_t value, uint64_t va, uint64_t bytes,
                unsigned level)
{
    store(entry, 0);
    pt->format->publish();
    pt->tlb->flush_range(pt->tag, va, bytes, level);
    store(entry, value);
    pt->format->publish();
}

static void walk_table(struct pt_walk *walk, uint64_t *table, unsigned level, uint64_t va,
                       uint64_t end)
{
    struct page_table *pt = walk->pt;

    for (uint64_t next; va < end; va = next) {
        uint64_t *entry = entry_of(pt, table, va, level);

        next = entry_end(va, end, level);
        if (is_table(pt, *entry, level)) {
            walk_table(walk, child_of(pt, *entry), level + 1, va, next);
            if (walk->after_table != NULL)
                walk->after_table(walk, entry, va, next, level);
        } else if (*entry != 0 && walk->at_leaf != NULL) {
            walk->at_leaf(walk, entry, va, level);
        }
    }
}

void pt_note_change(struct pt_walk *walk, uint64_t va, uint64_t end, unsigned level)
{
    if (walk->first == walk->end)
        walk->first = va;
    walk->end = end;
    walk->level = MAX(walk->level, level);
}

void pt_clear_leaf(struct pt_walk *walk, uint64_t *entry, uint64_t va, unsigned level)
{
    store(entry, 0);
    pt_note_change(walk, va, va + level_size(level), level);
}

/*
 * Unlinks a table in which nothing is left. The dead are chained through their first entry:
 * an aligned address, not present in any format, should a CPU still walk there.
 */
void pt_unlink_empty(struct pt_walk *walk, uint64_t *entry, uint64_t va, uint64_t end,
                     unsigned level)
{
    uint64_t *table = child_of(walk->pt, *entry);

    for (size_t i = 0; i < PT_ENTRIES; i++)
        if (table[i] != 0)
            return;
    store(entry, 0);
    store(&table[0], (uintptr_t)walk->dead);
    walk->dead = table;
    pt_note_change(walk, va, end, level + 1);
}

static void free_dead(struct pt_walk *walk)
{
    while (walk->dead != NULL) {
        uint64_t *table = walk->dead;

        walk->dead = (uint64_t *)(uintptr_t)table[0];
        pt_free_table(walk->pt, table);
    }
}

void pt_walk_range(struct pt_walk *walk, uint64_t va, uint64_t end)
{
    struct page_table *pt = walk->pt;

    walk_table(walk, root_of(pt), pt->format->top_level, va, end);
    pt->format->publish();
    if (walk->first != walk->end)
        pt->tlb->flush_range(pt->tag, walk->first, walk->end - walk->first, walk->level);
    free_dead(walk);
}

void pt_walk_unused(struct pt_walk *walk, uint64_t va, uint64_t end)
{
    walk_table(walk, root_of(walk->pt), walk->pt->format->top_level, va, end);
    free_dead(walk);
}
