/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One walker for every format.
 *
 *     root (1 page, or several side by side)
 *     +-----+-----+-----+----
 *     |     |  o  |     |          an entry is   nothing,
 *     +-----+--|--+-----+----                    a table of the next level, or
 *              v                                 a leaf: where leaf_levels allows one
 *           +-----+-----+--- 512 entries
 *           |  o  |leaf |          level_size(level) is what one entry covers
 *           +--|--+-----+---
 *              v
 *            ...
 *
 * Invariants, whenever the lock is free:
 *   - a table other than the root has at least one entry, and belongs to this tree alone;
 *   - what an entry held before is in no TLB any more, and so nobody walks a freed table;
 *   - a new table was published empty or complete before it was linked.
 */

#include "kernel/pagetable.h"

#include "kernel/pagetable_walk.h"
#include "kernel/panic.h"
#include "kernel/pmm.h"

static bool range_valid(const struct page_table *pt, uint64_t va, uint64_t bytes)
{
    uint64_t limit = BIT(pt->format->va_bits);

    return bytes != 0 && IS_ALIGNED(va | bytes, PAGE_SIZE) && va < limit && bytes <= limit - va;
}

/* --- a tree's life --- */

status_t page_table_init(struct page_table *pt, const struct pt_format *format,
                         const struct pt_tlb_ops *tlb, uint32_t tag)
{
    void *root = pmm_alloc_wired(format->root_pages * PAGE_SIZE);

    if (root == NULL)
        return ERR_NO_MEMORY;
    *pt = (struct page_table){
        .format = format,
        .tlb = tlb,
        .tag = tag,
        .root = virt_to_phys(root),
        .table_pages = format->root_pages,
    };
    format->publish();
    return OK;
}

void page_table_destroy(struct page_table *pt)
{
    struct pt_walk walk = { .pt = pt, .at_leaf = pt_clear_leaf, .after_table = pt_unlink_empty };

    pt_walk_unused(&walk, 0, BIT(pt->format->va_bits));
    assert(pt->table_pages == pt->format->root_pages);
    pmm_free_wired(root_of(pt));
    *pt = (struct page_table){ 0 };
}

/* --- map --- */

struct map_request {
    uint64_t offset; /* target minus va */
    unsigned prot;
    bool dry; /* makes the tables and looks for obstacles, writes no leaf */
};

/* Does the leaf there already say what is asked for? */
static bool says_same(const struct page_table *pt, uint64_t entry, unsigned level, uint64_t va,
                      const struct map_request *request)
{
    const struct pt_format *f = pt->format;
    uint64_t inside = va & (level_size(level) - 1);
    uint64_t wanted = f->make_leaf(paddr(0), level, request->prot);

    return f->target(entry).raw + inside == va + request->offset &&
           f->prot(entry) == f->prot(wanted);
}

static status_t add_table(struct page_table *pt, uint64_t *entry)
{
    uint64_t *table = pt_new_table(pt);

    if (table == NULL)
        return ERR_NO_MEMORY;
    pt->format->publish();
    store(entry, pt->format->make_table(virt_to_phys(table)));
    return OK;
}

/*
 * A run of leaves into vacant entries, from `entry` on for [va, end), which does not reach
 * beyond the table. Returns the bytes it covers: 0 when the first entry takes no leaf.
 */
static uint64_t map_run(const struct page_table *pt, uint64_t *entry, unsigned level, uint64_t va,
                        uint64_t end, const struct map_request *request)
{
    const uint64_t to = va + request->offset;
    const uint64_t most = (end - va) >> level_shift(level);
    const bool dry = request->dry;
    uint64_t leaf, n;

    if (!may_be_leaf(pt, level) || !IS_ALIGNED(va | to, level_size(level)))
        return 0;
    leaf = pt->format->make_leaf(paddr(to), level, request->prot);
    for (n = 0; n < most && entry[n] == 0; n++, leaf += level_size(level))
        if (!dry)
            store(&entry[n], leaf);
    return n << level_shift(level);
}

/* What no run covers: a leaf that is there already, or a table, to be made if need be. */
static status_t map_entry(struct page_table *pt, uint64_t *entry, unsigned level, uint64_t va,
                          const struct map_request *request)
{
    if (*entry == 0)
        return add_table(pt, entry);
    if (!is_table(pt, *entry, level) && !says_same(pt, *entry, level, va, request))
        return ERR_ALREADY_EXISTS;
    return OK;
}

