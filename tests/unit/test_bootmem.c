/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/bootmem.h"

static _Alignas(4096) uint8_t range[3][4096];

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    bootmem_add(range[0] + 1, 4095);
    uint8_t *a = bootmem_alloc(10, 1);
    uint8_t *b = bootmem_alloc(16, 64);
    uint8_t *c = bootmem_alloc(1, 1);

    assert_ptr_equal(a, range[0] + 1);
    assert_ptr_equal(b, range[0] + 64);
    assert_ptr_equal(c, range[0] + 80);
    assert_ptr_equal(bootmem_end(), range[0] + 81);
}

static void the_last_byte_is_handed_out_and_no_more(void **state)
{
    (void)state;
    bootmem_add(range[0], 4096);
    assert_non_null(bootmem_alloc(4095, 1));
    assert_null(bootmem_alloc(2, 1));
    assert_null(bootmem_alloc(1, 2));
    assert_null(bootmem_alloc(SIZE_MAX, 1));
    assert_ptr_equal(bootmem_end(), range[0] + 4095);
    assert_ptr_equal(bootmem_alloc(1, 1), range[0] + 4095);
    assert_null(bootmem_alloc(1, 1));
    assert_non_null(bootmem_alloc(0, 1));
}

static void a_range_ends_the_one_before(void **state)
{
    (void)state;
    bootmem_add(range[0], 4096);
    bootmem_add(range[1], 100);
    assert_ptr_equal(bootmem_alloc(100, 16), range[1]);
    assert_null(bootmem_alloc(1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(the_last_byte_is_handed_out_and_no_more),
        cmocka_unit_test(a_range_ends_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
