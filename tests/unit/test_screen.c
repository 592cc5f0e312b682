/* SPDX-License-Identifier: BSD-2-Clause */
/* A terminal on a screen: the grid, its language, and what a frame buffer then holds. */

#include "drivers/screen/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/screen/font.h"
#include "kernel/hypspace.h"
#include "tests/unit/random.h"

/* --- a text screen of 10 by 4 --- */

enum { COLUMNS = 10, ROWS = 4 };

static char shown[ROWS][COLUMNS + 1];
static unsigned puts_seen, cursor_column, cursor_row;

static status_t attach(const struct host_screen *host, unsigned *columns, unsigned *rows)
{
    *columns = host->width;
    *rows = host->height;
    for (unsigned row = 0; row < ROWS; row++)
        memset(shown[row], ' ', COLUMNS);
    return OK;
}

static void put(unsigned column, unsigned row, char c)
{
    assert_true(column < COLUMNS && row < ROWS);
    assert_in_range(c, ' ', '~');
    shown[row][column] = c;
    puts_seen++;
}

static void show_cursor(unsigned column, unsigned row)
{
    assert_true(column < COLUMNS && row < ROWS);
    cursor_column = column;
    cursor_row = row;
}

const struct screen_ops text_screen_ops = {
    .attach = attach,
    .put = put,
    .show_cursor = show_cursor,
};

static int set_up(void **state)
{
    const struct host_screen host = { .kind = HOST_SCREEN_TEXT, .width = COLUMNS, .height = ROWS };

    (void)state;
    return screen_attach(&host) == OK ? 0 : -1;
}

static void say(const char *text)
{
    screen_write(text, (unsigned)strlen(text));
}

static void assert_rows(const char *first, const char *second, const char *third,
                        const char *fourth)
{
    const char *const rows[ROWS] = { first, second, third, fourth };

    for (unsigned row = 0; row < ROWS; row++) {
        char padded[COLUMNS + 1] = "          ";

        memcpy(padded, rows[row], strlen(rows[row]));
        assert_string_equal(shown[row], padded);
    }
}

static void assert_cursor(unsigned column, unsigned row)
{
    assert_int_equal(cursor_column, column);
    assert_int_equal(cursor_row, row);
}

static void lines_follow_each_other_and_scroll(void **state)
{
    (void)state;
    say("one\r\ntwo\r\nthree\r\nfour");
    assert_rows("one", "two", "three", "four");
    assert_cursor(4, 3);
    say("\r\nfive");
    assert_rows("two", "three", "four", "five");
    say("\nsix");
    assert_rows("three", "four", "five", "    six");
}

static void a_full_line_wraps_with_the_next_character(void **state)
{
    (void)state;
    say("0123456789");
    assert_cursor(9, 0);
    say("\r\nab");
    assert_rows("0123456789", "ab", "", "");
    say("cdefghijkl");
    assert_rows("0123456789", "abcdefghij", "kl", "");
}

static void only_cells_that_change_are_put(void **state)
{
    (void)state;
    say("aaa\r\naaa\r\naaa\r\naaa");
    puts_seen = 0;
    say("\r\n");
    assert_int_equal(puts_seen, 3 + 1); /* the last row, and what the cursor stood on */
}

static void control_characters_move_the_cursor(void **state)
{
    (void)state;
    say("abc\b\bX\tY\tZ");
    assert_rows("aXc     YZ", "", "", "");
    say("\r\a\x7fW");
    assert_rows("WXc     YZ", "", "", "");
}

static void sequences_move_and_erase(void **state)
{
    (void)state;
    say("0123456789\r\nabcdefgh\r\nABCDEFGH");
    say("\033[2;3HX");
    assert_rows("0123456789", "abXdefgh", "ABCDEFGH", "");
    say("\033[K");
    assert_rows("0123456789", "abX", "ABCDEFGH", "");
    say("\033[A\033[2D\033[1K");
    assert_rows("  23456789", "abX", "ABCDEFGH", "");
    say("\033[2B\033[3C\033[JY");
    assert_rows("  23456789", "abX", "ABCDY", "");
}

static void the_whole_is_erased_and_places_are_clamped(void **state)
{
    (void)state;
    say("0123456789\r\nabc\033[2J");
    assert_rows("", "", "", "");
    say("\033[99;99HX\033[99A\033[99DY\033[4294967297GZ\033[HW");
    assert_rows("W        Z", "", "", "         X");
}

static void unknown_sequences_and_letters_leave_no_trace(void **state)
{
    (void)state;
    say("\033[1;31mred\033[0m\033[6n\033[?25l\033(");
    assert_rows("red", "", "", "");
    say("\r\xc3\xa4\xe2\x82\xac!");
    assert_rows("?"
                "?!",
                "", "", "");
}

