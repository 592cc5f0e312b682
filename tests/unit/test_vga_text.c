/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/vga_text.h"

#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_test.h"
#include "vm/devices/vga_screen.h"

#include <stdio.h>

enum { CRTC = 0x14, STATUS = 0x1a };

static struct console console;
static struct vdev *dev;
static uint64_t now;

static void pass(uint64_t ns)
{
    now += ns_to_ticks(ns);
    clock_to(now);
}

static void rest(void)
{
    pass(VGA_TEXT_QUIET_NS + 100);
    pass(VGA_TEXT_QUIET_NS + 100);
}

static uint8_t in(unsigned port)
{
    return (uint8_t)range_read(dev, VGA_TEXT_RANGE_PORTS, port, 1);
}

static void out(unsigned port, unsigned value)
{
    range_write(dev, VGA_TEXT_RANGE_PORTS, port, 1, value);
}

static void crtc(unsigned index, unsigned value)
{
    out(CRTC, index);
    out(CRTC + 1, value);
}

static void place(unsigned high, unsigned at)
{
    crtc(high, at >> 8);
    crtc(high + 1, at & 0xff);
}

static void cursor(unsigned row, unsigned column)
{
    place(0x0e, row * 80 + column);
}

/* Characters from here on, grey on black. */
static void write_at(unsigned at, const char *text)
{
    for (; *text != '\0'; at++, text++)
        range_write(dev, VGA_TEXT_RANGE_MEMORY, 2 * at, 2, 0x0700u | (uint8_t)*text);
}

/* As guests without hardware scrolling do it: the rows move up, the last one is blanked. */
static void scroll_by_copying(void)
{
    for (unsigned at = 0; at < 24 * 160; at += 4)
        dev_write(dev, at, 4, dev_read(dev, at + 160, 4));
    for (unsigned at = 24 * 160; at < 25 * 160; at += 2)
        dev_write(dev, at, 2, 0x0720);
}

#define EXPECT(text)                              \
    do {                                          \
        rest();                                   \
        assert_string_equal(terminal_text, text); \
        terminal_clear();                         \
    } while (0)

static int setup(void **unused)
{
    (void)unused;
    clock_start();
    attach_console(&console);
    return vga_text_create(&dev, &console) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    console_detach(&console);
    assert_no_timer();
    return 0;
}

static void the_page_is_memory_of_every_width(void **unused)
{
    (void)unused;
    assert_int_equal(dev_read(dev, 0, 8), 0x0720072007200720);
    dev_write(dev, 160, 8, 0x8877665544332211);
    assert_int_equal(dev_read(dev, 160, 1), 0x11);
    assert_int_equal(dev_read(dev, 161, 1), 0x22);
    assert_int_equal(dev_read(dev, 164, 4), 0x88776655);
    dev_write(dev, 165, 1, 0xee);
    assert_int_equal(dev_read(dev, 164, 2), 0xee55);
    dev_write(dev, VGA_TEXT_MEMORY_BYTES - 1, 1, 0x99);
    assert_int_equal(dev_read(dev, VGA_TEXT_MEMORY_BYTES - 1, 1), 0x99);
}

static void what_is_written_is_shown_as_lines_when_it_rests(void **unused)
{
    (void)unused;
    write_at(0, "Hello from the boot sector");
    write_at(2 * 80 + 4, "and more");
    assert_string_equal(terminal_text, "");
    EXPECT("Hello from the boot sector\r\n    and more\r\n");
    EXPECT("");
    assert_no_timer(); /* nothing to wait for */
}

static void only_changes_are_shown(void **unused)
{
    (void)unused;
    write_at(0, "one");
    write_at(80, "two");
    EXPECT("one\r\ntwo\r\n");
    write_at(80, "TWO");
    write_at(0, "one");
    EXPECT("TWO\r\n");
    dev_write(dev, 1, 1, 0x1e); /* a colour */
    EXPECT("");
    write_at(0, "   ");
    EXPECT("");
    write_at(0, "one");
    EXPECT("one\r\n");
}

static void a_guest_that_does_not_rest_is_shown_all_the_same(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i <= VGA_TEXT_PATIENCE; i++) {
        write_at(80 + i, "x");
        pass(VGA_TEXT_QUIET_NS);
    }
    assert_int_not_equal(terminal_length, 0);
}

static void a_line_with_the_cursor_goes_on(void **unused)
{
    (void)unused;
    write_at(80, "login:");
    cursor(1, 7);
    EXPECT("login: ");
    write_at(80 + 7, "ro");
    cursor(1, 9);
    EXPECT("ro");
    write_at(80 + 9, "ot");
    cursor(1, 11);
    EXPECT("ot");
    cursor(2, 0);
    EXPECT("\r\n");
    write_at(160, "Password:");
    cursor(2, 10);
    EXPECT("Password: ");
    write_at(240, "Wrong");
    cursor(4, 0);
    EXPECT("\r\nWrong\r\n");
}

static void a_begun_line_that_changes_is_shown_anew(void **unused)
{
    (void)unused;
    write_at(0, "$ cat");
    cursor(0, 5);
    EXPECT("$ cat");
    write_at(0, "$ car");
    EXPECT("\r\n$ car");
    write_at(4, " ");
    cursor(0, 4);
    EXPECT("\r\n$ ca");
}

static void scrolling_by_the_start_shows_the_new_lines_alone(void **unused)
{
    (void)unused;
    for (unsigned row = 0; row < 25; row++)
        write_at(row * 80, "old line");
    rest();
    terminal_clear();
    for (unsigned i = 1; i <= 100; i++) {
        char text[16];

        snprintf(text, sizeof(text), "line %u", i);
        write_at((24 + i) * 80, text);
        place(0x0c, i * 80);
    }
    rest();
    assert_non_null(strstr(terminal_text, "line 1\r\nline 2\r\nline 3\r\n"));
    assert_non_null(strstr(terminal_text, "line 99\r\nline 100\r\n"));
    assert_null(strstr(terminal_text, "old"));
}

