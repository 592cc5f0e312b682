/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects: memory that is there by the page, whether or not it is committed yet. Guest
 * RAM is one. Committed memory is found through two levels, by index:
 *
 *     slots[i]   2 MiB of the object:  nothing | one 2 MiB block | a table of 512 pages
 *
 * The tables are the hypervisor's own (WIRED) memory; committed pages come from one arena,
 * or from whichever of the system's arenas has room.
 */
#pragma once

#include "arch/addr.h"
#include "arch/spinlock.h"
#include "arch/status.h"
#include "kernel/pmm.h"

struct vmo_stats {
    size_t committed_pages;
    size_t committed_blocks; /* of 2 MiB, counted in committed_pages too */
    uint64_t faults;         /* commits by fault, of either size */
};

typedef struct vmo {
    spinlock_t lock; /* outside the arenas' */
    size_t size;     /* bytes, as asked for */
    size_t page_count;
    size_t slot_count;
    uint64_t *slots;    /* vmo.c knows the encoding */
    pmm_arena_t *arena; /* NULL: any of the system's */
    struct vmo_stats stats;
} vmo_t;

/*
 * page_count = ceil(size / 4096); pages will come from `arena`, here and below the same one.
 * ERR_INVALID_ARGS: NULL, size 0 or absurd, another arena. ERR_NO_MEMORY: for the slots.
 */
status_t vmo_bootstrap_init(vmo_t *vmo, pmm_arena_t *arena, size_t size);

/* Zeroed. OK where already committed. ERR_INVALID_ARGS: NULL, or index past the end. ERR_NO_MEMORY.
 */
status_t vmo_bootstrap_commit_page(vmo_t *vmo, pmm_arena_t *arena, size_t index);

/* Returns every page. NULL is nothing. */
void vmo_bootstrap_destroy(vmo_t *vmo, pmm_arena_t *arena);

/* The same over all of the system's arenas. */
status_t vmo_init(vmo_t *vmo, size_t size);
void vmo_destroy(vmo_t *vmo);

/* What backs one place of the object. */
struct vmo_extent {
    paddr_t base;   /* of the page or block */
    uint64_t bytes; /* 4 KiB or 2 MiB */
    bool fresh;     /* this call committed it */
};

/* What is committed at `offset`: ERR_NOT_FOUND nothing, ERR_INVALID_ARGS past the end. */
status_t vmo_lookup(vmo_t *vmo, uint64_t offset, struct vmo_extent *out);

/*
 * Commits (zeroed, cleaned for a guest whose caches are off) what is not there yet at
 * `offset`: a 2 MiB block when `want_block`, the object covers all of that 2 MiB, nothing
 * in it is committed, and a block is free; else a page. OK with what was there before, too.
 * ERR_INVALID_ARGS past the end, ERR_NO_MEMORY.
 */
status_t vmo_commit(vmo_t *vmo, uint64_t offset, bool want_block, struct vmo_extent *out);

/* All of [offset, offset + bytes), in blocks where they fit. A failure leaves what it got. */
status_t vmo_commit_range(vmo_t *vmo, uint64_t offset, uint64_t bytes);

/*
 * Gives back the memory of [offset, offset + bytes), page-aligned; a block that is only
 * partly inside is first split into pages. The caller has unmapped it everywhere.
 * ERR_INVALID_ARGS: misaligned or past the end; ERR_NO_MEMORY: no table to split with, and
 * nothing was given back.
 */
status_t vmo_decommit_range(vmo_t *vmo, uint64_t offset, uint64_t bytes);