static status_t map_range(struct page_table *pt, uint64_t *table, unsigned level, uint64_t va,
                          uint64_t end, const struct map_request *request)
{
    status_t status = OK;

    for (uint64_t next; va < end && status == OK; va = next) {
        uint64_t *entry = entry_of(pt, table, va, level);
        const uint64_t run = map_run(pt, entry, level, va, end, request);

        if (run != 0) {
            next = va + run;
            continue;
        }
        next = entry_end(va, end, level);
        status = map_entry(pt, entry, level, va, request);
        if (status == OK && is_table(pt, *entry, level))
            status = map_range(pt, child_of(pt, *entry), level + 1, va, next, request);
    }
    return status;
}

/*
 * The usual fault: [va, va + bytes) is one leaf and all its tables are there. NULL: anything
 * else.
 */
static uint64_t *find_vacant(const struct page_table *pt, uint64_t va, uint64_t to, uint64_t bytes,
                             unsigned *level)
{
    uint64_t *table = root_of(pt);

    for (*level = pt->format->top_level;; ++*level) {
        uint64_t *entry = entry_of(pt, table, va, *level);

        if (!pt->format->is_present(*entry)) {
            bool fits = bytes == level_size(*level) && IS_ALIGNED(va | to, bytes);

            return fits && may_be_leaf(pt, *level) ? entry : NULL;
        }
        if (pt->format->is_leaf(*entry, *level))
            return NULL;
        table = child_of(pt, *entry);
    }
}

/* All that can fail comes first, in a dry round; a single page fails before its leaf anyway. */
static status_t map_anything(struct page_table *pt, uint64_t va, uint64_t end,
                             struct map_request *request)
{
    struct pt_walk undo = { .pt = pt, .after_table = pt_unlink_empty };
    unsigned top = pt->format->top_level;
    status_t status = OK;

    request->dry = end - va > PAGE_SIZE;
    if (request->dry)
        status = map_range(pt, root_of(pt), top, va, end, request);
    request->dry = false;
    if (status == OK)
        status = map_range(pt, root_of(pt), top, va, end, request);
    if (status != OK)
        pt_walk_range(&undo, va, end); /* the tables that were made for nothing */
    return status;
}

status_t page_table_map(struct page_table *pt, uint64_t va, paddr_t to, uint64_t bytes,
                        unsigned prot)
{
    struct map_request request = { .offset = to.raw - va, .prot = prot };
    status_t status = OK;
    unsigned level;

    if (!range_valid(pt, va, bytes) || !IS_ALIGNED(to.raw, PAGE_SIZE) ||
        to.raw + (bytes - 1) < to.raw)
        return ERR_INVALID_ARGS;
    spin_lock(&pt->lock);
    uint64_t *vacant = find_vacant(pt, va, to.raw, bytes, &level);

    if (vacant != NULL)
        store(vacant, pt->format->make_leaf(to, level, prot));
    else
        status = map_anything(pt, va, va + bytes, &request);
    pt->format->publish();
    spin_unlock(&pt->lock);
    return status;
}

/* --- changing what is mapped --- */

static status_t split_leaf(struct page_table *pt, uint64_t *entry, uint64_t va, unsigned level)
{
    const struct pt_format *f = pt->format;
    uint64_t size = level_size(level);
    paddr_t to = f->target(*entry);
    unsigned prot = f->prot(*entry);
    uint64_t *table = pt_new_table(pt);

    if (table == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < PT_ENTRIES; i++)
        table[i] = f->make_leaf(paddr_add(to, i * level_size(level + 1)), level + 1, prot);
    pt_replace(pt, entry, f->make_table(virt_to_phys(table)), ALIGN_DOWN(va, size), size, level);
    return OK;
}

/* Afterwards no leaf reaches across `va`. */
static status_t split_at(struct page_table *pt, uint64_t va)
{
    uint64_t *table = root_of(pt);
    status_t status = OK;

    for (unsigned level = pt->format->top_level; !IS_ALIGNED(va, level_size(level)); level++) {
        uint64_t *entry = entry_of(pt, table, va, level);

        if (!pt->format->is_present(*entry))
            return OK;
        if (pt->format->is_leaf(*entry, level))
            status = split_leaf(pt, entry, va, level);
        if (status != OK)
            return status;
        table = child_of(pt, *entry);
    }
    return OK;
}

/*
 * Permissions change in place; the kind of memory only by break-before-make.
 */
