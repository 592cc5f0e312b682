/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over the machine's memory.
 *
 *     bank  | image | page array | device tree | …free… | bundle | …free… |
 *             \_________________ reserved ___________/    reserved
 */
#include "kernel/memory.h"

#include <arch/layout.h>

#include "arch/bits.h"
#include "kernel/bootmem.h"
#include "kernel/pmm.h"

static pmm_arena_t arenas[MEMORY_MAX_BANKS];
static size_t overhead;

/* What must not be handed out, in one list: the image (all of its 2 MiB), then the rest. */
struct used_list {
    struct memory_range image;
    const struct memory_range *others;
    unsigned count; /* with the image */
};

static struct memory_range used_at(const struct used_list *used, unsigned i)
{
    return i == 0 ? used->image : used->others[i - 1];
}

static bool overlaps(struct memory_range range, uint64_t start, uint64_t bytes)
{
    return range.base.raw < start + bytes && start < range.base.raw + range.bytes;
}

/* The lowest page-aligned place in [start, end) for `bytes` that nothing uses; end: none. */
static uint64_t find_hole(const struct used_list *used, uint64_t start, uint64_t end,
                          uint64_t bytes)
{
    uint64_t at = start;
    unsigned i = 0;

    while (i < used->count && at + bytes <= end) {
        const struct memory_range range = used_at(used, i);

        if (overlaps(range, at, bytes)) {
            at = ALIGN_UP(range.base.raw + range.bytes, PAGE_SIZE);
            i = 0;
        } else {
            i++;
        }
    }
    return at + bytes <= end ? at : end;
}

static uint64_t page_array_bytes(uint64_t bank_bytes)
{
    return ALIGN_UP(bank_bytes / PAGE_SIZE * sizeof(vm_page_t) + PAGE_SIZE, PAGE_SIZE);
}

/* Takes the part of a used range that lies in the arena's bank out of the arena. */
static status_t reserve(pmm_arena_t *arena, uint64_t start, uint64_t end, struct memory_range range)
{
    const uint64_t from = MAX(ALIGN_DOWN(range.base.raw, PAGE_SIZE), start);
    const uint64_t to = MIN(ALIGN_UP(range.base.raw + range.bytes, PAGE_SIZE), end);
    status_t status;

    if (from >= to)
        return OK;
    status = pmm_arena_reserve(arena, paddr(from), to - from);
    if (status != ERR_BAD_STATE)
        return status;
    /* Part of it was named before: page by page, whatever is still free. */
    for (uint64_t at = from; at < to; at += PAGE_SIZE)
        pmm_arena_reserve(arena, paddr(at), PAGE_SIZE);
    return OK;
}

static status_t add_bank(pmm_arena_t *arena, const struct ram_bank *bank,
                         const struct used_list *used)
{
    const uint64_t start = ALIGN_UP(bank->base.raw, SIZE_2M);
    const uint64_t end = ALIGN_DOWN(bank->base.raw + bank->bytes, SIZE_2M);

    if (start >= end)
        return OK; /* too small to be worth an arena */
    const uint64_t array = page_array_bytes(end - start);
    const uint64_t hole = find_hole(used, start, end, array);
    status_t status = hole == end ? ERR_NO_MEMORY : arch_boot_map_ram(paddr(start), end - start);

    if (status != OK)
        return status;
    bootmem_add(phys_to_virt(paddr(hole)), array);
    overhead += array;
    status = pmm_arena_init(arena, paddr(start), end - start);
    if (status == OK)
        status = pmm_arena_reserve(arena, paddr(hole), array);
    for (unsigned i = 0; i < used->count && status == OK; i++)
        status = reserve(arena, start, end, used_at(used, i));
    if (status == OK)
        pmm_add_arena(arena);
    return status;
}

status_t memory_init(const struct boot_info *boot, const struct ram_bank *banks,
                     unsigned bank_count, const struct memory_range *used, unsigned used_count)
{
    const uint64_t image_end = ALIGN_UP(boot->image_end.raw, SIZE_2M);
    const struct used_list list = {
        .image = { boot->image_start, image_end - boot->image_start.raw },
        .others = used,
        .count = used_count + 1,
    };
    status_t status = OK;

    if (bank_count == 0 || bank_count > MEMORY_MAX_BANKS)
        return ERR_INVALID_ARGS;
    for (unsigned i = 0; i < bank_count && status == OK; i++)
        status = add_bank(&arenas[i], &banks[i], &list);
    return status == OK ? hyp_space_init(boot, banks, bank_count) : status;
}

size_t memory_overhead(void)
{
    return overhead;
}