static void no_bytes_leave_the_grid(void **state)
{
    static const char likely[] = "\033[;0129ABCDGHJKfm\r\n\b\t ax\xff\x80";
    uint64_t seed = 11;
    char text[64];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        const unsigned length = 1 + (unsigned)random_below(&seed, sizeof(text));

        for (unsigned i = 0; i < length; i++)
            text[i] = random_below(&seed, 8) == 0 ? (char)random_next(&seed)
                                                  : likely[random_below(&seed, sizeof(likely) - 1)];
        screen_write(text, length);
    }
}

static void a_machine_without_a_screen_says_so(void **state)
{
    const struct host_screen none = { .kind = HOST_SCREEN_NONE };

    (void)state;
    assert_int_equal(screen_attach(&none), ERR_NOT_FOUND);
}

/* --- a frame buffer: 'A' is drawn as its left column, a space as nothing --- */

const uint8_t font[FONT_COUNT][FONT_HEIGHT] = { ['A' - FONT_FIRST] = { [0 ... 15] = 0x80 } };

#define WIDTH 32u
#define HEIGHT 40u /* the last half row is no text's */
#define GAP 8u     /* between rows, in bytes */

static uint8_t *frame;
static size_t frame_bytes;

void *hyp_map_frame_buffer(paddr_t base, size_t bytes)
{
    assert_int_equal(base.raw, 0xc0000000);
    if (bytes != frame_bytes)
        return NULL;
    return frame;
}

static void attach_pixels(unsigned bytes, uint32_t white)
{
    const struct host_screen host = {
        .kind = HOST_SCREEN_PIXELS,
        .base = paddr(0xc0000000),
        .pitch = WIDTH * bytes + GAP,
        .width = WIDTH,
        .height = HEIGHT,
        .bytes_per_pixel = bytes,
        .white = white,
    };

    frame_bytes = (size_t)host.pitch * HEIGHT;
    frame = malloc(frame_bytes);
    assert_non_null(frame);
    memset(frame, 0x55, frame_bytes);
    assert_int_equal(screen_attach(&host), OK);
}

static uint32_t pixel(unsigned bytes, unsigned x, unsigned y)
{
    uint32_t value = 0;

    memcpy(&value, frame + y * (WIDTH * bytes + GAP) + x * bytes, bytes);
    return value;
}

static void characters_are_drawn_in_each_depth(void **state)
{
    static const struct {
        unsigned bytes;
        uint32_t white;
    } depths[] = { { 2, 0xffff }, { 3, 0xffffff }, { 4, 0x00ffffff } };

    (void)state;
    for (unsigned i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        const unsigned bytes = depths[i].bytes;

        attach_pixels(bytes, depths[i].white);
        say("\r\n A");
        for (unsigned y = 0; y < HEIGHT; y++)
            for (unsigned x = 0; x < WIDTH; x++) {
                const bool letter = x == 8 && y >= 16 && y < 32;
                const bool cursor = x >= 16 && x < 24 && y >= 30 && y < 32;

                assert_int_equal(pixel(bytes, x, y), letter || cursor ? depths[i].white : 0);
            }
        free(frame);
    }
}

static void a_frame_buffer_that_cannot_be_mapped_is_none(void **state)
{
    const struct host_screen host = { .kind = HOST_SCREEN_PIXELS,
                                      .base = paddr(0xc0000000),
                                      .pitch = 64,
                                      .width = 16,
                                      .height = 16,
                                      .bytes_per_pixel = 4 };

    (void)state;
    frame_bytes = 0;
    assert_int_equal(screen_attach(&host), ERR_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_follow_each_other_and_scroll, set_up),
        cmocka_unit_test_setup(a_full_line_wraps_with_the_next_character, set_up),
        cmocka_unit_test_setup(only_cells_that_change_are_put, set_up),
        cmocka_unit_test_setup(control_characters_move_the_cursor, set_up),
        cmocka_unit_test_setup(sequences_move_and_erase, set_up),
        cmocka_unit_test_setup(the_whole_is_erased_and_places_are_clamped, set_up),
        cmocka_unit_test_setup(unknown_sequences_and_letters_leave_no_trace, set_up),
        cmocka_unit_test_setup(no_bytes_leave_the_grid, set_up),
        cmocka_unit_test(a_machine_without_a_screen_says_so),
        cmocka_unit_test(characters_are_drawn_in_each_depth),
        cmocka_unit_test(a_frame_buffer_that_cannot_be_mapped_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
