/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/vdev_test.h"

#include <pthread.h>

static struct console a, b, c;

static int two_consoles(void **unused)
{
    (void)unused;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    memset(&c, 0, sizeof(c));
    console_init(terminal_write);
    assert_int_equal(console_attach(&a, "alpha"), OK);
    assert_int_equal(console_attach(&b, "beta"), OK);
    terminal_write("\r\n", 2);
    console_log_line("ready", 5);
    terminal_clear();
    return 0;
}

static int detach_all(void **unused)
{
    (void)unused;
    console_detach(&a);
    console_detach(&b);
    console_detach(&c);
    return 0;
}

static void the_first_attached_owns_and_its_bytes_go_straight_out(void **unused)
{
    (void)unused;
    put_string(&a, "log\x1b[6nin: ");
    assert_string_equal(terminal_text, "log\x1b[6nin: ");
}

static void others_are_prefixed_by_line_when_the_owner_is_at_a_line_start(void **unused)
{
    (void)unused;
    put_string(&b, "He");
    assert_string_equal(terminal_text, "");
    put_string(&b, "llo\r\n");
    assert_string_equal(terminal_text, "[beta] Hello\r\n");
}

static void others_wait_for_the_end_of_the_owners_line(void **unused)
{
    (void)unused;
    put_string(&a, "lo");
    put_string(&b, "one\ntwo\nthr");
    assert_string_equal(terminal_text, "lo");
    put_string(&a, "gin\r\n");
    assert_string_equal(terminal_text, "login\r\n[beta] one\r\n[beta] two\r\n");
}

static void line_feeds_alone_do_not_shift_the_prefix(void **unused)
{
    (void)unused;
    put_string(&b, "x\n");
    put_string(&a, "unix\n");
    put_string(&b, "y\n");
    assert_string_equal(terminal_text, "[beta] x\r\nunix\n\r[beta] y\r\n");
}

static void line_feed_then_carriage_return_is_a_line_start_too(void **unused)
{
    (void)unused;
    put_string(&a, "odd\n\r");
    put_string(&b, "y\n");
    assert_string_equal(terminal_text, "odd\n\r[beta] y\r\n");
}

static void others_cannot_control_the_terminal(void **unused)
{
    (void)unused;
    put_string(&b, "10%\r20%\x1b[6n\tend\x7f\n");
    assert_string_equal(terminal_text, "[beta] 10%20%?[6n\tend?\r\n");
}

static void a_line_without_end_is_shown_at_its_limit(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < CONSOLE_LINE - 1; i++)
        console_put(&b, 'x');
    assert_string_equal(terminal_text, "");
    console_put(&b, 'x');
    assert_int_equal(terminal_length, strlen("[beta] ") + CONSOLE_LINE + 2);
    put_string(&b, "y\n");
    assert_string_equal(&terminal_text[strlen("[beta] ") + CONSOLE_LINE + 2], "[beta] y\r\n");
}

static void a_line_of_exactly_the_limit_gives_one_line_then_an_empty_one(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < CONSOLE_LINE; i++)
        console_put(&b, 'x');
    terminal_clear();
    put_string(&b, "\n");
    assert_string_equal(terminal_text, "[beta] \r\n");
}

static void a_full_ring_breaks_the_owners_line_and_loses_nothing(void **unused)
{
    unsigned shown = 0;

    (void)unused;
    put_string(&a, "prompt> ");
    for (unsigned i = 0; i < 3 * CONSOLE_KEEP; i++)
        console_put(&b, i % 100 == 99 ? '\n' : 'x');
    put_string(&a, "\r\n");
    put_string(&b, "\n");
    assert_int_equal(strncmp(terminal_text, "prompt> \r\n[beta] xxx", 20), 0);
    for (unsigned i = 0; i < terminal_length; i++)
        shown += terminal_text[i] == 'x';
    assert_int_equal(shown, 3 * CONSOLE_KEEP - 3 * CONSOLE_KEEP / 100);
}

static void a_log_line_stands_on_a_line_of_its_own(void **unused)
{
    (void)unused;
    put_string(&a, "half");
    put_string(&b, "whole\n");
    console_log_line("socle: hello\n", 13);
    assert_string_equal(terminal_text, "half\r\nsocle: hello\r\n[beta] whole\r\n");
}

static void typed_bytes_go_to_the_owner_alone(void **unused)
{
    uint8_t byte;

    (void)unused;
    typed("xy");
    assert_false(console_has_input(&b));
    assert_true(console_get(&a, &byte) && byte == 'x');
    assert_true(console_get(&a, &byte) && byte == 'y');
    assert_false(console_get(&a, &byte));
    assert_string_equal(terminal_text, ""); /* echo is the guest's */
}

static void input_beyond_the_ring_is_dropped(void **unused)
{
    uint8_t byte;
    unsigned count = 0;

    (void)unused;
    for (unsigned i = 0; i < CONSOLE_INPUT + 50; i++)
        typed("k");
    while (console_get(&a, &byte))
        count++;
    assert_int_equal(count, CONSOLE_INPUT);
}

