/* SPDX-License-Identifier: BSD-2-Clause */
/* What keys of a PC's keyboard make a terminal send. */

#include "drivers/keyboard/scan_codes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/keyboard/us_layout.h"
#include "tests/unit/random.h"

static struct scan_codes keys;
static char sent[64];

static int set_up(void **state)
{
    (void)state;
    keys = (struct scan_codes){ 0 };
    return 0;
}

/* Everything that these bytes make. */
static const char *read_codes(const char *codes)
{
    size_t length = 0;

    for (; *codes != '\0'; codes++)
        length += scan_code_read(&keys, (uint8_t)*codes, (uint8_t *)sent + length);
    sent[length] = '\0';
    return sent;
}

#define A "\x1e\x9e"
#define ONE "\x02\x82"

static void keys_send_their_characters_when_pressed(void **state)
{
    (void)state;
    assert_string_equal(read_codes(A ONE "\x1c\x9c\x0e\x8e"), "a1\r\x7f");
}

static void shift_and_caps_lock(void **state)
{
    (void)state;
    assert_string_equal(read_codes("\x2a" A ONE "\xaa" A "\x36" A "\xb6" A), "A!aAa");
    assert_string_equal(read_codes("\x3a\xba" A ONE "\x2a" A ONE "\xaa\x3a\xba" A), "A1a!a");
}

static void ctrl_makes_control_characters(void **state)
{
    (void)state;
    /* Ctrl-a, Ctrl-], Ctrl-C with Shift, the right Ctrl; a digit stays. */
    assert_string_equal(read_codes("\x1d" A "\x1b\x9b\x2a\x2e\xae\xaa" ONE "\x9d" A), "\1\x1d\3"
                                                                                      "1a");
    assert_string_equal(read_codes("\xe0\x1d" A "\xe0\x9d" A), "\1a");
}

static void the_later_keys_send_sequences(void **state)
{
    (void)state;
    assert_string_equal(read_codes("\xe0\x48\xe0\xc8\xe0\x4b\xe0\xcb"), "\033[A\033[D");
    assert_string_equal(read_codes("\xe0\x53\xe0\xd3\xe0\x1c\xe0\x9c"), "\033[3~\r");
    /* Some keyboards put Shift around them, which was never pressed. */
    assert_string_equal(read_codes("\xe0\x2a\xe0\x47\xe0\xc7\xe0\xaa" A), "\033[Ha");
}

static void answers_and_noise_send_nothing(void **state)
{
    uint64_t seed = 5;
    uint8_t text[KEY_TEXT_MAX];

    (void)state;
    assert_string_equal(read_codes("\xfa\xfe\xaa\x38\xb8\x7f\xff"), "");
    for (unsigned i = 0; i < 100000; i++)
        assert_in_range(scan_code_read(&keys, (uint8_t)random_next(&seed), text), 0, KEY_TEXT_MAX);
}

static void every_printable_character_has_its_key(void **state)
{
    (void)state;
    for (char c = ' '; c <= '~'; c++) {
        const struct us_key *const key = us_key_for(c);

        assert_non_null(key);
        assert_ptr_equal(us_key_of_set_1(us_set_1(key->code)), key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keys_send_their_characters_when_pressed, set_up),
        cmocka_unit_test_setup(shift_and_caps_lock, set_up),
        cmocka_unit_test_setup(ctrl_makes_control_characters, set_up),
        cmocka_unit_test_setup(the_later_keys_send_sequences, set_up),
        cmocka_unit_test_setup(answers_and_noise_send_nothing, set_up),
        cmocka_unit_test_setup(every_printable_character_has_its_key, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
