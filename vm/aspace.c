/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest-physical space: a sorted array of regions, and what a fault or a copy needs of
 * the one that it falls into.
 *
 *     gpa --> region --offset--> VMO --> extent: 4 KiB or 2 MiB of host memory
 *                                          |
 *                  stage 2 <-- mapped whole, with the largest leaves that alignment allows
 */

#include "vm/aspace_backing.h"

#include "kernel/lib/string.h"
#include "kernel/tag.h"

status_t aspace_init(struct aspace *as)
{
    uint32_t tag;
    status_t status = tag_alloc(&tag);

    if (status != OK)
        return status;
    memset(as->regions, 0, sizeof(as->regions));
    as->count = 0;
    as->guard = 0;
    status = page_table_init(&as->stage2, arch_guest_format, &arch_guest_tlb, tag);
    if (status != OK)
        tag_free(tag);
    return status;
}

void aspace_destroy(struct aspace *as)
{
    const uint32_t tag = as->stage2.tag;

    page_table_destroy(&as->stage2);
    tag_free(tag);
    as->count = 0;
}

/* Index of the first region that begins above `address`: the one before may contain it. */
static unsigned first_above(const struct aspace *as, gpa_t address)
{
    unsigned low = 0, high = as->count;

    while (low < high) {
        const unsigned middle = (low + high) / 2;

        if (as->regions[middle].base.raw <= address.raw)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct region *aspace_find(const struct aspace *as, gpa_t address)
{
    const unsigned above = first_above(as, address);

    if (above == 0 || !region_contains(&as->regions[above - 1], address))
        return NULL;
    return &as->regions[above - 1];
}

static bool vmo_covers(const struct region *region)
{
    const vmo_t *vmo = region->vmo;
    const uint64_t bytes = vmo != NULL ? (uint64_t)vmo->page_count << PAGE_SHIFT : 0;

    return IS_ALIGNED(region->offset, PAGE_SIZE) && region->offset <= bytes &&
           region->size <= bytes - region->offset;
}

static bool is_well_formed(const struct region *region)
{
    const uint64_t limit = BIT(arch_guest_format->va_bits);

    if (region->size == 0 || region->base.raw >= limit || region->size > limit - region->base.raw)
        return false;
    if (region->kind == REGION_DEVICE)
        return region->dev != NULL;
    if (region->kind == REGION_RESERVED)
        return true;
    if (!IS_ALIGNED(region->base.raw | region->size | region->host.raw, PAGE_SIZE))
        return false;
    return !region_has_vmo(region) || vmo_covers(region);
}

static void prepare_for_accesses(struct region *region)
{
    const bool whole = IS_ALIGNED(region->base.raw | region->size, sizeof(uint64_t));

    region->model_bytes = region->kind == REGION_DEVICE && whole ? region->size : 0;
    if (region->dev != NULL) {
        region->read = vdev_reader_of(region->dev);
        region->write = vdev_writer_of(region->dev);
    }
}

status_t aspace_map(struct aspace *as, const struct region *region)
{
    const gpa_t last = gpa_add(region->base, region->size - 1);
    status_t status = OK;
    unsigned at;

    if (!is_well_formed(region))
        return ERR_INVALID_ARGS;
    aspace_writer_enter(as);
    at = first_above(as, last);
    if (at != 0 && as->regions[at - 1].base.raw + as->regions[at - 1].size > region->base.raw)
        status = ERR_ALREADY_EXISTS;
    else if (as->count == ASPACE_MAX_REGIONS)
        status = ERR_NO_MEMORY;
    else if (region->kind == REGION_IDENTITY)
        status =
            page_table_map(&as->stage2, region->base.raw, region->host, region->size, region->prot);
    if (status == OK) {
        memmove(&as->regions[at + 1], &as->regions[at], (as->count - at) * sizeof(*region));
        as->regions[at] = *region;
        prepare_for_accesses(&as->regions[at]);
        as->count++;
    }
    aspace_writer_leave(as);
    return status;
}

/* Takes a region's memory out of the guest's sight. */
static status_t unmap_stage2(struct aspace *as, const struct region *region)
{
    if (!region_has_vmo(region) && region->kind != REGION_IDENTITY)
        return OK;
    return page_table_unmap(&as->stage2, region->base.raw, region->size);
}

status_t aspace_unmap(struct aspace *as, gpa_t base)
{
    status_t status = ERR_NOT_FOUND;
    unsigned above;

    aspace_writer_enter(as);
    above = first_above(as, base);
    if (above != 0 && as->regions[above - 1].base.raw == base.raw) {
        struct region *region = &as->regions[above - 1];

        status = unmap_stage2(as, region);
        if (status == OK) {
            memmove(region, region + 1, (as->count - above) * sizeof(*region));
            as->count--;
            memset(&as->regions[as->count], 0, sizeof(*region));
        }
    }
    aspace_writer_leave(as);
    return status;
}

status_t aspace_clear(struct aspace *as)
{
    status_t status = OK;

    aspace_writer_enter(as);
    for (unsigned i = 0; i < as->count && status == OK; i++) {
        const struct region *region = &as->regions[i];

        if (region->kind != REGION_ALLOCATED)
            continue;
        status = unmap_stage2(as, region);
        if (status == OK)
            status = vmo_decommit_range(region->vmo, region->offset, region->size);
    }
    aspace_writer_leave(as);
    return status;
}

/* Does a 2 MiB block fit: guest address and VMO offset aligned alike, all of it inside? */
static bool takes_block(const struct region *region, uint64_t offset)
{
    const uint64_t start = ALIGN_DOWN(offset, SIZE_2M);

    return IS_ALIGNED(region->base.raw - region->offset, SIZE_2M) && start >= region->offset &&
           region->offset + region->size - start >= SIZE_2M;
}

static struct backing clip(const struct region *region, uint64_t offset, struct vmo_extent extent)
{
    const uint64_t extent_start = ALIGN_DOWN(offset, extent.bytes);
    const uint64_t start = MAX(extent_start, region->offset);
    const uint64_t end = MIN(extent_start + extent.bytes, region->offset + region->size);

    return (struct backing){
        .base = gpa_add(region->base, start - region->offset),
        .host = paddr_add(extent.base, start - extent_start),
        .bytes = end - start,
    };
}

status_t aspace_back(const struct region *region, gpa_t address, struct backing *out)
{
    const uint64_t offset = region->offset + (address.raw - region->base.raw);
    struct vmo_extent extent;
    status_t status;

    if (region->kind == REGION_IDENTITY) {
        *out = (struct backing){ region->base, region->host, region->size };
        return OK;
    }
    status = vmo_commit(region->vmo, offset, takes_block(region, offset), &extent);
    if (status == OK)
        *out = clip(region, offset, extent);
    return status;
}

unsigned aspace_mapped_prot(const struct region *region)
{
    if (region->kind == REGION_ROM)
        return region->trap_reads ? 0 : region->prot & ~(unsigned)PT_WRITE;
    return region->prot;
}

static bool allows(unsigned prot, unsigned access)
{
    _Static_assert(PT_READ == (unsigned)VM_ACCESS_READ && PT_WRITE == (unsigned)VM_ACCESS_WRITE &&
                       PT_EXEC == (unsigned)VM_ACCESS_EXEC,
                   "an access is checked against a protection by mask");
    return (access & ~prot) == 0;
}

status_t aspace_fault(struct aspace *as, const struct region *region, gpa_t address,
                      unsigned access)
{
    const unsigned prot = aspace_mapped_prot(region);
    struct backing backing;
    status_t status;

    if (!region_has_vmo(region) && region->kind != REGION_IDENTITY)
        return ERR_NOT_FOUND;
    if (prot == 0 || !allows(prot, access))
        return ERR_NOT_FOUND;
    status = aspace_back(region, address, &backing);
    if (status != OK)
        return status;
    return page_table_map(&as->stage2, backing.base.raw, backing.host, backing.bytes, prot);
}

status_t aspace_prefault(struct aspace *as, const struct region *region)
{
    const unsigned prot = aspace_mapped_prot(region);
    const uint64_t end = region->base.raw + region->size;
    status_t status = OK;

    if (!region_has_vmo(region) || prot == 0)
        return ERR_NOT_FOUND;
    for (uint64_t at = region->base.raw; at < end && status == OK;) {
        struct backing backing;

        status = aspace_back(region, gpa(at), &backing);
        if (status == OK)
            status =
                page_table_map(&as->stage2, backing.base.raw, backing.host, backing.bytes, prot);
        at = status == OK ? backing.base.raw + backing.bytes : end;
    }
    return status;
}

void aspace_rom_trap_reads(struct aspace *as, gpa_t base, bool trap)
{
    const unsigned above = first_above(as, base);
    struct region *region = above != 0 ? &as->regions[above - 1] : NULL;

    if (region == NULL || region->base.raw != base.raw || region->kind != REGION_ROM)
        return;
    if (trap && !region->trap_reads)
        (void)unmap_stage2(as, region); /* a whole region: nothing to split, so nothing fails */
    region->trap_reads = trap;
}

status_t aspace_cover(struct aspace *as, gpa_t at, paddr_t page)
{
    return page_table_map(&as->stage2, at.raw, page, PAGE_SIZE, PT_READ | PT_WRITE | PT_DEVICE);
}

status_t aspace_uncover(struct aspace *as, gpa_t at)
{
    return page_table_unmap(&as->stage2, at.raw, PAGE_SIZE);
}
