/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the space share: its guard, and the memory behind a region. */
#pragma once

#include "vm/aspace.h"

/* aspace.guard: the number of readers, or this. */
#define GUARD_WRITER BIT(31)

static inline void aspace_reader_enter(struct aspace *as)
{
    for (;;) {
        uint32_t seen = __atomic_load_n(&as->guard, __ATOMIC_RELAXED);

        if (!(seen & GUARD_WRITER) &&
            __atomic_compare_exchange_n(&as->guard, &seen, seen + 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return;
        cpu_relax();
    }
}

static inline void aspace_reader_leave(struct aspace *as)
{
    __atomic_fetch_sub(&as->guard, 1, __ATOMIC_RELEASE);
}

static inline void aspace_writer_enter(struct aspace *as)
{
    uint32_t nobody = 0;

    while (!__atomic_compare_exchange_n(&as->guard, &nobody, (uint32_t)GUARD_WRITER, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        nobody = 0;
        cpu_relax();
    }
}

static inline void aspace_writer_leave(struct aspace *as)
{
    __atomic_store_n(&as->guard, 0, __ATOMIC_RELEASE);
}

static inline bool region_has_vmo(const struct region *region)
{
    return region->kind == REGION_ALLOCATED || region->kind == REGION_SHARED ||
           region->kind == REGION_ROM;
}

/* The host memory around an address of a region, as far as it is contiguous. */
struct backing {
    gpa_t base;
    paddr_t host;
    uint64_t bytes;
};

/* Commits what backs `address`, which is in the region. ERR_NO_MEMORY. */
status_t aspace_back(const struct region *region, gpa_t address, struct backing *out);

/* What the tables may allow: ROM is never written, and is hidden while its reads trap. */
unsigned aspace_mapped_prot(const struct region *region);
