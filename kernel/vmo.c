/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects. An entry, of the slots or of a table, is a page-aligned address and a kind:
 *
 *     slots[i]   0             nothing of these 2 MiB is committed
 *                address | 1   one 2 MiB block
 *                address | 2   a table: 512 entries, each 0 or address | 1 (a page)
 *
 * A table never stands empty: the decommit that takes its last page frees it too.
 */

#include "kernel/vmo.h"

#include "arch/mem.h"
#include "arch/mmu.h"
#include "kernel/panic.h"

#define ENTRY_MEMORY BIT(0)
#define ENTRY_TABLE BIT(1)
#define ENTRY_ADDRESS (~(uint64_t)PAGE_MASK)

#define TABLE_ENTRIES (SIZE_2M / PAGE_SIZE)
#define SLOT_SHIFT 21

static uint64_t *table_of(uint64_t slot)
{
    return phys_to_virt(paddr(slot & ENTRY_ADDRESS));
}

static uint64_t length(const vmo_t *vmo)
{
    return (uint64_t)vmo->page_count << PAGE_SHIFT;
}

static size_t page_in_slot(uint64_t offset)
{
    return (offset >> PAGE_SHIFT) % TABLE_ENTRIES;
}

static status_t alloc_memory(vmo_t *vmo, unsigned order, uint64_t *entry)
{
    vm_page_t *page;
    paddr_t memory;
    status_t status;

    if (vmo->arena == NULL) {
        status = pmm_alloc(order, VM_PAGE_ALLOCATED, &memory);
    } else {
        status = pmm_arena_alloc_block(vmo->arena, order, VM_PAGE_ALLOCATED, &page);
        if (status == OK)
            memory = pmm_arena_page_paddr(vmo->arena, page);
    }
    if (status != OK)
        return status;
    arch_zero_for_guest(phys_to_virt(memory), PAGE_SIZE << order);
    *entry = memory.raw | ENTRY_MEMORY;
    vmo->stats.committed_pages += BIT(order);
    vmo->stats.committed_blocks += order == PMM_ORDER_2M;
    return OK;
}

static void free_memory(vmo_t *vmo, unsigned order, uint64_t *entry)
{
    paddr_t memory = paddr(*entry & ENTRY_ADDRESS);
    pmm_arena_t *arena = vmo->arena != NULL ? vmo->arena : pmm_arena_of(memory);
    status_t status = pmm_arena_free_page(arena, pmm_arena_page_at(arena, memory));

    assert(status == OK);
    *entry = 0;
    vmo->stats.committed_pages -= BIT(order);
    vmo->stats.committed_blocks -= order == PMM_ORDER_2M;
}

static status_t init(vmo_t *vmo, pmm_arena_t *arena, size_t size)
{
    if (vmo == NULL || size == 0 || size > SIZE_MAX - SIZE_2M)
        return ERR_INVALID_ARGS;

    size_t slot_count = DIV_ROUND_UP(size, SIZE_2M);
    uint64_t *slots = pmm_alloc_wired(slot_count * sizeof(uint64_t));

    if (slots == NULL)
        return ERR_NO_MEMORY;
    *vmo = (vmo_t){
        .size = size,
        .page_count = DIV_ROUND_UP(size, PAGE_SIZE),
        .slot_count = slot_count,
        .slots = slots,
        .arena = arena,
    };
    return OK;
}

status_t vmo_init(vmo_t *vmo, size_t size)
{
    return init(vmo, NULL, size);
}

status_t vmo_bootstrap_init(vmo_t *vmo, pmm_arena_t *arena, size_t size)
{
    return arena != NULL ? init(vmo, arena, size) : ERR_INVALID_ARGS;
}

/* Lock held. What is committed at `offset`. */
static bool lookup(const vmo_t *vmo, uint64_t offset, struct vmo_extent *out)
{
    uint64_t entry = vmo->slots[offset >> SLOT_SHIFT];
    uint64_t bytes = SIZE_2M;

    if (entry & ENTRY_TABLE) {
        entry = table_of(entry)[page_in_slot(offset)];
        bytes = PAGE_SIZE;
    }
    if (entry == 0)
        return false;
    *out = (struct vmo_extent){ .base = paddr(entry & ENTRY_ADDRESS), .bytes = bytes };
    return true;
}

status_t vmo_lookup(vmo_t *vmo, uint64_t offset, struct vmo_extent *out)
{
    if (vmo == NULL || out == NULL || offset >= length(vmo))
        return ERR_INVALID_ARGS;
    spin_lock(&vmo->lock);
    bool found = lookup(vmo, offset, out);

    spin_unlock(&vmo->lock);
    return found ? OK : ERR_NOT_FOUND;
}

static status_t commit_page(vmo_t *vmo, uint64_t *slot, uint64_t offset)
{
    uint64_t *new_table = NULL;

    if (*slot == 0) {
        new_table = pmm_alloc_wired(PAGE_SIZE);
        if (new_table == NULL)
            return ERR_NO_MEMORY;
    }
    uint64_t *table = new_table != NULL ? new_table : table_of(*slot);
    status_t status = alloc_memory(vmo, 0, &table[page_in_slot(offset)]);

    if (new_table == NULL)
        return status;
    if (status == OK)
        *slot = virt_to_phys(new_table).raw | ENTRY_TABLE;
    else
        pmm_free_wired(new_table);
    return status;
}

/* Lock held. */
static status_t commit(vmo_t *vmo, uint64_t offset, bool want_block, struct vmo_extent *out)
{
    uint64_t *slot = &vmo->slots[offset >> SLOT_SHIFT];
    bool covered = ALIGN_DOWN(offset, SIZE_2M) + SIZE_2M <= length(vmo);
    status_t status;

    if (lookup(vmo, offset, out))
        return OK;
    if (!want_block || !covered || *slot != 0 || alloc_memory(vmo, PMM_ORDER_2M, slot) != OK) {
        status = commit_page(vmo, slot, offset);
        if (status != OK)
            return status;
    }
    lookup(vmo, offset, out);
    out->fresh = true;
    return OK;
}

