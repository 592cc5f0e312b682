/* SPDX-License-Identifier: BSD-2-Clause */
/* VM objects. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "arch/fake/fake.h"
#include "arch/mmu.h"
#include "kernel/bootmem.h"
#include "kernel/panic.h"
#include "kernel/vmo.h"
#include "tests/unit/random.h"

/* The system's arena, and one apart from it, in 256 MiB of fake RAM. */
#define SYSTEM_BASE ((uint64_t)FAKE_RAM_BASE)
#define SYSTEM_PAGES 8192 /* 32 MiB */
#define APART_BASE (SYSTEM_BASE + 64 * SIZE_2M)

static _Alignas(16) uint8_t bootmem[1 << 20];
static pmm_arena_t system_arena, apart;
static vmo_t vmo;

static int setup(void **state)
{
    (void)state;
    fake_ram_init();
    fake_mem_reset();
    memset(phys_to_virt(paddr(SYSTEM_BASE)), 0xa5, SYSTEM_PAGES * PAGE_SIZE);
    memset(phys_to_virt(paddr(APART_BASE)), 0xa5, 100 * PAGE_SIZE);
    bootmem_add(bootmem, sizeof(bootmem));
    if (pmm_arena_init(&system_arena, paddr(SYSTEM_BASE), SYSTEM_PAGES * PAGE_SIZE) != OK ||
        pmm_arena_init(&apart, paddr(APART_BASE), 100 * PAGE_SIZE) != OK)
        return -1;
    pmm_add_arena(&system_arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return pmm_free_count() == SYSTEM_PAGES && pmm_arena_free_count(&apart) == 100 ? 0 : -1;
}

static bool is_zero(paddr_t base, size_t bytes)
{
    const uint64_t *at = phys_to_virt(base);

    for (size_t i = 0; i < bytes / sizeof(*at); i++)
        if (at[i] != 0)
            return false;
    return true;
}

static void init_counts_pages_and_commits_none(void **state)
{
    struct vmo_extent extent;

    (void)state;
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, 9 * PAGE_SIZE + 1), OK);
    assert_int_equal(vmo.page_count, 10);
    assert_int_equal(vmo.size, 9 * PAGE_SIZE + 1);
    assert_int_equal(vmo.stats.committed_pages, 0);
    assert_int_equal(pmm_arena_free_count(&apart), 100);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(vmo_lookup(&vmo, i * PAGE_SIZE, &extent), ERR_NOT_FOUND);
    vmo_bootstrap_destroy(&vmo, &apart);
}

static void init_refuses_bad_arguments(void **state)
{
    (void)state;
    assert_int_equal(vmo_bootstrap_init(NULL, &apart, PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_bootstrap_init(&vmo, NULL, PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, 0), ERR_INVALID_ARGS);
    assert_int_equal(vmo_init(NULL, PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_init(&vmo, 0), ERR_INVALID_ARGS);
    assert_int_equal(vmo_init(&vmo, SIZE_MAX), ERR_INVALID_ARGS);
    assert_int_equal(vmo_init(&vmo, SIZE_MAX / 4), ERR_NO_MEMORY);
}

static void a_repeated_commit_changes_nothing(void **state)
{
    struct vmo_extent first, second;

    (void)state;
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, 10 * PAGE_SIZE), OK);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, 4), OK);
    assert_int_equal(pmm_arena_free_count(&apart), 99);
    assert_int_equal(vmo_lookup(&vmo, 4 * PAGE_SIZE, &first), OK);
    memset(phys_to_virt(first.base), 0x5a, PAGE_SIZE);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, 4), OK);
    assert_int_equal(pmm_arena_free_count(&apart), 99);
    assert_int_equal(vmo_lookup(&vmo, 4 * PAGE_SIZE + 7, &second), OK);
    assert_int_equal(second.base.raw, first.base.raw);
    assert_int_equal(second.bytes, PAGE_SIZE);
    assert_int_equal(*(uint8_t *)phys_to_virt(second.base), 0x5a);
    assert_int_equal(vmo.stats.committed_pages, 1);
    vmo_bootstrap_destroy(&vmo, &apart);
}

