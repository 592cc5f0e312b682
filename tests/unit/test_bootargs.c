/* SPDX-License-Identifier: BSD-2-Clause */
/* Socle's own command line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/firmware/host_info.h"

static bool told(const char *line, const char *word)
{
    const struct host_info host = { .bootargs = line };

    return host_is_told(&host, word);
}

static void a_word_is_found_wherever_it_is(void **state)
{
    (void)state;
    assert_true(told("quiet", "quiet"));
    assert_true(told("quiet console=screen", "quiet"));
    assert_true(told("socle.elf console=screen  quiet", "console=screen"));
    assert_true(told("socle.elf quiet", "quiet"));
}

static void a_part_of_a_word_is_none(void **state)
{
    (void)state;
    assert_false(told("", "quiet"));
    assert_false(told("noquiet quiets noquiets", "quiet"));
    assert_false(told("console=screens", "console=screen"));
    assert_false(told("aaa", "aa"));
    assert_true(told("noquiet quiet", "quiet"));
    assert_true(told("quietquiet quiet", "quiet"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_found_wherever_it_is),
        cmocka_unit_test(a_part_of_a_word_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
