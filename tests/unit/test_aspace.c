/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest-physical space: which regions it takes, what it finds, what a fault maps. */

#include "vm/aspace.h"

#include "arch/fake/fake.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"
#include "tests/unit/fake_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RWX (PT_READ | PT_WRITE | PT_EXEC)

static struct aspace space;
static vmo_t memory; /* 8 MiB */
static const struct vdev_ops device_ops;
static struct vdev device = { .ops = &device_ops };
static size_t free_before;

static int world(void **state)
{
    arch_set_this_cpu(cpu_new(0));
    return make_arena(state);
}

static int setup(void **state)
{
    (void)state;
    free_before = pmm_free_count();
    fake_mem_reset();
    return aspace_init(&space) == OK && vmo_init(&memory, 8 << 20) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmo_destroy(&memory);
    aspace_destroy(&space);
    return pmm_free_count() == free_before ? 0 : -1;
}

static struct region ram_at(uint64_t base, uint64_t size)
{
    return (struct region){
        .base = gpa(base), .size = size, .kind = REGION_ALLOCATED, .prot = RWX, .vmo = &memory
    };
}

static struct region device_at(uint64_t base, uint64_t size)
{
    return (
        struct region){ .base = gpa(base), .size = size, .kind = REGION_DEVICE, .dev = &device };
}

static status_t map(struct region region)
{
    return aspace_map(&space, &region);
}

static status_t fault(uint64_t address, unsigned access)
{
    const struct region *region = aspace_find(&space, gpa(address));

    return region != NULL ? aspace_fault(&space, region, gpa(address), access) : ERR_NOT_FOUND;
}

static unsigned level_at(uint64_t address)
{
    struct pt_mapping mapping;

    return page_table_query(&space.stage2, address, &mapping) == OK ? mapping.level : 0;
}

static void misaligned_and_endless_regions_are_refused(void **state)
{
    (void)state;
    assert_int_equal(map(ram_at(0x1001, 0x1000)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(0x1000, 0x1001)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(0x1000, 0)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(BIT(40), 0x1000)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(BIT(40) - 0x1000, 0x2000)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(0x1000, UINT64_MAX & ~PAGE_MASK)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(UINT64_MAX & ~PAGE_MASK, 0x1000)), ERR_INVALID_ARGS);
    assert_int_equal(map(device_at(UINT64_MAX, 1)), ERR_INVALID_ARGS);
    assert_int_equal(map(ram_at(0, 16 << 20)), ERR_INVALID_ARGS); /* more than the VMO has */
    assert_int_equal(space.count, 0);
}

static void a_region_without_what_backs_it_is_refused(void **state)
{
    struct region region = ram_at(0, 0x1000);

    (void)state;
    region.vmo = NULL;
    assert_int_equal(map(region), ERR_INVALID_ARGS);
    region = ram_at(0, 0x1000);
    region.offset = (8 << 20) - 0x800;
    assert_int_equal(map(region), ERR_INVALID_ARGS);
    region.offset = UINT64_MAX & ~PAGE_MASK;
    assert_int_equal(map(region), ERR_INVALID_ARGS);
    region = device_at(0, 8);
    region.dev = NULL;
    assert_int_equal(map(region), ERR_INVALID_ARGS);
}

static void overlaps_are_refused(void **state)
{
    (void)state;
    assert_int_equal(map(ram_at(0x10000, 0x10000)), OK);
    assert_int_equal(map(device_at(0x20000, 8)), OK);
    assert_int_equal(map(ram_at(0x10000, 0x1000)), ERR_ALREADY_EXISTS);
    assert_int_equal(map(ram_at(0xf000, 0x2000)), ERR_ALREADY_EXISTS);
    assert_int_equal(map(ram_at(0x1f000, 0x1000)), ERR_ALREADY_EXISTS);
    assert_int_equal(map(ram_at(0, 0x100000)), ERR_ALREADY_EXISTS);
    assert_int_equal(map(device_at(0x20007, 1)), ERR_ALREADY_EXISTS);
    assert_int_equal(map(device_at(0x20008, 1)), OK);
    assert_int_equal(map(device_at(0xffff, 1)), OK);
    assert_int_equal(space.count, 4);
}

static void more_regions_than_fit_are_refused(void **state)
{
    (void)state;
    for (unsigned i = ASPACE_MAX_REGIONS; i-- != 0;) /* each before all others */
        assert_int_equal(map(device_at(0x1000 * i, 0x1000)), OK);
    assert_int_equal(map(device_at(0x1000 * ASPACE_MAX_REGIONS, 1)), ERR_NO_MEMORY);
    for (unsigned i = 0; i < ASPACE_MAX_REGIONS; i++)
        assert_int_equal(aspace_find(&space, gpa(0x1000 * i + 7))->base.raw, 0x1000 * i);
}

