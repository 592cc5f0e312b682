/* SPDX-License-Identifier: BSD-2-Clause */
/* The system's memory: all arenas together, and pages for the hypervisor's own structures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/bits.h"
#include "arch/mmu.h"
#include "kernel/bootmem.h"
#include "kernel/panic.h"
#include "kernel/pmm.h"

#define BASE ((uint64_t)FAKE_RAM_BASE)
#define BANK_PAGES 4

static pmm_arena_t banks[2];

static int add_banks(void **state)
{
    static _Alignas(16) uint8_t bootmem[4096];

    (void)state;
    fake_ram_init();
    bootmem_add(bootmem, sizeof(bootmem));
    for (unsigned i = 0; i < ARRAY_SIZE(banks); i++) {
        if (pmm_arena_init(&banks[i], paddr(BASE + i * SIZE_2M), BANK_PAGES * PAGE_SIZE) != OK)
            return -1;
        pmm_add_arena(&banks[i]);
    }
    return 0;
}

static void an_arena_is_added_once(void **state)
{
    (void)state;
    pmm_add_arena(&banks[0]);
    assert_ptr_equal(pmm_first_arena(), &banks[0]);
    assert_ptr_equal(pmm_first_arena()->next, &banks[1]);
    assert_null(banks[1].next);
    assert_int_equal(pmm_free_count(), 2 * BANK_PAGES);
}

static void pages_come_from_all_arenas(void **state)
{
    paddr_t got[2 * BANK_PAGES];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        assert_int_equal(pmm_alloc(0, VM_PAGE_ALLOCATED, &got[i]), OK);
    assert_int_equal(pmm_alloc(0, VM_PAGE_ALLOCATED, &got[0]), ERR_NO_MEMORY);
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        pmm_free(got[i]);
    assert_int_equal(pmm_free_count(), 2 * BANK_PAGES);
    expect_assert_failure(pmm_free(got[0]));
    expect_assert_failure(pmm_free(paddr(BASE + SIZE_1G)));
}

static void wired_memory_is_zeroed_and_a_power_of_two(void **state)
{
    uint8_t *memory = pmm_alloc_wired(PAGE_SIZE + 1);

    (void)state;
    assert_non_null(memory);
    assert_true(IS_ALIGNED(virt_to_phys(memory).raw, 2 * PAGE_SIZE));
    memset(memory, 0xff, 2 * PAGE_SIZE);
    pmm_free_wired(memory);
    memory = pmm_alloc_wired(BANK_PAGES * PAGE_SIZE);
    assert_non_null(memory);
    for (size_t i = 0; i < BANK_PAGES * PAGE_SIZE; i++)
        assert_int_equal(memory[i], 0);
    assert_int_equal(pmm_free_count(), BANK_PAGES);
    pmm_free_wired(memory);
    pmm_free_wired(NULL);
    assert_int_equal(pmm_free_count(), 2 * BANK_PAGES);
}

static void wired_memory_of_no_size_or_too_much_is_refused(void **state)
{
    (void)state;
    assert_null(pmm_alloc_wired(0));
    assert_null(pmm_alloc_wired(BANK_PAGES * PAGE_SIZE + 1));
    assert_null(pmm_alloc_wired(SIZE_MAX));
    assert_int_equal(pmm_free_count(), 2 * BANK_PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_is_added_once),
        cmocka_unit_test(pages_come_from_all_arenas),
        cmocka_unit_test(wired_memory_is_zeroed_and_a_power_of_two),
        cmocka_unit_test(wired_memory_of_no_size_or_too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, add_banks, NULL);
}
