/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's guest-physical space: regions, what backs each, and the second-stage tables.
 *
 *     0x0000_0000  device (trapped)       --> vdev
 *     0x4000_0000  allocated              --> VMO, committed at the first touch
 *     elsewhere    nothing                --> bus fault for the guest
 *
 * The set of regions changes only while no vCPU of the VM runs, so looking one up takes no
 * lock.
 */
#pragma once

#include "arch/hv.h"
#include "kernel/pagetable.h"
#include "kernel/vmo.h"
#include "vm/vdev.h"

#define ASPACE_MAX_REGIONS 64

enum region_kind {
    REGION_ALLOCATED, /* memory of a VMO that the VM owns */
    REGION_IDENTITY,  /* host memory or registers, mapped from the start */
    REGION_RESERVED,  /* kept free: every access is a bus fault */
    REGION_SHARED,    /* a VMO that somebody else owns */
    REGION_DEVICE,    /* a model */
    REGION_ROM,       /* a VMO that the guest reads and runs; writes go to the model */
};

struct region {
    gpa_t base;
    uint64_t model_bytes; /* see below */
    uint64_t size;
    enum region_kind kind;
    unsigned prot;     /* enum pt_prot: what the guest may do */
    vmo_t *vmo;        /* ALLOCATED, SHARED, ROM */
    uint64_t offset;   /* of the region's first byte in the VMO */
    paddr_t host;      /* IDENTITY: where it lies on the host; usually the same address */
    struct vdev *dev;  /* DEVICE, ROM */
    uint8_t dev_range; /* handed to the model: vdev_access.range */
    bool trap_reads;   /* ROM: for now reads go to the model too */

    /*
     * Filled in by aspace_map, for the path of every device access: what it calls, and in
     * model_bytes the size of a DEVICE whose ends cut no aligned access, otherwise 0.
     */
    vdev_reader read;
    vdev_writer write;
};

struct aspace {
    /* Sorted by base, not overlapping; those from `count` on are empty (size 0). */
    struct region regions[ASPACE_MAX_REGIONS];
    unsigned count;
    /* Readers copy to or from memory; the writer changes regions or takes memory away. Inside
     * the devices' locks, outside the VMOs'. */
    uint32_t guard;
    struct page_table stage2;
};

status_t aspace_init(struct aspace *as);
/* Frees the tables. The VMOs are their owners'. */
void aspace_destroy(struct aspace *as);

/*
 * Adds a region. ERR_INVALID_ARGS: misaligned (4 KiB; devices may start and end anywhere),
 * empty, or beyond what the second stage reaches. ERR_ALREADY_EXISTS: overlaps.
 * ERR_NO_MEMORY: too many.
 */
status_t aspace_map(struct aspace *as, const struct region *region);

/* Removes the region that starts at `base`. ERR_NOT_FOUND. */
status_t aspace_unmap(struct aspace *as, gpa_t base);

/* Takes back all memory of the ALLOCATED regions: they read as zero again. No vCPU runs. */
status_t aspace_clear(struct aspace *as);

/* NULL: nothing is there. */
const struct region *aspace_find(const struct aspace *as, gpa_t address);

static inline bool region_contains(const struct region *region, gpa_t address)
{
    return address.raw - region->base.raw < region->size;
}

/* The guest sees memory there, ordinary enough for the hypervisor to read and write. */
static inline bool region_is_memory(const struct region *region)
{
    return region->kind != REGION_RESERVED && region->kind != REGION_DEVICE &&
           !(region->prot & PT_DEVICE);
}

/*
 * aspace_find for who asks often: `*last`, kept by the caller, is where the last search ended.
 * It points into as->regions, first to as->regions[0], and so can never dangle.
 */
static inline const struct region *aspace_find_near(const struct aspace *as,
                                                    const struct region **last, gpa_t address)
{
    const struct region *region = *last;

    if (likely(region_contains(region, address)))
        return region;
    region = aspace_find(as, address);
    if (region != NULL)
        *last = region;
    return region;
}

/*
 * A guest's access to memory that the tables did not allow: commits and maps. ERR_NOT_FOUND:
 * no memory there, or not for this access. ERR_NO_MEMORY.
 */
status_t aspace_fault(struct aspace *as, const struct region *region, gpa_t address,
                      unsigned access);

/* Commits and maps a whole region ahead. */
status_t aspace_prefault(struct aspace *as, const struct region *region);

/*
 * For a device's model whose page the hardware answers for: this page of the host's is in its
 * place, and is there no more. Any CPU. ERR_NO_MEMORY.
 */
status_t aspace_cover(struct aspace *as, gpa_t at, paddr_t page);
status_t aspace_uncover(struct aspace *as, gpa_t at);

/*
 * For a ROM's model: reads now trap (or no longer do). Any CPU; the model's lock is held, as
 * it is while a fault on the ROM is handled.
 */
void aspace_rom_trap_reads(struct aspace *as, gpa_t base, bool trap);

/*
 * Guest memory by the hypervisor: ALLOCATED, SHARED, ROM and IDENTITY regions only, across
 * any number of pages and regions, committing where nothing is yet.
 * ERR_NOT_FOUND: part of the range is not memory (nothing promised about the rest).
 */
status_t aspace_read(struct aspace *as, gpa_t from, void *to, size_t bytes);
status_t aspace_write(struct aspace *as, gpa_t to, const void *from, size_t bytes);
/* As aspace_write, on the guest's behalf: only where it may write itself. */
status_t aspace_write_by_device(struct aspace *as, gpa_t to, const void *from, size_t bytes);
/* Atomic against the guest, 4 or 8 bytes, aligned. ERR_BAD_STATE: it is not what was expected. */
status_t aspace_exchange(struct aspace *as, gpa_t at, unsigned size, uint64_t expected,
                         uint64_t value);
status_t aspace_fill(struct aspace *as, gpa_t to, uint8_t byte, size_t bytes);