static void a_region_is_found_from_its_first_to_its_last_byte(void **state)
{
    const struct region *near = &space.regions[0];

    (void)state;
    assert_null(aspace_find(&space, gpa(0)));
    assert_null(aspace_find_near(&space, &near, gpa(0)));
    assert_int_equal(map(device_at(0x9000000, 5)), OK);
    assert_int_equal(map(ram_at(0x10000, 0x1000)), OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_null(aspace_find_near(&space, &near, gpa(0x8ffffff)));
        assert_int_equal(aspace_find_near(&space, &near, gpa(0x9000000))->size, 5);
        assert_int_equal(aspace_find_near(&space, &near, gpa(0x9000004))->size, 5);
        assert_null(aspace_find_near(&space, &near, gpa(0x9000005)));
        assert_int_equal(aspace_find_near(&space, &near, gpa(0x10fff))->size, 0x1000);
        assert_null(aspace_find_near(&space, &near, gpa(0xffff)));
        assert_null(aspace_find_near(&space, &near, gpa(UINT64_MAX)));
    }
    assert_int_equal(aspace_unmap(&space, gpa(0x10000)), OK);
    assert_null(aspace_find_near(&space, &near, gpa(0x10fff))); /* the hint was to it */
    assert_int_equal(aspace_unmap(&space, gpa(0x9000001)), ERR_NOT_FOUND);
    assert_int_equal(aspace_unmap(&space, gpa(0x9000000)), OK);
    assert_null(aspace_find_near(&space, &near, gpa(0x9000000)));
}

static void a_fault_maps_a_block_where_one_fits(void **state)
{
    (void)state;
    assert_int_equal(map(ram_at(0x40000000, 0x600000)), OK);
    assert_int_equal(fault(0x40234567, VM_ACCESS_WRITE), OK);
    assert_int_equal(level_at(0x40200000), 2);
    assert_int_equal(level_at(0x40000000), 0);               /* not touched, not there */
    assert_int_equal(fault(0x40234567, VM_ACCESS_READ), OK); /* another vCPU was first */
    assert_int_equal(memory.stats.committed_blocks, 1);
}

static void a_fault_maps_a_page_where_no_block_fits(void **state)
{
    (void)state;
    assert_int_equal(map(ram_at(0x40001000, 0x3ff000)), OK); /* aligned unlike the VMO */
    assert_int_equal(fault(0x40200000, VM_ACCESS_READ), OK);
    assert_int_equal(level_at(0x40200000), 3);
    assert_int_equal(level_at(0x40201000), 0);
    assert_int_equal(memory.stats.committed_pages, 1);
}

static void a_block_that_a_region_shows_in_part_maps_in_part(void **state)
{
    struct region region = ram_at(0x100000, 0x3000);
    struct vmo_extent extent;

    (void)state;
    assert_int_equal(vmo_commit(&memory, 0, true, &extent), OK);
    assert_int_equal(extent.bytes, SIZE_2M);
    region.offset = 0x5000;
    region.kind = REGION_SHARED;
    assert_int_equal(map(region), OK);
    assert_int_equal(fault(0x101000, VM_ACCESS_WRITE), OK);
    for (unsigned i = 0; i < 3; i++) {
        struct pt_mapping mapping;

        assert_int_equal(page_table_query(&space.stage2, 0x100000 + 0x1000 * i, &mapping), OK);
        assert_int_equal(mapping.to.raw, extent.base.raw + 0x5000 + 0x1000 * i);
    }
    assert_int_equal(level_at(0xff000), 0);
    assert_int_equal(level_at(0x103000), 0);
}

static void a_fault_obeys_the_protection(void **state)
{
    struct region region = ram_at(0, 0x1000);

    (void)state;
    region.prot = PT_READ;
    assert_int_equal(map(region), OK);
    assert_int_equal(fault(0, VM_ACCESS_WRITE), ERR_NOT_FOUND);
    assert_int_equal(fault(0, VM_ACCESS_EXEC), ERR_NOT_FOUND);
    assert_int_equal(memory.stats.committed_pages, 0);
    assert_int_equal(fault(0, VM_ACCESS_READ), OK);
    region = device_at(0x1000, 8);
    assert_int_equal(map(region), OK);
    assert_int_equal(fault(0x1000, VM_ACCESS_READ), ERR_NOT_FOUND);
}