static void put_text(const char *text)
{
    for (; *text != '\0'; text++)
        console_put(&console, (uint8_t)*text);
}

static void another_devices_line_is_not_cut(void **unused)
{
    (void)unused;
    put_text("half a ");
    write_at(0, "screen");
    rest();
    put_text("line\r\n");
    EXPECT("half a line\r\nscreen\r\n");
    put_text("login: "); /* and there it stays */
    write_at(80, "more");
    for (unsigned i = 0; i < VGA_TEXT_PATIENCE; i++)
        rest();
    assert_non_null(strstr(terminal_text, "more"));
}

/* As Linux does before it takes the screen: two patterns, then what was there. */
static void trying_the_memory_shows_nothing(void **unused)
{
    (void)unused;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned at = 0; at < 4; at += 2)
            dev_write(dev, at, 2, 0xaa55);
        for (unsigned at = 0; at < 4; at += 2)
            dev_write(dev, at, 2, 0x55aa);
    }
    for (unsigned at = 0; at < 4; at += 2)
        dev_write(dev, at, 2, 0x0720);
    EXPECT("");
}

static void scrolling_by_copying_shows_every_line_once(void **unused)
{
    char expected[4096] = "";

    (void)unused;
    for (unsigned i = 0; i < 60; i++) {
        char text[16];
        const unsigned row = i < 24 ? i : 24;

        snprintf(text, sizeof(text), "line %u", i);
        if (i > 24)
            scroll_by_copying();
        write_at(row * 80, text);
        strcat(strcat(expected, text), "\r\n");
    }
    rest();
    assert_string_equal(terminal_text, expected);
}

static void characters_that_no_terminal_should_get_are_marked(void **unused)
{
    (void)unused;
    write_at(0, "a\x1b[2J\xb3\x7f"
                "b");
    EXPECT("a?[2J??b\r\n");
}

static void the_page_that_is_shown_is_the_one_that_starts(void **unused)
{
    (void)unused;
    write_at(4096, "second page");
    EXPECT("");
    place(0x0c, 4096);
    EXPECT("second page\r\n");
    assert_int_equal(in(CRTC + 1), 0);
    out(CRTC, 0x0c);
    assert_int_equal(in(CRTC + 1), 0x10);
    place(0x0c, 16384 - 40); /* it wraps round */
    write_at(16384 - 2, "ab");
    EXPECT("                                      ab"); /* up to the cursor */
}

static void registers_are_remembered(void **unused)
{
    (void)unused;
    assert_int_equal(in(0x0c), 0x67);
    out(0x02, 0x63);
    assert_int_equal(in(0x0c), 0x63);
    out(0x04, 2);
    assert_int_equal(in(0x05), 3);
    out(0x05, 4);
    assert_int_equal(in(0x05), 4);
    out(0x0e, 6);
    assert_int_equal(in(0x0f), 0x0e);
    in(STATUS); /* the next write is an index */
    out(0x00, 0x33);
    out(0x00, 0x0f);
    out(0x00, 0x33);
    assert_int_equal(in(0x01), 0x0f);
    assert_int_not_equal(in(STATUS), in(STATUS)); /* the beam moves */
    for (unsigned port = 0; port < 0x20; port += 2)
        out(port, 0xff); /* indices past every end */
    for (unsigned port = 0; port < 0x28; port++) {
        out(port, 0xff);
        in(port);
    }
}

static void what_is_not_shown_yet_is_when_it_ends(void **unused)
{
    (void)unused;
    write_at(0, "last words");
    dev->ops->reset(dev);
    assert_string_equal(terminal_text, "last words\r\n");
    assert_int_equal(dev_read(dev, 0, 2), 0x0720);
    terminal_clear();
    EXPECT("");
    write_at(0, "last words");
    dev->ops->destroy(dev);
    assert_string_equal(terminal_text, "last words\r\n");
    assert_int_equal(vga_text_create(&dev, &console), OK);
}

static void accesses_past_the_end_are_nothing(void **unused)
{
    (void)unused;
    dev_write(dev, VGA_TEXT_MEMORY_BYTES - 1, 2, 0x4141);
    assert_int_equal(dev_read(dev, VGA_TEXT_MEMORY_BYTES - 4, 8), 0);
    assert_int_equal(dev_read(dev, UINT64_MAX, 1), 0);
    dev_write(dev, UINT64_MAX, 8, 0);
    range_write(dev, VGA_TEXT_RANGE_PORTS, UINT64_MAX, 8, 0xff);
    assert_int_equal(range_read(dev, VGA_TEXT_RANGE_PORTS, UINT64_MAX, 8), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_page_is_memory_of_every_width),
        TEST(what_is_written_is_shown_as_lines_when_it_rests),
        TEST(only_changes_are_shown),
        TEST(a_guest_that_does_not_rest_is_shown_all_the_same),
        TEST(a_line_with_the_cursor_goes_on),
        TEST(a_begun_line_that_changes_is_shown_anew),
        TEST(another_devices_line_is_not_cut),
        TEST(scrolling_by_the_start_shows_the_new_lines_alone),
        TEST(trying_the_memory_shows_nothing),
        TEST(scrolling_by_copying_shows_every_line_once),
        TEST(characters_that_no_terminal_should_get_are_marked),
        TEST(the_page_that_is_shown_is_the_one_that_starts),
        TEST(registers_are_remembered),
        TEST(what_is_not_shown_yet_is_when_it_ends),
        TEST(accesses_past_the_end_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
