/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas and their buddy allocator. */
#include "tests/unit/pmm_test.h"

static void init_makes_every_whole_page_free(void **state)
{
    (void)state;
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE), 10 * PAGE_SIZE + 4095), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
    assert_int_equal(arena.page_count, 10);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_ALLOCATED), 0);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_WIRED), 0);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_RESERVED), 0);
}

static void init_refuses_bad_arguments(void **state)
{
    (void)state;
    assert_int_equal(pmm_arena_init(NULL, paddr(BASE), PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE), 0), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE), PAGE_SIZE - 1), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE + 1), PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE + 2048), PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_init(&arena, paddr(~PAGE_MASK), 2 * PAGE_SIZE), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_init(&arena, paddr(0), SIZE_MAX), ERR_INVALID_ARGS);
}

static void init_without_boot_memory_is_out_of_memory(void **state)
{
    (void)state;
    bootmem_add(bootmem, 9 * sizeof(vm_page_t));
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE), 10 * PAGE_SIZE), ERR_NO_MEMORY);
    assert_int_equal(pmm_arena_init(&arena, paddr(BASE), 9 * PAGE_SIZE), OK);
}

static void an_allocated_page_has_one_reference(void **state)
{
    vm_page_t *page = NULL;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
    assert_non_null(page);
    assert_int_equal(page->state, VM_PAGE_ALLOCATED);
    assert_int_equal(page->references, 1);
    assert_int_equal(pmm_arena_free_count(&arena), 9);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_ALLOCATED), 1);
    assert_ptr_equal(pmm_arena_page_at(&arena, pmm_arena_page_paddr(&arena, page)), page);
}

static void a_freed_page_is_free(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
    assert_int_equal(pmm_arena_free_page(&arena, page), OK);
    assert_int_equal(page->state, VM_PAGE_FREE);
    assert_int_equal(page->references, 0);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
}

static void of_ten_pages_the_eleventh_fails(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 0);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), ERR_NO_MEMORY);
    assert_int_equal(pmm_arena_free_page(&arena, page), OK);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
}

static void ten_of_a_hundred_and_back(void **state)
{
    vm_page_t *pages[10];

    (void)state;
    make(BASE, 100);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(pmm_arena_alloc_page(&arena, &pages[i]), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 90);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(pmm_arena_free_page(&arena, pages[i]), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 100);
}

static void references_count_one_two_one_none(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
    assert_int_equal(page->references, 1);
    assert_int_equal(pmm_arena_ref_page(&arena, page), OK);
    assert_int_equal(page->references, 2);
    assert_int_equal(pmm_arena_free_page(&arena, page), OK);
    assert_int_equal(page->references, 1);
    assert_int_equal(page->state, VM_PAGE_ALLOCATED);
    assert_int_equal(pmm_arena_free_count(&arena), 9);
    assert_int_equal(pmm_arena_free_page(&arena, page), OK);
    assert_int_equal(page->references, 0);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
    assert_int_equal(pmm_arena_ref_page(&arena, page), ERR_INVALID_ARGS);
}

static void references_do_not_overflow(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 1);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
    page->references = UINT32_MAX;
    assert_int_equal(pmm_arena_ref_page(&arena, page), ERR_INVALID_ARGS);
    assert_int_equal(page->references, UINT32_MAX);
}

static void alloc_and_free_refuse_null(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_page(NULL, &page), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_alloc_page(&arena, NULL), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_page(NULL, arena.pages), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_page(&arena, NULL), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(NULL), 0);
    assert_int_equal(pmm_arena_count(NULL, VM_PAGE_FREE), 0);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_STATES), 0);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
}

static void free_of_a_free_page_is_refused(void **state)
{
    vm_page_t *a, *b;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_page(&arena, &a), OK);
    assert_int_equal(pmm_arena_alloc_page(&arena, &b), OK);
    assert_int_equal(pmm_arena_free_page(&arena, a), OK);
    assert_int_equal(pmm_arena_free_page(&arena, a), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(&arena), 9);
    assert_int_equal(pmm_arena_free_page(&arena, b), OK);
    assert_int_equal(pmm_arena_free_page(&arena, b), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_page(&arena, a), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
}

static void free_of_every_page_never_handed_out_is_refused(void **state)
{
    (void)state;
    make(BASE + 3 * PAGE_SIZE, 3000);
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(pmm_arena_free_page(&arena, &arena.pages[i]), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(&arena), 3000);
}