static void rom_is_never_writable_and_hides_on_demand(void **state)
{
    struct region region = ram_at(0, 0x200000);
    struct pt_mapping mapping;

    (void)state;
    region.kind = REGION_ROM;
    assert_int_equal(map(region), OK);
    assert_int_equal(fault(0x1000, VM_ACCESS_WRITE), ERR_NOT_FOUND);
    assert_int_equal(fault(0x1000, VM_ACCESS_EXEC), OK);
    assert_int_equal(page_table_query(&space.stage2, 0x1000, &mapping), OK);
    assert_int_equal(mapping.prot, PT_READ | PT_EXEC);
    aspace_rom_trap_reads(&space, gpa(0), true);
    assert_int_equal(level_at(0x1000), 0);
    assert_int_equal(fault(0x1000, VM_ACCESS_READ), ERR_NOT_FOUND);
    aspace_rom_trap_reads(&space, gpa(0x1000), false); /* no region starts there */
    assert_int_equal(fault(0x1000, VM_ACCESS_READ), ERR_NOT_FOUND);
    aspace_rom_trap_reads(&space, gpa(0), false);
    assert_int_equal(fault(0x1000, VM_ACCESS_READ), OK);
    assert_int_equal(aspace_write(&space, gpa(0x1000), "rom", 3), OK); /* its maker may */
}

static void a_device_writes_only_where_its_guest_may(void **state)
{
    struct region rom = ram_at(0x201000, 0x1000), shared = ram_at(0x202000, 0x1000);
    uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    (void)state;
    rom.kind = REGION_ROM;
    shared.kind = REGION_SHARED;
    shared.prot = PT_READ;
    rom.offset = 0x201000;
    shared.offset = 0x202000;
    assert_int_equal(map(ram_at(0x200000, 0x1000)), OK);
    assert_int_equal(map(rom), OK);
    assert_int_equal(map(shared), OK);
    assert_int_equal(aspace_write_by_device(&space, gpa(0x200ff8), bytes, 8), OK);
    assert_int_equal(aspace_write_by_device(&space, gpa(0x200ffc), bytes, 8), ERR_NOT_FOUND);
    assert_int_equal(aspace_write_by_device(&space, gpa(0x201000), bytes, 8), ERR_NOT_FOUND);
    assert_int_equal(aspace_write_by_device(&space, gpa(0x202000), bytes, 8), ERR_NOT_FOUND);
    assert_int_equal(aspace_read(&space, gpa(0x201000), bytes, 8), OK);
    assert_int_equal(bytes[0] | bytes[7], 0);
}

static void identity_regions_are_mapped_at_once(void **state)
{
    const paddr_t host = paddr(FAKE_ARENA_BASE + FAKE_ARENA_BYTES);
    struct region region = { .base = gpa(0x8010000),
                             .size = 0x2000,
                             .kind = REGION_IDENTITY,
                             .host = host,
                             .prot = PT_READ | PT_WRITE | PT_DEVICE };
    struct pt_mapping mapping;
    uint32_t word = 0;

    (void)state;
    assert_int_equal(map(region), OK);
    assert_int_equal(page_table_query(&space.stage2, 0x8011004, &mapping), OK);
    assert_int_equal(mapping.to.raw, host.raw + 0x1004);
    assert_int_equal(mapping.prot, PT_READ | PT_WRITE | PT_DEVICE);
    assert_int_equal(aspace_read(&space, gpa(0x8010000), &word, 4), ERR_NOT_FOUND); /* registers */
    assert_int_equal(aspace_unmap(&space, gpa(0x8010000)), OK);
    assert_int_equal(level_at(0x8010000), 0);
    region.prot = RWX;
    assert_int_equal(map(region), OK);
    assert_int_equal(aspace_write(&space, gpa(0x8010ffe), "abcd", 4), OK);
    assert_memory_equal(phys_to_virt(paddr_add(host, 0xffe)), "abcd", 4);
    assert_int_equal(aspace_unmap(&space, gpa(0x8010000)), OK);
}

static void copies_cross_pages_and_regions(void **state)
{
    static uint8_t in[0x3100], out[sizeof(in)];
    struct region second = ram_at(0x42000, 0x2000);
    unsigned seed = 7;

    (void)state;
    second.offset = 0x700000;
    assert_int_equal(map(ram_at(0x40000, 0x2000)), OK);
    assert_int_equal(map(second), OK);
    for (unsigned i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)rand_r(&seed);
    assert_int_equal(aspace_write(&space, gpa(0x40e01), in, sizeof(in)), OK);
    assert_int_equal(aspace_read(&space, gpa(0x40e01), out, sizeof(out)), OK);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(fake_mem.cleaned_bytes, sizeof(in)); /* the guest's caches may be off */
    assert_int_equal(aspace_write(&space, gpa(0x43f10), in, 0x100), ERR_NOT_FOUND); /* past it */
    assert_int_equal(aspace_fill(&space, gpa(0x41ffd), 0x5a, 6), OK);
    assert_int_equal(aspace_read(&space, gpa(0x41ffc), out, 8), OK);
    assert_int_equal(out[0], in[0x41ffc - 0x40e01]);
    for (unsigned i = 1; i < 7; i++)
        assert_int_equal(out[i], 0x5a);
    assert_int_equal(out[7], in[0x42003 - 0x40e01]);
    assert_int_equal(aspace_fill(&space, gpa(UINT64_MAX), 0, 2), ERR_NOT_FOUND);
}