status_t vmo_commit(vmo_t *vmo, uint64_t offset, bool want_block, struct vmo_extent *out)
{
    if (vmo == NULL || out == NULL || offset >= length(vmo))
        return ERR_INVALID_ARGS;
    spin_lock(&vmo->lock);
    status_t status = commit(vmo, offset, want_block, out);

    vmo->stats.faults += status == OK && out->fresh;
    spin_unlock(&vmo->lock);
    return status;
}

status_t vmo_commit_range(vmo_t *vmo, uint64_t offset, uint64_t bytes)
{
    if (vmo == NULL || offset > length(vmo) || bytes > length(vmo) - offset)
        return ERR_INVALID_ARGS;

    uint64_t end = offset + bytes;

    while (offset < end) {
        bool want_block = IS_ALIGNED(offset, SIZE_2M) && end - offset >= SIZE_2M;
        struct vmo_extent extent = { .bytes = PAGE_SIZE };

        spin_lock(&vmo->lock); /* anew for each, so that faults get their turn */
        status_t status = commit(vmo, offset, want_block, &extent);

        spin_unlock(&vmo->lock);
        if (status != OK)
            return status;
        offset = ALIGN_DOWN(offset, extent.bytes) + extent.bytes;
    }
    return OK;
}

status_t vmo_bootstrap_commit_page(vmo_t *vmo, pmm_arena_t *arena, size_t index)
{
    struct vmo_extent extent;

    if (vmo == NULL || arena == NULL || arena != vmo->arena || index >= vmo->page_count)
        return ERR_INVALID_ARGS;
    return vmo_commit(vmo, (uint64_t)index << PAGE_SHIFT, false, &extent);
}

/* If a block is there, a table of its pages is instead. */
static status_t split_block(vmo_t *vmo, uint64_t *slot)
{
    if (!(*slot & ENTRY_MEMORY))
        return OK;

    paddr_t block = paddr(*slot & ENTRY_ADDRESS);
    pmm_arena_t *arena = vmo->arena != NULL ? vmo->arena : pmm_arena_of(block);
    uint64_t *table = pmm_alloc_wired(PAGE_SIZE);

    if (table == NULL)
        return ERR_NO_MEMORY;
    status_t status = pmm_arena_split_block(arena, pmm_arena_page_at(arena, block), 0);

    assert(status == OK);
    for (size_t i = 0; i < TABLE_ENTRIES; i++)
        table[i] = (block.raw + i * PAGE_SIZE) | ENTRY_MEMORY;
    *slot = virt_to_phys(table).raw | ENTRY_TABLE;
    vmo->stats.committed_blocks--;
    return OK;
}

/* Pages first to last of a slot, both included; a block only as a whole. */
static void decommit_slot(vmo_t *vmo, uint64_t *slot, size_t first, size_t last)
{
    if (*slot & ENTRY_MEMORY) {
        free_memory(vmo, PMM_ORDER_2M, slot);
        return;
    }
    if (*slot == 0)
        return;

    uint64_t *table = table_of(*slot);
    bool empty = true;

    for (size_t i = first; i <= last; i++)
        if (table[i] != 0)
            free_memory(vmo, 0, &table[i]);
    for (size_t i = 0; i < TABLE_ENTRIES && empty; i++)
        empty = table[i] == 0;
    if (empty) {
        pmm_free_wired(table);
        *slot = 0;
    }
}

/* Lock held; the range is aligned and inside the object. */
static status_t decommit(vmo_t *vmo, uint64_t offset, uint64_t end)
{
    status_t status = OK;

    if (!IS_ALIGNED(offset, SIZE_2M))
        status = split_block(vmo, &vmo->slots[offset >> SLOT_SHIFT]);
    if (status == OK && !IS_ALIGNED(end, SIZE_2M))
        status = split_block(vmo, &vmo->slots[end >> SLOT_SHIFT]);
    if (status != OK)
        return status;

    while (offset < end) {
        uint64_t next = MIN(ALIGN_DOWN(offset, SIZE_2M) + SIZE_2M, end);

        decommit_slot(vmo, &vmo->slots[offset >> SLOT_SHIFT], page_in_slot(offset),
                      page_in_slot(next - 1));
        offset = next;
    }
    return OK;
}

status_t vmo_decommit_range(vmo_t *vmo, uint64_t offset, uint64_t bytes)
{
    if (vmo == NULL || !IS_ALIGNED(offset | bytes, PAGE_SIZE) || offset > length(vmo) ||
        bytes > length(vmo) - offset)
        return ERR_INVALID_ARGS;
    if (bytes == 0)
        return OK;
    spin_lock(&vmo->lock);
    status_t status = decommit(vmo, offset, offset + bytes);

    spin_unlock(&vmo->lock);
    return status;
}

void vmo_destroy(vmo_t *vmo)
{
    if (vmo == NULL || vmo->slots == NULL)
        return;
    for (size_t i = 0; i < vmo->slot_count; i++)
        decommit_slot(vmo, &vmo->slots[i], 0, TABLE_ENTRIES - 1);
    assert(vmo->stats.committed_pages == 0);
    pmm_free_wired(vmo->slots);
    *vmo = (vmo_t){ 0 };
}

void vmo_bootstrap_destroy(vmo_t *vmo, pmm_arena_t *arena)
{
    assert(vmo == NULL || vmo->slots == NULL || arena == vmo->arena);
    vmo_destroy(vmo);
}
