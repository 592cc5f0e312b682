/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags of guest address spaces. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/fake/fake.h"
#include "kernel/panic.h"
#include "kernel/tag.h"
#include "tests/unit/random.h"

#define TAGS 255 /* of 8 bits, without 0 */

static void all_tags_differ_and_none_is_zero(void **state)
{
    uint8_t seen[TAGS + 1] = { 0 };
    uint32_t tag;

    (void)state;
    fake_tlb_reset();
    for (unsigned i = 0; i < TAGS; i++) {
        assert_int_equal(tag_alloc(&tag), OK);
        assert_in_range(tag, 1, TAGS);
        assert_int_equal(seen[tag]++, 0);
    }
    assert_int_equal(fake_tlb.everything, 0);
    assert_int_equal(tag_alloc(&tag), ERR_NO_MEMORY);
    for (tag = 1; tag <= TAGS; tag++)
        tag_free(tag);
}

static void a_freed_tag_rests_until_every_tlb_forgot_it(void **state)
{
    uint32_t first, tag;
    bool resting[TAGS + 1] = { false };
    unsigned flushes;

    (void)state;
    fake_tlb_reset();
    assert_int_equal(tag_alloc(&first), OK); /* whatever the test before left resting is fresh */
    flushes = fake_tlb.everything;
    for (unsigned i = 0; i < 10 * TAGS; i++) {
        assert_int_equal(tag_alloc(&tag), OK);
        if (fake_tlb.everything != flushes) {
            flushes = fake_tlb.everything;
            memset(resting, 0, sizeof(resting));
        }
        assert_false(resting[tag]);
        assert_int_not_equal(tag, first);
        resting[tag] = true;
        tag_free(tag);
    }
    assert_in_range(flushes, 10, 12); /* once in about 254 */
    tag_free(first);
}

static void wrong_frees_are_caught(void **state)
{
    uint32_t tag;

    (void)state;
    assert_int_equal(tag_alloc(&tag), OK);
    tag_free(tag);
    expect_assert_failure(tag_free(tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_tags_differ_and_none_is_zero),
        cmocka_unit_test(a_freed_tag_rests_until_every_tlb_forgot_it),
        cmocka_unit_test(wrong_frees_are_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