static void free_of_a_foreign_page_is_refused(void **state)
{
    static pmm_arena_t other;
    vm_page_t *page, fake = { .references = 1, .state = VM_PAGE_ALLOCATED };

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_init(&other, paddr(BASE + SIZE_2M), 10 * PAGE_SIZE), OK);
    assert_int_equal(pmm_arena_alloc_page(&other, &page), OK);
    assert_int_equal(pmm_arena_free_page(&arena, page), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_page(&arena, &fake), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_page(&arena, arena.pages - 1), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_page(&arena, arena.pages + 10), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(&other), 9);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
}

static void free_of_a_pointer_between_pages_is_refused(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_page(&arena, &page), OK);
    for (uintptr_t off = 1; off < sizeof(*page); off++) {
        vm_page_t *askew = (vm_page_t *)((uintptr_t)page + off);

        assert_int_equal(pmm_arena_free_page(&arena, askew), ERR_INVALID_ARGS);
    }
    assert_int_equal(page->references, 1);
}

static void free_inside_of_a_block_is_refused(void **state)
{
    vm_page_t *block;

    (void)state;
    make(BASE, 64);
    assert_int_equal(pmm_arena_alloc_block(&arena, 4, VM_PAGE_ALLOCATED, &block), OK);
    for (unsigned i = 1; i < 16; i++)
        assert_int_equal(pmm_arena_free_page(&arena, block + i), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_free_count(&arena), 48);
    assert_int_equal(pmm_arena_free_page(&arena, block), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 64);
}

static void blocks_are_aligned_by_physical_address(void **state)
{
    vm_page_t *block;

    (void)state;
    make(BASE + 5 * PAGE_SIZE, 4000);
    for (unsigned order = 0; order <= 10; order++) {
        assert_int_equal(pmm_arena_alloc_block(&arena, order, VM_PAGE_WIRED, &block), OK);
        assert_true(IS_ALIGNED(address_of(block), PAGE_SIZE << order));
        assert_true(address_of(block) >= BASE + 5 * PAGE_SIZE);
        assert_int_equal(block->state, VM_PAGE_WIRED);
    }
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_WIRED), 2047);
    assert_int_equal(sum_of_counts(), 4000);
}

static void blocks_of_2_mib_and_1_gib_come_from_a_large_arena(void **state)
{
    vm_page_t *huge, *large;
    size_t pages = 3 * SIZE_1G / PAGE_SIZE;

    (void)state;
    make(SIZE_1G / 2, pages / 2); /* 0.5 to 2 GiB: one aligned GiB */
    assert_int_equal(pmm_arena_alloc_block(&arena, PMM_ORDER_1G, VM_PAGE_ALLOCATED, &huge), OK);
    assert_int_equal(address_of(huge), SIZE_1G);
    assert_int_equal(pmm_arena_alloc_block(&arena, PMM_ORDER_1G, VM_PAGE_ALLOCATED, &large),
                     ERR_NO_MEMORY);
    assert_int_equal(pmm_arena_alloc_block(&arena, PMM_ORDER_2M, VM_PAGE_ALLOCATED, &large), OK);
    assert_true(IS_ALIGNED(address_of(large), SIZE_2M));
    assert_int_equal(pmm_arena_free_count(&arena), SIZE_1G / 2 / PAGE_SIZE - 512);
    assert_int_equal(pmm_arena_free_page(&arena, huge), OK);
    assert_int_equal(pmm_arena_free_page(&arena, large), OK);
    assert_int_equal(pmm_arena_free_count(&arena), pages / 2);
}

static void alloc_block_refuses_bad_arguments(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE, 10);
    assert_int_equal(pmm_arena_alloc_block(&arena, PMM_ORDERS, VM_PAGE_WIRED, &page),
                     ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_alloc_block(&arena, 0, VM_PAGE_FREE, &page), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_alloc_block(&arena, 0, VM_PAGE_RESERVED, &page), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_alloc_block(&arena, 4, VM_PAGE_WIRED, &page), ERR_NO_MEMORY);
    assert_int_equal(pmm_arena_free_count(&arena), 10);
}