static void commit_past_the_end_is_refused(void **state)
{
    struct vmo_extent extent;

    (void)state;
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, 10 * PAGE_SIZE), OK);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, 10), ERR_INVALID_ARGS);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, SIZE_MAX), ERR_INVALID_ARGS);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, NULL, 0), ERR_INVALID_ARGS);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &system_arena, 0), ERR_INVALID_ARGS);
    assert_int_equal(vmo_bootstrap_commit_page(NULL, &apart, 0), ERR_INVALID_ARGS);
    assert_int_equal(vmo_commit(&vmo, 10 * PAGE_SIZE, true, &extent), ERR_INVALID_ARGS);
    assert_int_equal(vmo_lookup(&vmo, 10 * PAGE_SIZE, &extent), ERR_INVALID_ARGS);
    assert_int_equal(vmo_lookup(&vmo, UINT64_MAX, &extent), ERR_INVALID_ARGS);
    assert_int_equal(vmo_commit_range(&vmo, 9 * PAGE_SIZE, PAGE_SIZE + 1), ERR_INVALID_ARGS);
    assert_int_equal(vmo_commit_range(&vmo, UINT64_MAX, 2), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(&apart), 100);
    vmo_bootstrap_destroy(&vmo, &apart);
}

static void five_commits_then_destroy_gives_a_hundred_back(void **state)
{
    (void)state;
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, 10 * PAGE_SIZE), OK);
    assert_int_equal(pmm_arena_free_count(&apart), 100);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, 2 * i), OK);
    assert_int_equal(pmm_arena_free_count(&apart), 95);
    vmo_bootstrap_destroy(&vmo, &apart);
    assert_int_equal(pmm_arena_free_count(&apart), 100);
    vmo_bootstrap_destroy(&vmo, &apart);
    vmo_bootstrap_destroy(NULL, &apart);
}

static void an_empty_arena_fails_the_commit_and_leaks_nothing(void **state)
{
    vm_page_t *pages[100];
    size_t before;

    (void)state;
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, 10 * PAGE_SIZE), OK);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(pmm_arena_alloc_page(&apart, &pages[i]), OK);
    before = pmm_free_count();
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, 0), ERR_NO_MEMORY);
    assert_int_equal(pmm_free_count(), before);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(pmm_arena_free_page(&apart, pages[i]), OK);
    assert_int_equal(vmo_bootstrap_commit_page(&vmo, &apart, 0), OK);
    vmo_bootstrap_destroy(&vmo, &apart);
}

static void pages_and_blocks_are_zeroed_for_the_guest(void **state)
{
    struct vmo_extent page, block;

    (void)state;
    assert_int_equal(vmo_init(&vmo, 2 * SIZE_2M), OK);
    assert_int_equal(vmo_commit(&vmo, 5, false, &page), OK);
    assert_true(page.fresh);
    assert_int_equal(page.bytes, PAGE_SIZE);
    assert_true(is_zero(page.base, PAGE_SIZE));
    assert_int_equal(vmo_commit(&vmo, SIZE_2M + 12345, true, &block), OK);
    assert_int_equal(block.bytes, SIZE_2M);
    assert_true(IS_ALIGNED(block.base.raw, SIZE_2M));
    assert_true(is_zero(block.base, SIZE_2M));
    assert_int_equal(fake_mem.zeroed_bytes, SIZE_2M + PAGE_SIZE);
    assert_int_equal(vmo_commit(&vmo, SIZE_2M, true, &block), OK);
    assert_false(block.fresh);
    assert_int_equal(vmo.stats.committed_pages, 513);
    assert_int_equal(vmo.stats.committed_blocks, 1);
    assert_int_equal(vmo.stats.faults, 2);
    vmo_destroy(&vmo);
}

static void a_block_needs_all_of_its_2_mib(void **state)
{
    struct vmo_extent extent;

    (void)state;
    assert_int_equal(vmo_init(&vmo, 2 * SIZE_2M - PAGE_SIZE), OK);
    assert_int_equal(vmo_commit(&vmo, 0, false, &extent), OK);
    assert_int_equal(vmo_commit(&vmo, PAGE_SIZE, true, &extent), OK); /* a page is there */
    assert_int_equal(extent.bytes, PAGE_SIZE);
    assert_int_equal(vmo_commit(&vmo, SIZE_2M, true, &extent), OK); /* not all inside */
    assert_int_equal(extent.bytes, PAGE_SIZE);
    vmo_destroy(&vmo);
    assert_int_equal(vmo_bootstrap_init(&vmo, &apart, SIZE_2M), OK);
    assert_int_equal(vmo_commit(&vmo, 0, true, &extent), OK); /* the arena has no block */
    assert_int_equal(extent.bytes, PAGE_SIZE);
    vmo_destroy(&vmo);
}

