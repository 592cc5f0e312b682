/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault handler of a VMO. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/mmu.h"
#include "kernel/bootmem.h"
#include "kernel/page_fault.h"

static _Alignas(16) uint8_t bootmem[1 << 14];
static pmm_arena_t system_arena, arena;
static vmo_t vmo;
static page_fault_handler_t handler;

static int setup(void **state)
{
    (void)state;
    fake_ram_init();
    bootmem_add(bootmem, sizeof(bootmem));
    if (pmm_arena_init(&system_arena, paddr(FAKE_RAM_BASE), 16 * PAGE_SIZE) != OK ||
        pmm_arena_init(&arena, paddr(FAKE_RAM_BASE + SIZE_2M), 100 * PAGE_SIZE) != OK)
        return -1;
    pmm_add_arena(&system_arena);
    if (vmo_bootstrap_init(&vmo, &arena, 10 * PAGE_SIZE) != OK)
        return -1;
    return page_fault_handler_init(&handler, &vmo, &arena) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmo_bootstrap_destroy(&vmo, &arena);
    return pmm_arena_free_count(&arena) == 100 ? 0 : -1;
}

static void handler_init_takes_a_vmo_and_an_arena(void **state)
{
    page_fault_handler_t other;

    (void)state;
    assert_int_equal(page_fault_handler_init(&other, &vmo, &arena), OK);
    assert_ptr_equal(other.vmo, &vmo);
    assert_ptr_equal(other.arena, &arena);
    assert_int_equal(page_fault_handler_init(NULL, &vmo, &arena), ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handler_init(&other, NULL, &arena), ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handler_init(&other, &vmo, NULL), ERR_INVALID_ARGS);
}

static void a_fault_commits_page_three(void **state)
{
    struct vmo_extent extent;

    (void)state;
    assert_int_equal(page_fault_handle(&handler, 3 * PAGE_SIZE + 8, PAGE_FAULT_READ), OK);
    assert_int_equal(vmo_lookup(&vmo, 3 * PAGE_SIZE, &extent), OK);
    assert_int_equal(vmo_lookup(&vmo, 2 * PAGE_SIZE, &extent), ERR_NOT_FOUND);
    assert_int_equal(pmm_arena_free_count(&arena), 99);
}

static void a_fault_on_a_present_page_is_ok(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(
            page_fault_handle(&handler, 0, PAGE_FAULT_READ | PAGE_FAULT_WRITE | PAGE_FAULT_USER),
            OK);
    assert_int_equal(pmm_arena_free_count(&arena), 99);
    assert_int_equal(handler.stats.handled, 3);
    assert_int_equal(handler.stats.committed, 1);
    assert_int_equal(handler.stats.refused, 0);
}

static void page_twenty_of_ten_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(page_fault_handle(&handler, 20 * PAGE_SIZE, PAGE_FAULT_READ), ERR_NOT_FOUND);
    assert_int_equal(page_fault_handle(&handler, 10 * PAGE_SIZE, PAGE_FAULT_EXEC), ERR_NOT_FOUND);
    assert_int_equal(page_fault_handle(&handler, UINT64_MAX, PAGE_FAULT_READ), ERR_NOT_FOUND);
    assert_int_equal(page_fault_handle(&handler, 10 * PAGE_SIZE - 1, PAGE_FAULT_READ), OK);
    assert_int_equal(handler.stats.refused, 3);
}

static void write_only_flags_are_rejected(void **state)
{
    (void)state;
    assert_int_equal(page_fault_handle(&handler, 0, PAGE_FAULT_WRITE), ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handle(&handler, 0, PAGE_FAULT_WRITE | PAGE_FAULT_READ),
                     ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handle(&handler, 0, 0), ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handle(&handler, 0, PAGE_FAULT_USER), ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handle(NULL, 0, PAGE_FAULT_READ), ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handle(&handler, 0, PAGE_FAULT_WRITE | PAGE_FAULT_USER), OK);
}

static void flags_are_judged_before_the_address(void **state)
{
    (void)state;
    assert_int_equal(page_fault_handle(&handler, 20 * PAGE_SIZE, PAGE_FAULT_WRITE),
                     ERR_INVALID_ARGS);
    assert_int_equal(page_fault_handle(&handler, 20 * PAGE_SIZE, 0), ERR_INVALID_ARGS);
}

static void an_empty_arena_is_out_of_memory(void **state)
{
    vm_page_t *pages[100];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(pmm_arena_alloc_page(&arena, &pages[i]), OK);
    assert_int_equal(page_fault_handle(&handler, 0, PAGE_FAULT_READ), ERR_NO_MEMORY);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(pmm_arena_free_page(&arena, pages[i]), OK);
    assert_int_equal(page_fault_handle(&handler, 0, PAGE_FAULT_READ), OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(handler_init_takes_a_vmo_and_an_arena), TEST(a_fault_commits_page_three),
        TEST(a_fault_on_a_present_page_is_ok),       TEST(page_twenty_of_ten_is_not_found),
        TEST(write_only_flags_are_rejected),         TEST(flags_are_judged_before_the_address),
        TEST(an_empty_arena_is_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