static void filling_with_zero_clears_and_commits_nothing_new(void **state)
{
    uint8_t bytes[4] = { 1, 1, 1, 1 };

    (void)state;
    assert_int_equal(map(ram_at(0x40000, 0x4000)), OK);
    assert_int_equal(aspace_write(&space, gpa(0x41ffe), bytes, 4), OK);
    assert_int_equal(memory.stats.committed_pages, 2);
    assert_int_equal(aspace_fill(&space, gpa(0x40000), 0, 0x4000), OK);
    assert_int_equal(memory.stats.committed_pages, 2);
    assert_int_equal(aspace_read(&space, gpa(0x41ffe), bytes, 4), OK);
    assert_int_equal(bytes[0] | bytes[1] | bytes[2] | bytes[3], 0);
}

static void clearing_returns_all_memory_and_mappings(void **state)
{
    const size_t before = pmm_free_count();
    struct region shared = ram_at(0x80000000, 0x1000);
    uint8_t byte = 9;

    (void)state;
    shared.kind = REGION_SHARED;
    shared.offset = 0x700000;
    assert_int_equal(map(ram_at(0x40000000, 0x401000)), OK);
    assert_int_equal(map(shared), OK);
    assert_int_equal(aspace_write(&space, gpa(0x80000000), &byte, 1), OK);
    assert_int_equal(fault(0x40000000, VM_ACCESS_WRITE), OK);
    assert_int_equal(fault(0x40400000, VM_ACCESS_WRITE), OK);
    assert_int_equal(aspace_write(&space, gpa(0x40000007), &byte, 1), OK);
    assert_int_equal(aspace_clear(&space), OK);
    assert_int_equal(level_at(0x40000000), 0);
    assert_true(before - pmm_free_count() <= 2); /* the shared page, and its VMO's table */
    assert_int_equal(aspace_read(&space, gpa(0x40000007), &byte, 1), OK);
    assert_int_equal(byte, 0);
    assert_int_equal(aspace_read(&space, gpa(0x80000000), &byte, 1), OK);
    assert_int_equal(byte, 9); /* not ours to clear */
}

static void prefault_leaves_nothing_to_fault(void **state)
{
    (void)state;
    assert_int_equal(map(ram_at(0x401ff000, 0x402000)), OK);
    assert_int_equal(aspace_prefault(&space, &space.regions[0]), OK);
    for (uint64_t at = 0x401ff000; at < 0x40601000; at += PAGE_SIZE)
        assert_int_not_equal(level_at(at), 0);
    assert_int_equal(memory.stats.committed_pages, 0x402);
}

static void prefault_reports_that_memory_ran_out(void **state)
{
    vmo_t large;
    struct region region = ram_at(0, FAKE_ARENA_BYTES);

    (void)state;
    assert_int_equal(vmo_init(&large, region.size), OK);
    region.vmo = &large;
    assert_int_equal(map(region), OK);
    assert_int_equal(aspace_prefault(&space, &space.regions[0]), ERR_NO_MEMORY);
    assert_int_equal(aspace_clear(&space), OK);
    vmo_destroy(&large);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(misaligned_and_endless_regions_are_refused),
        TEST(a_region_without_what_backs_it_is_refused),
        TEST(overlaps_are_refused),
        TEST(more_regions_than_fit_are_refused),
        TEST(a_region_is_found_from_its_first_to_its_last_byte),
        TEST(a_fault_maps_a_block_where_one_fits),
        TEST(a_fault_maps_a_page_where_no_block_fits),
        TEST(a_block_that_a_region_shows_in_part_maps_in_part),
        TEST(a_fault_obeys_the_protection),
        TEST(rom_is_never_writable_and_hides_on_demand),
        TEST(a_device_writes_only_where_its_guest_may),
        TEST(identity_regions_are_mapped_at_once),
        TEST(copies_cross_pages_and_regions),
        TEST(filling_with_zero_clears_and_commits_nothing_new),
        TEST(clearing_returns_all_memory_and_mappings),
        TEST(prefault_leaves_nothing_to_fault),
        TEST(prefault_reports_that_memory_ran_out),
    };

    return cmocka_run_group_tests(tests, world, NULL);
}