static void a_range_is_committed_in_blocks_where_they_fit(void **state)
{
    (void)state;
    assert_int_equal(vmo_init(&vmo, 4 * SIZE_2M), OK);
    assert_int_equal(vmo_commit_range(&vmo, SIZE_2M - PAGE_SIZE, 2 * SIZE_2M), OK);
    assert_int_equal(vmo.stats.committed_blocks, 1);
    assert_int_equal(vmo.stats.committed_pages, 1024);
    vmo_destroy(&vmo);
    assert_int_equal(vmo_init(&vmo, 4 * SIZE_2M), OK);
    assert_int_equal(vmo_commit_range(&vmo, 0, 4 * SIZE_2M), OK);
    assert_int_equal(vmo.stats.committed_blocks, 4);
    assert_int_equal(vmo.stats.committed_pages, 2048);
    assert_int_equal(vmo.stats.faults, 0);
    assert_int_equal(vmo_commit_range(&vmo, 4 * SIZE_2M, 0), OK);
    vmo_destroy(&vmo);
}

static void decommit_splits_a_block_at_its_edges(void **state)
{
    struct vmo_extent block, page;

    (void)state;
    assert_int_equal(vmo_init(&vmo, 3 * SIZE_2M), OK);
    assert_int_equal(vmo_commit_range(&vmo, 0, 3 * SIZE_2M), OK);
    assert_int_equal(vmo_lookup(&vmo, 0, &block), OK);
    memset(phys_to_virt(block.base), 0x77, SIZE_2M);
    assert_int_equal(vmo_decommit_range(&vmo, PAGE_SIZE, 2 * SIZE_2M), OK);
    assert_int_equal(vmo.stats.committed_pages, 512);
    assert_int_equal(vmo.stats.committed_blocks, 0);
    assert_int_equal(vmo_lookup(&vmo, 0, &page), OK);
    assert_int_equal(page.base.raw, block.base.raw);
    assert_int_equal(page.bytes, PAGE_SIZE);
    assert_int_equal(*(uint8_t *)phys_to_virt(page.base), 0x77);
    assert_int_equal(vmo_lookup(&vmo, PAGE_SIZE, &page), ERR_NOT_FOUND);
    assert_int_equal(vmo_lookup(&vmo, 2 * SIZE_2M, &page), ERR_NOT_FOUND);
    assert_int_equal(vmo_lookup(&vmo, 2 * SIZE_2M + PAGE_SIZE, &page), OK);
    assert_int_equal(vmo_commit(&vmo, PAGE_SIZE, true, &page), OK);
    assert_true(is_zero(page.base, PAGE_SIZE));
    vmo_destroy(&vmo);
}