static void a_split_block_is_freed_page_by_page(void **state)
{
    vm_page_t *block;

    (void)state;
    make(BASE, 1024);
    assert_int_equal(pmm_arena_alloc_block(&arena, 9, VM_PAGE_ALLOCATED, &block), OK);
    assert_int_equal(pmm_arena_split_block(&arena, block + 1, 0), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_split_block(&arena, block, 10), ERR_INVALID_ARGS);
    assert_int_equal(pmm_arena_split_block(&arena, block, 3), OK);
    assert_int_equal(pmm_arena_free_page(&arena, block + 8), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 512 + 8);
    assert_int_equal(pmm_arena_split_block(&arena, block, 0), OK);
    for (unsigned i = 0; i < 512; i += i < 8 ? 1 : 8)
        assert_int_equal(pmm_arena_free_page(&arena, block + i), i == 8 ? ERR_INVALID_ARGS : OK);
    assert_int_equal(pmm_arena_free_count(&arena), 1024);
    assert_int_equal(pmm_arena_alloc_block(&arena, 10, VM_PAGE_ALLOCATED, &block), OK);
}

static void reserved_memory_is_never_handed_out(void **state)
{
    vm_page_t *page;
    unsigned got = 0;

    (void)state;
    make(BASE, 1000);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + 0x5800), 0x2001), OK);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_RESERVED), 3);
    assert_int_equal(pmm_arena_free_count(&arena), 997);
    assert_int_equal(pmm_arena_free_page(&arena, &arena.pages[5]), ERR_INVALID_ARGS);
    while (pmm_arena_alloc_page(&arena, &page) == OK) {
        assert_false(address_of(page) >= BASE + 0x5000 && address_of(page) < BASE + 0x8000);
        got++;
    }
    assert_int_equal(got, 997);
    assert_int_equal(sum_of_counts(), 1000);
}

static void reserve_refuses_what_is_outside_or_not_free(void **state)
{
    vm_page_t *page;

    (void)state;
    make(BASE + PAGE_SIZE, 1000);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE), PAGE_SIZE), ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE), 2 * PAGE_SIZE), ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + 1001 * PAGE_SIZE), 1), ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + 1000 * PAGE_SIZE), PAGE_SIZE + 1),
                     ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + PAGE_SIZE), SIZE_MAX), ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_reserve(NULL, paddr(BASE), 1), ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_alloc_block(&arena, 8, VM_PAGE_WIRED, &page), OK);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + PAGE_SIZE), 1000 * PAGE_SIZE),
                     ERR_BAD_STATE);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(address_of(page) + SIZE_2M / 2 - 1), 2),
                     ERR_BAD_STATE);
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_RESERVED), 0);
    assert_int_equal(pmm_arena_free_page(&arena, page), OK);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + PAGE_SIZE), 1000 * PAGE_SIZE), OK);
    assert_int_equal(pmm_arena_free_count(&arena), 0);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + PAGE_SIZE), 1), ERR_BAD_STATE);
    assert_int_equal(pmm_arena_reserve(&arena, paddr(BASE + PAGE_SIZE), 0), OK);
}

static void page_at_knows_only_the_arena(void **state)
{
    (void)state;
    make(BASE, 10);
    assert_ptr_equal(pmm_arena_page_at(&arena, paddr(BASE)), arena.pages);
    assert_ptr_equal(pmm_arena_page_at(&arena, paddr(BASE + 0x9fff)), arena.pages + 9);
    assert_null(pmm_arena_page_at(&arena, paddr(BASE - 1)));
    assert_null(pmm_arena_page_at(&arena, paddr(BASE + 0xa000)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(init_makes_every_whole_page_free),
        TEST(init_refuses_bad_arguments),
        TEST(init_without_boot_memory_is_out_of_memory),
        TEST(an_allocated_page_has_one_reference),
        TEST(a_freed_page_is_free),
        TEST(of_ten_pages_the_eleventh_fails),
        TEST(ten_of_a_hundred_and_back),
        TEST(references_count_one_two_one_none),
        TEST(references_do_not_overflow),
        TEST(alloc_and_free_refuse_null),
        TEST(free_of_a_free_page_is_refused),
        TEST(free_of_every_page_never_handed_out_is_refused),
        TEST(free_of_a_foreign_page_is_refused),
        TEST(free_of_a_pointer_between_pages_is_refused),
        TEST(free_inside_of_a_block_is_refused),
        TEST(blocks_are_aligned_by_physical_address),
        TEST(blocks_of_2_mib_and_1_gib_come_from_a_large_arena),
        TEST(alloc_block_refuses_bad_arguments),
        TEST(a_split_block_is_freed_page_by_page),
        TEST(reserved_memory_is_never_handed_out),
        TEST(reserve_refuses_what_is_outside_or_not_free),
        TEST(page_at_knows_only_the_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
