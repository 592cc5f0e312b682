/* SPDX-License-Identifier: BSD-2-Clause */
/* The three formats of x86: what is put into an entry is what comes out, and what hardware sees. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "arch/x86/x86.h"

#define PHYS 0x123456789000u

static const struct pt_format *formats[3];

static int pick_formats(void **state)
{
    (void)state;
    formats[0] = arch_hyp_format;
    formats[1] = x86_npt_format;
    formats[2] = x86_ept_format(2);
    return 0;
}

static void leaves_say_what_they_were_made_of(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        const struct pt_format *f = formats[i];

        for (unsigned prot = PT_READ; prot < 2 * PT_DEVICE; prot += 2) {
            for (unsigned level = 1; level <= 3; level++) {
                const paddr_t to = paddr(ALIGN_DOWN(PHYS, BIT(12 + 9 * (3 - level))));
                const uint64_t leaf = f->make_leaf(to, level, prot);

                assert_true(f->is_present(leaf));
                assert_true(f->is_leaf(leaf, level));
                assert_int_equal(f->target(leaf).raw, to.raw);
                assert_int_equal(f->prot(leaf), prot);
            }
        }
    }
}

static void tables_are_no_leaves_and_nothing_is_not_present(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        const struct pt_format *f = formats[i];
        const uint64_t table = f->make_table(paddr(PHYS));

        assert_true(f->is_present(table));
        assert_int_equal(f->target(table).raw, PHYS);
        for (unsigned level = 0; level < 3; level++)
            assert_false(f->is_leaf(table, level));
        assert_false(f->is_present(0));
        assert_false(f->is_present(PHYS)); /* an aligned address alone */
    }
}

/* SDM 3A 4.5, 3C 28.3.2; APM 2 15.25. */
static void entries_are_the_manuals(void **state)
{
    (void)state;
    assert_int_equal(arch_hyp_format->make_leaf(paddr(0x1000), 3, PT_READ),
                     0x1000 | BIT(63) | BIT(6) | BIT(5) | BIT(0));
    assert_int_equal(arch_hyp_format->make_leaf(paddr(0x1000), 3, PT_READ | PT_DEVICE),
                     0x1000 | BIT(63) | BIT(6) | BIT(5) | BIT(4) | BIT(3) | BIT(0));
    const uint64_t pixels =
        arch_hyp_format->make_leaf(paddr(0x1000), 3, PT_READ | PT_DEVICE | PT_COMBINE);

    assert_int_equal(pixels, 0x1000 | BIT(63) | BIT(6) | BIT(5) | BIT(3) | BIT(0));
    assert_int_equal(arch_hyp_format->prot(pixels), PT_READ | PT_DEVICE | PT_COMBINE);
    assert_int_equal(x86_npt_format->make_leaf(paddr(0x200000), 2, PT_READ | PT_WRITE | PT_EXEC),
                     0x200000 | BIT(7) | BIT(6) | BIT(5) | BIT(2) | BIT(1) | BIT(0));
    assert_int_equal(formats[2]->make_leaf(paddr(0x200000), 2, PT_READ | PT_EXEC),
                     0x200000 | BIT(7) | BIT(6) | 6 << 3 | BIT(2) | BIT(0));
    assert_int_equal(formats[2]->make_leaf(paddr(0xfee00000), 3, PT_READ | PT_WRITE | PT_DEVICE),
                     0xfee00000 | BIT(1) | BIT(0));
}

static void large_leaves_are_made_where_the_cpu_has_them(void **state)
{
    (void)state;
    assert_int_equal(x86_ept_format(2)->leaf_levels, BIT(2) | BIT(3));
    assert_int_equal(x86_ept_format(1)->leaf_levels, BIT(1) | BIT(2) | BIT(3));
    x86_mmu_init();
    assert_int_equal(x86_has_1g_pages(), (arch_hyp_format->leaf_levels & BIT(1)) != 0);
    assert_int_equal(x86_npt_format->leaf_levels, arch_hyp_format->leaf_levels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_say_what_they_were_made_of),
        cmocka_unit_test(tables_are_no_leaves_and_nothing_is_not_present),
        cmocka_unit_test(entries_are_the_manuals),
        cmocka_unit_test(large_leaves_are_made_where_the_cpu_has_them),
    };

    return cmocka_run_group_tests(tests, pick_formats, NULL);
}