static void decommit_refuses_bad_ranges(void **state)
{
    (void)state;
    assert_int_equal(vmo_init(&vmo, 10 * PAGE_SIZE), OK);
    assert_int_equal(vmo_decommit_range(&vmo, 1, PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_decommit_range(&vmo, 0, PAGE_SIZE + 1), ERR_INVALID_ARGS);
    assert_int_equal(vmo_decommit_range(&vmo, 0, 11 * PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_decommit_range(&vmo, ~PAGE_MASK, 2 * PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_decommit_range(NULL, 0, PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(vmo_decommit_range(&vmo, 10 * PAGE_SIZE, 0), OK);
    assert_int_equal(vmo_decommit_range(&vmo, 0, 10 * PAGE_SIZE), OK);
    vmo_destroy(&vmo);
}

static void decommit_without_memory_for_a_table_changes_nothing(void **state)
{
    struct vmo_extent extent;
    paddr_t hoard[SYSTEM_PAGES];
    unsigned hoarded = 0;

    (void)state;
    assert_int_equal(vmo_init(&vmo, 2 * SIZE_2M), OK);
    assert_int_equal(vmo_commit_range(&vmo, 0, 2 * SIZE_2M), OK);
    while (pmm_alloc(0, VM_PAGE_ALLOCATED, &hoard[hoarded]) == OK)
        hoarded++;
    assert_int_equal(vmo_decommit_range(&vmo, PAGE_SIZE, 2 * SIZE_2M - PAGE_SIZE), ERR_NO_MEMORY);
    assert_int_equal(vmo.stats.committed_pages, 1024);
    assert_int_equal(vmo_lookup(&vmo, PAGE_SIZE, &extent), OK);
    while (hoarded > 0)
        pmm_free(hoard[--hoarded]);
    vmo_destroy(&vmo);
}

/* --- the model: a stamp for each page, 0 where nothing was written since it was zero --- */

#define MODEL_PAGES 2300

static uint32_t model[MODEL_PAGES];
static bool present[MODEL_PAGES];

static void check_page(size_t index)
{
    struct vmo_extent extent;
    status_t status = vmo_lookup(&vmo, index * PAGE_SIZE, &extent);

    assert_int_equal(status, present[index] ? OK : ERR_NOT_FOUND);
    if (status == OK) {
        uint8_t *memory = phys_to_virt(extent.base);

        memory += (index * PAGE_SIZE) & (extent.bytes - 1);
        assert_int_equal(*(uint32_t *)memory, model[index]);
    }
}

static void random_step(uint64_t *seed)
{
    size_t first = random_below(seed, MODEL_PAGES);
    size_t most = random_below(seed, 3) == 0 ? 1200 : 20;
    size_t count = random_below(seed, MIN(most, MODEL_PAGES - first) + 1);
    struct vmo_extent extent;

    switch (random_below(seed, 4)) {
    case 0:
        assert_int_equal(vmo_decommit_range(&vmo, first * PAGE_SIZE, count * PAGE_SIZE), OK);
        memset(&present[first], 0, count * sizeof(present[0]));
        memset(&model[first], 0, count * sizeof(model[0]));
        break;
    case 1:
        assert_int_equal(vmo_commit_range(&vmo, first * PAGE_SIZE, count * PAGE_SIZE), OK);
        break;
    default:
        assert_int_equal(vmo_commit(&vmo, first * PAGE_SIZE, random_below(seed, 2), &extent), OK);
    }
    for (size_t i = 0; i < MODEL_PAGES; i++) { /* a block may bring more than was asked for */
        if (!present[i] && vmo_lookup(&vmo, i * PAGE_SIZE, &extent) == OK) {
            uint8_t *memory = phys_to_virt(extent.base);

            present[i] = true;
            memory += (i * PAGE_SIZE) & (extent.bytes - 1);
            assert_int_equal(*(uint32_t *)memory, 0);
            model[i] = (uint32_t)random_next(seed);
            *(uint32_t *)memory = model[i];
        }
    }
    for (size_t i = first; i < first + count; i++)
        check_page(i);
}

static void random_commits_and_decommits_keep_contents(void **state)
{
    uint64_t seed = 3;

    (void)state;
    assert_int_equal(vmo_init(&vmo, MODEL_PAGES * PAGE_SIZE), OK);
    for (unsigned step = 0; step < 400; step++) {
        size_t committed = 0;

        random_step(&seed);
        for (size_t i = 0; i < MODEL_PAGES; i++)
            committed += present[i];
        assert_int_equal(vmo.stats.committed_pages, committed);
        assert_int_equal(pmm_arena_count(&system_arena, VM_PAGE_ALLOCATED), committed);
    }
    for (size_t i = 0; i < MODEL_PAGES; i++)
        check_page(i);
    assert_int_equal(vmo_decommit_range(&vmo, 0, MODEL_PAGES * PAGE_SIZE), OK);
    assert_int_equal(pmm_arena_count(&system_arena, VM_PAGE_WIRED), 1); /* the slots */
    vmo_destroy(&vmo);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(init_counts_pages_and_commits_none),
        TEST(init_refuses_bad_arguments),
        TEST(a_repeated_commit_changes_nothing),
        TEST(commit_past_the_end_is_refused),
        TEST(five_commits_then_destroy_gives_a_hundred_back),
        TEST(an_empty_arena_fails_the_commit_and_leaks_nothing),
        TEST(pages_and_blocks_are_zeroed_for_the_guest),
        TEST(a_block_needs_all_of_its_2_mib),
        TEST(a_range_is_committed_in_blocks_where_they_fit),
        TEST(decommit_splits_a_block_at_its_edges),
        TEST(decommit_refuses_bad_ranges),
        TEST(decommit_without_memory_for_a_table_changes_nothing),
        TEST(random_commits_and_decommits_keep_contents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
