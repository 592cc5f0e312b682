/* SPDX-License-Identifier: BSD-2-Clause */
/* The formatter against the C library's, and the log's lines. */

#include "kernel/lib/format.h"
#include "kernel/log.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char sunk[1024];
static unsigned sunk_length;
static unsigned sink_calls;

static void sink(const char *text, unsigned length)
{
    sink_calls++;
    assert_true(length < sizeof(sunk));
    memcpy(sunk, text, length);
    sunk[length] = '\0';
    sunk_length = length;
}

static int fresh_log(void **state)
{
    (void)state;
    sink_calls = 0;
    sunk[0] = '\0';
    log_set_sink(sink);
    log_set_level(LOG_INFO);
    return 0;
}

/* Both formatters on the same arguments, into a buffer of every kind of size. */
#define SAME(size, ...)                                                     \
    do {                                                                    \
        char ours[128], theirs[128];                                        \
        memset(ours, 'o', sizeof(ours));                                    \
        memset(theirs, 'o', sizeof(theirs));                                \
        int wanted = snprintf(theirs, (size), __VA_ARGS__);                 \
        assert_int_equal(format_string(ours, (size), __VA_ARGS__), wanted); \
        assert_memory_equal(ours, theirs, sizeof(ours));                    \
    } while (0)

static uint64_t random_value(void)
{
    uint64_t value = ((uint64_t)(unsigned)random() << 33) ^ ((uint64_t)(unsigned)random() << 11) ^
                     (uint64_t)(unsigned)random();

    return random() % 8 == 0 ? 0 : value >> (random() % 64);
}

static void numbers_come_out_as_the_c_library_prints_them(void **state)
{
    (void)state;
    srandom(1);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t wide = random_value();
        int narrow = (int)random_value();
        int width = (int)(random() % 41) - 20, precision = (int)(random() % 30) - 5;
        size_t size = (size_t)(random() % 100);

        SAME(size, "%d|%i|%u|%x|%X", narrow, -narrow, (unsigned)narrow, (unsigned)narrow,
             (unsigned)narrow);
        SAME(size, "%ld %lu %lx %#lx %#lX", (long)wide, (long)wide, (long)wide, (long)wide,
             (long)wide);
        SAME(size, "%lld %llx %zu %zx %jd %ju", (long long)wide, (long long)wide, (size_t)wide,
             (size_t)wide, (intmax_t)wide, (uintmax_t)wide);
        SAME(size, "[%*d] [%*x]", width, narrow, width, (unsigned)narrow);
        SAME(size, "[%.*d] [%-*.*lx]", precision, narrow, width, precision, (long)wide);
        SAME(size, "[%0*d] [%#0*lx]", width, narrow, width, (long)wide);
        SAME(size, "[%*.*ld]", width, precision, (long)wide);
    }
}

static void extreme_numbers_come_out_whole(void **state)
{
    (void)state;
    SAME(100, "%d %d %u", INT32_MIN, INT32_MAX, UINT32_MAX);
    SAME(100, "%" PRId64 " %" PRId64 " %" PRIu64, INT64_MIN, INT64_MAX, UINT64_MAX);
    SAME(100, "[%.0d] [%5.0x] [%#x] [%#.0x]", 0, 0, 0, 0);
}

static void text_is_padded_and_cut(void **state)
{
    static const char *const texts[] = { "", "a", "hypervisor", "a much longer text than that" };

    (void)state;
    srandom(2);
    for (unsigned i = 0; i < 5000; i++) {
        const char *text = texts[random() % 4];
        int width = (int)(random() % 41) - 20, precision = (int)(random() % 30) - 5;
        size_t size = (size_t)(random() % 100);

        SAME(size, "%s|%10s|%-10s|", text, text, text);
        SAME(size, "[%*.*s] %c [%*c] 100%%", width, precision, text, 'x', width, 'y');
        SAME(size, "%p", (const void *)(texts + i));
    }
}

