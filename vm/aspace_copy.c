/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory by the hypervisor: copies go piece by piece, each as long as the memory behind
 * it is contiguous (4 KiB, 2 MiB, or a whole identity region). The guard is held for a piece
 * at a time, so who takes memory away never waits long.
 */

#include "arch/mem.h"
#include "vm/aspace_backing.h"

/*
 * The longest piece at `at`, of `bytes` wanted, that is contiguous for the hypervisor, and
 * where the guest has the rights in `prot`.
 */
static status_t piece(const struct aspace *as, gpa_t at, size_t bytes, unsigned prot, void **start,
                      size_t *run)
{
    const struct region *region = aspace_find(as, at);
    struct backing backing;
    status_t status;

    if (region == NULL || !region_is_memory(region) || prot & ~aspace_mapped_prot(region))
        return ERR_NOT_FOUND;
    status = aspace_back(region, at, &backing);
    if (status == OK) {
        const uint64_t skipped = at.raw - backing.base.raw;

        *start = phys_to_virt(paddr_add(backing.host, skipped));
        *run = (size_t)MIN(backing.bytes - skipped, (uint64_t)bytes);
    }
    return status;
}

status_t aspace_read(struct aspace *as, gpa_t from, void *to, size_t bytes)
{
    uint8_t *out = to;
    status_t status = OK;

    while (bytes != 0 && status == OK) {
        size_t run = 0;
        void *source;

        aspace_reader_enter(as);
        status = piece(as, from, bytes, 0, &source, &run);
        if (status == OK)
            asm_mem_copy(out, source, run);
        aspace_reader_leave(as);
        from = gpa_add(from, run);
        out += run;
        bytes -= run;
    }
    return status;
}

static status_t write_where(struct aspace *as, gpa_t to, const void *from, size_t bytes,
                            unsigned prot)
{
    const uint8_t *in = from;
    status_t status = OK;

    while (bytes != 0 && status == OK) {
        size_t run = 0;
        void *target;

        aspace_reader_enter(as);
        status = piece(as, to, bytes, prot, &target, &run);
        if (status == OK) {
            asm_mem_copy(target, in, run);
            arch_clean_for_guest(target, run);
        }
        aspace_reader_leave(as);
        to = gpa_add(to, run);
        in += run;
        bytes -= run;
    }
    return status;
}

status_t aspace_write(struct aspace *as, gpa_t to, const void *from, size_t bytes)
{
    return write_where(as, to, from, bytes, 0);
}

status_t aspace_write_by_device(struct aspace *as, gpa_t to, const void *from, size_t bytes)
{
    return write_where(as, to, from, bytes, PT_WRITE);
}

/* How much from `at` on needs no zeroing, since it is not committed and will be zero then. */
static size_t zero_already(const struct aspace *as, gpa_t at, size_t bytes)
{
    const struct region *region = aspace_find(as, at);
    struct vmo_extent extent;

    if (region == NULL || !region_has_vmo(region) ||
        vmo_lookup(region->vmo, region->offset + (at.raw - region->base.raw), &extent) !=
            ERR_NOT_FOUND)
        return 0;
    return MIN(bytes, PAGE_SIZE - (at.raw & PAGE_MASK));
}

status_t aspace_exchange(struct aspace *as, gpa_t at, unsigned size, uint64_t expected,
                         uint64_t value)
{
    uint32_t expected32 = (uint32_t)expected;
    void *target;
    size_t run = size;
    status_t status;
    bool same = true;

    if ((size != 4 && size != 8) || !IS_ALIGNED(at.raw, size))
        return ERR_INVALID_ARGS;
    aspace_reader_enter(as);
    status = piece(as, at, size, 0, &target, &run);
    if (status == OK && size == 4)
        same = __atomic_compare_exchange_n((uint32_t *)target, &expected32, (uint32_t)value, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    else if (status == OK)
        same = __atomic_compare_exchange_n((uint64_t *)target, &expected, value, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    aspace_reader_leave(as);
    if (status != OK)
        return status;
    return same ? OK : ERR_BAD_STATE;
}

status_t aspace_fill(struct aspace *as, gpa_t to, uint8_t byte, size_t bytes)
{
    const uint64_t pattern = byte * 0x0101010101010101ULL;
    status_t status = OK;

    while (bytes != 0 && status == OK) {
        size_t run = 0;
        void *target;

        aspace_reader_enter(as);
        if (byte == 0)
            run = zero_already(as, to, bytes);
        if (run == 0) {
            status = piece(as, to, bytes, 0, &target, &run);
            if (status == OK) {
                asm_block_fill(target, pattern, run);
                arch_clean_for_guest(target, run);
            }
        }
        aspace_reader_leave(as);
        to = gpa_add(to, run);
        bytes -= run;
    }
    return status;
}