static void set_prot(struct pt_walk *walk, uint64_t *entry, uint64_t va, unsigned level)
{
    const struct pt_format *f = walk->pt->format;
    uint64_t leaf = f->make_leaf(f->target(*entry), level, walk->prot);
    unsigned changed = f->prot(*entry) ^ f->prot(leaf);

    if (changed & PT_DEVICE) {
        pt_replace(walk->pt, entry, leaf, va, level_size(level), level);
    } else if (changed != 0) {
        store(entry, leaf);
        pt_note_change(walk, va, va + level_size(level), level);
    }
}

/* Locks, where the range is valid and no leaf reaches across its ends any more. */
static status_t lock_range(struct page_table *pt, uint64_t va, uint64_t bytes)
{
    if (!range_valid(pt, va, bytes))
        return ERR_INVALID_ARGS;
    spin_lock(&pt->lock);
    status_t status = split_at(pt, va);

    if (status == OK)
        status = split_at(pt, va + bytes);
    if (status != OK)
        spin_unlock(&pt->lock);
    return status;
}

status_t page_table_unmap(struct page_table *pt, uint64_t va, uint64_t bytes)
{
    struct pt_walk walk = { .pt = pt, .at_leaf = pt_clear_leaf, .after_table = pt_unlink_empty };
    status_t status = lock_range(pt, va, bytes);

    if (status != OK)
        return status;
    pt_walk_range(&walk, va, va + bytes);
    spin_unlock(&pt->lock);
    return OK;
}

status_t page_table_protect(struct page_table *pt, uint64_t va, uint64_t bytes, unsigned prot)
{
    struct pt_walk walk = { .pt = pt, .at_leaf = set_prot, .prot = prot };
    status_t status = lock_range(pt, va, bytes);

    if (status != OK)
        return status;
    pt_walk_range(&walk, va, va + bytes);
    spin_unlock(&pt->lock);
    return OK;
}

/* --- query, merge --- */

status_t page_table_query(struct page_table *pt, uint64_t va, struct pt_mapping *out)
{
    const struct pt_format *f = pt->format;
    unsigned level = f->top_level;
    uint64_t entry = 0;

    spin_lock(&pt->lock);
    if (va < BIT(f->va_bits))
        entry = *entry_of(pt, root_of(pt), va, level);
    while (is_table(pt, entry, level)) {
        level++;
        entry = *entry_of(pt, child_of(pt, entry), va, level);
    }
    spin_unlock(&pt->lock);
    if (!f->is_present(entry))
        return ERR_NOT_FOUND;
    *out = (struct pt_mapping){
        .to = paddr_add(f->target(entry), va & (level_size(level) - 1)),
        .prot = f->prot(entry),
        .level = level,
    };
    return OK;
}

/* Could one leaf of the level above say what these 512 say? */
static bool is_mergeable(const struct page_table *pt, const uint64_t *table, unsigned level)
{
    const struct pt_format *f = pt->format;
    uint64_t to = f->target(table[0]).raw;

    if (!IS_ALIGNED(to, level_size(level - 1)))
        return false;
    for (size_t i = 0; i < PT_ENTRIES; i++)
        if (!f->is_present(table[i]) || !f->is_leaf(table[i], level) ||
            f->target(table[i]).raw != to + i * level_size(level) ||
            f->prot(table[i]) != f->prot(table[0]))
            return false;
    return true;
}

static void merge_table(struct pt_walk *walk, uint64_t *entry, uint64_t va, uint64_t end,
                        unsigned level)
{
    struct page_table *pt = walk->pt;
    const struct pt_format *f = pt->format;
    uint64_t *table = child_of(pt, *entry);

    if (end - va != level_size(level) || !may_be_leaf(pt, level) ||
        !is_mergeable(pt, table, level + 1))
        return;
    pt_replace(pt, entry, f->make_leaf(f->target(table[0]), level, f->prot(table[0])), va, end - va,
               level + 1);
    pt_free_table(pt, table);
}

status_t page_table_merge(struct page_table *pt, uint64_t va, uint64_t bytes)
{
    struct pt_walk walk = { .pt = pt, .after_table = merge_table };

    if (!range_valid(pt, va, bytes))
        return ERR_INVALID_ARGS;
    spin_lock(&pt->lock);
    pt_walk_range(&walk, va, va + bytes);
    spin_unlock(&pt->lock);
    return OK;
}