static void a_text_with_precision_needs_no_end(void **state)
{
    char ours[16];
    const char bytes[3] = { 'a', 'b', 'c' };

    (void)state;
    assert_int_equal(format_string(ours, sizeof(ours), "%.3s", bytes), 3);
    assert_string_equal(ours, "abc");
}

static void null_pointers_are_printed(void **state)
{
    char ours[32];
    const char *volatile none = NULL;

    (void)state;
    format_string(ours, sizeof(ours), "%s %p", none, (const void *)none);
    assert_string_equal(ours, "(null) 0x0");
}

static unsigned format_unchecked(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    unsigned length = format_text(buf, size, format, args);
    va_end(args);
    return length;
}

static void unknown_conversions_appear_as_written(void **state)
{
    char ours[32];

    (void)state;
    format_unchecked(ours, sizeof(ours), "%q %5k end%", 0);
    assert_string_equal(ours, "%q %5k end%");
}

static void a_line_has_prefix_and_newline(void **state)
{
    (void)state;
    log_info("%s: %u MiB free", "debian", 480u);
    assert_string_equal(sunk, "socle: debian: 480 MiB free\n");
    assert_int_equal(sink_calls, 1);
}

static void lines_above_the_level_are_dropped(void **state)
{
    (void)state;
    log_debug("not seen");
    assert_int_equal(sink_calls, 0);
    log_set_level(LOG_DEBUG);
    log_debug("seen");
    assert_string_equal(sunk, "socle: seen\n");
    log_set_level(LOG_ERROR);
    log_warn("not seen");
    assert_int_equal(sink_calls, 1);
    log_error("seen");
    assert_int_equal(sink_calls, 2);
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    char text[600];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    assert_int_equal(sunk_length, LOG_LINE_MAX);
    assert_string_equal(sunk + LOG_LINE_MAX - 5, "a...\n");

    text[LOG_LINE_MAX - strlen("socle: ") - 1] = '\0'; /* fits exactly */
    log_info("%s", text);
    assert_int_equal(sunk_length, LOG_LINE_MAX);
    assert_string_equal(sunk + LOG_LINE_MAX - 5, "aaaa\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    log_info("vm \x1b[2J\r\nsocle: fake\x7f \xc3\xa9");
    assert_string_equal(sunk, "socle: vm ?[2J??socle: fake? \xc3\xa9\n");
}

static void without_a_sink_lines_are_dropped(void **state)
{
    (void)state;
    log_set_sink(NULL);
    log_info("nobody hears this");
    log_last_words("nor this");
    assert_int_equal(sink_calls, 0);
}

static void speak_again(const char *text, unsigned length)
{
    static bool inside;

    sink(text, length);
    if (!inside) {
        inside = true;
        log_last_words("last %s", "words"); /* the lock is held by this very call */
        inside = false;
    }
}

static void last_words_come_out_with_the_lock_held_and_at_any_level(void **state)
{
    (void)state;
    log_set_sink(speak_again);
    log_set_level(LOG_ERROR);
    log_error("first");
    assert_int_equal(sink_calls, 2);
    assert_string_equal(sunk, "socle: last words\n");
    log_error("the lock is free again");
    assert_int_equal(sink_calls, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_out_as_the_c_library_prints_them),
        cmocka_unit_test(extreme_numbers_come_out_whole),
        cmocka_unit_test(text_is_padded_and_cut),
        cmocka_unit_test(a_text_with_precision_needs_no_end),
        cmocka_unit_test(null_pointers_are_printed),
        cmocka_unit_test(unknown_conversions_appear_as_written),
        cmocka_unit_test_setup(a_line_has_prefix_and_newline, fresh_log),
        cmocka_unit_test_setup(lines_above_the_level_are_dropped, fresh_log),
        cmocka_unit_test_setup(a_long_line_is_cut_and_says_so, fresh_log),
        cmocka_unit_test_setup(control_characters_do_not_reach_the_terminal, fresh_log),
        cmocka_unit_test_setup(without_a_sink_lines_are_dropped, fresh_log),
        cmocka_unit_test_setup(last_words_come_out_with_the_lock_held_and_at_any_level, fresh_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