static void escape_n_gives_the_terminal_to_the_next_with_its_begun_line(void **unused)
{
    uint8_t byte;

    (void)unused;
    put_string(&b, "boot\r\n/ # \x1b[6n");
    terminal_clear();
    put_string(&a, "in the middle");
    typed("\x1dnq");
    assert_string_equal(terminal_text, "in the middle\r\n"
                                       "socle: terminal: beta (Ctrl-] n for the next)\r\n"
                                       "/ # \x1b[6n");
    assert_false(console_has_input(&a));
    assert_true(console_get(&b, &byte) && byte == 'q');
    put_string(&b, "ls\r\n");
    terminal_clear();
    put_string(&a, "now behind\n");
    assert_string_equal(terminal_text, "[alpha] now behind\r\n");
    typed("\x1dn");
    terminal_clear();
    put_string(&a, "back");
    assert_string_equal(terminal_text, "back");
}

static void escape_and_a_digit_chooses(void **unused)
{
    (void)unused;
    console_attach(&c, "gamma");
    typed("\x1d"
          "3");
    assert_string_equal(terminal_text, "socle: terminal: gamma (Ctrl-] n for the next)\r\n");
    typed("\x1d"
          "1");
    terminal_clear();
    put_string(&a, "x");
    assert_string_equal(terminal_text, "x");
}

static void escape_twice_types_it_and_other_keys_explain(void **unused)
{
    uint8_t byte;

    (void)unused;
    typed("\x1d\x1d");
    assert_true(console_get(&a, &byte) && byte == 0x1d);
    typed("\x1d?");
    assert_non_null(strstr(terminal_text, "Ctrl-] n: next VM"));
    typed("\x1d"
          "9"); /* there is none */
    assert_false(console_has_input(&a));
    put_string(&a, "x");
    assert_int_equal(terminal_text[terminal_length - 1], 'x');
}

static void detach_shows_what_is_kept_and_passes_the_terminal_on(void **unused)
{
    (void)unused;
    put_string(&b, "last words");
    console_detach(&b);
    assert_string_equal(terminal_text, "[beta] last words\r\n");
    console_put(&b, 'x'); /* into nothing */
    console_attach(&c, "gamma");
    put_string(&c, "# ");
    terminal_clear();
    console_detach(&a);
    assert_string_equal(terminal_text, "socle: terminal: gamma (Ctrl-] n for the next)\r\n# ");
    console_detach(&a); /* again: nothing */
    console_detach(&c);
    typed("nobody\x1dn\x1d"
          "1");
    console_log_line("alive", 5);
}

static void read_on_input(void *device)
{
    unsigned *calls = device;
    uint8_t byte;

    ++*calls;
    while (console_get(&a, &byte))
        ;
}

static void the_reader_is_called_for_its_own_input_only(void **unused)
{
    unsigned calls = 0;

    (void)unused;
    console_set_reader(&a, read_on_input, &calls);
    typed("abc");
    assert_int_equal(calls, 1);
    assert_false(console_has_input(&a));
    typed("x\x1dny");
    assert_int_equal(calls, 2);
    console_set_reader(&a, NULL, NULL);
    typed("\x1dnz");
    assert_int_equal(calls, 2);
}

static void discard_text(const char *text, unsigned length)
{
    (void)text;
    (void)length;
}

static void *print(void *console)
{
    for (unsigned i = 0; i < 20000; i++)
        console_put(console, i % 40 == 39 ? '\n' : 'x');
    return NULL;
}

static void *come_and_go(void *unused)
{
    unsigned calls = 0;

    (void)unused;
    for (unsigned i = 0; i < 500; i++) {
        console_set_reader(&c, read_on_input, &calls);
        console_attach(&c, "gamma");
        put_string(&c, "half");
        console_detach(&c);
    }
    return NULL;
}

static void *type(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 2000; i++) {
        typed("some\x1dn");
        console_log_line("line", 4);
    }
    return NULL;
}

static void consoles_come_and_go_while_others_print_and_somebody_types(void **unused)
{
    pthread_t threads[4];

    (void)unused;
    console_init(discard_text);
    pthread_create(&threads[0], NULL, print, &a);
    pthread_create(&threads[1], NULL, print, &b);
    pthread_create(&threads[2], NULL, come_and_go, NULL);
    pthread_create(&threads[3], NULL, type, NULL);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, two_consoles, detach_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_attached_owns_and_its_bytes_go_straight_out),
        TEST(others_are_prefixed_by_line_when_the_owner_is_at_a_line_start),
        TEST(others_wait_for_the_end_of_the_owners_line),
        TEST(line_feeds_alone_do_not_shift_the_prefix),
        TEST(line_feed_then_carriage_return_is_a_line_start_too),
        TEST(others_cannot_control_the_terminal),
        TEST(a_line_without_end_is_shown_at_its_limit),
        TEST(a_line_of_exactly_the_limit_gives_one_line_then_an_empty_one),
        TEST(a_full_ring_breaks_the_owners_line_and_loses_nothing),
        TEST(a_log_line_stands_on_a_line_of_its_own),
        TEST(typed_bytes_go_to_the_owner_alone),
        TEST(input_beyond_the_ring_is_dropped),
        TEST(escape_n_gives_the_terminal_to_the_next_with_its_begun_line),
        TEST(escape_and_a_digit_chooses),
        TEST(escape_twice_types_it_and_other_keys_explain),
        TEST(detach_shows_what_is_kept_and_passes_the_terminal_on),
        TEST(the_reader_is_called_for_its_own_input_only),
        TEST(consoles_come_and_go_while_others_print_and_somebody_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
