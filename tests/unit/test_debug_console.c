/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/debug_console.h"

#include "tests/unit/vdev_test.h"

enum { THR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct console console;
static struct vdev *dev;

static int setup(void **unused)
{
    (void)unused;
    attach_console(&console);
    return debug_console_create(&dev, &console) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    console_detach(&console);
    return 0;
}

static void stored_bytes_print_at_once_at_every_width(void **unused)
{
    (void)unused;
    dev_write(dev, THR, 1, 'H');
    dev_write(dev, THR, 4, 0x12345600 | 'i');
    dev_write(dev, THR, 8, '!');
    assert_string_equal(terminal_text, "Hi!");
}

static void the_transmitter_is_always_ready(void **unused)
{
    (void)unused;
    assert_int_equal(dev_read(dev, LSR, 1), 0x60);
    assert_int_equal(dev_read(dev, IIR, 1), 1);
}

static void typed_bytes_can_be_polled(void **unused)
{
    (void)unused;
    typed("ab");
    assert_int_equal(dev_read(dev, LSR, 1), 0x61);
    assert_int_equal(dev_read(dev, THR, 1), 'a');
    assert_int_equal(dev_read(dev, THR, 1), 'b');
    assert_int_equal(dev_read(dev, LSR, 1), 0x60);
    assert_int_equal(dev_read(dev, THR, 1), 0);
}

static void the_divisor_latch_hides_data(void **unused)
{
    (void)unused;
    dev_write(dev, LCR, 1, 0x83);
    dev_write(dev, THR, 1, 'x');
    dev_write(dev, IER, 1, 0x12);
    assert_int_equal(dev_read(dev, THR, 1), 'x');
    assert_int_equal(dev_read(dev, IER, 1), 0x12);
    dev_write(dev, LCR, 1, 0x03);
    assert_int_equal(dev_read(dev, IER, 1), 0);
    assert_string_equal(terminal_text, "");
}

static void registers_keep_the_bits_that_they_have(void **unused)
{
    (void)unused;
    for (unsigned i = IER; i <= SCR; i++)
        dev_write(dev, i, 1, 0xff & ~(i == LCR ? 0x80u : 0u));
    assert_int_equal(dev_read(dev, IER, 1), 0x0f);
    assert_int_equal(dev_read(dev, LCR, 1), 0x7f);
    assert_int_equal(dev_read(dev, MCR, 1), 0x1f);
    assert_int_equal(dev_read(dev, SCR, 1), 0xff);
    dev->ops->reset(dev);
    assert_int_equal(dev_read(dev, SCR, 1) | dev_read(dev, LCR, 1), 0);
}

static void offsets_past_the_end_are_nothing(void **unused)
{
    (void)unused;
    dev_write(dev, 8, 1, 0xff);
    dev_write(dev, UINT64_MAX, 8, 0xff);
    assert_int_equal(dev_read(dev, 8, 4), 0);
    assert_int_equal(dev_read(dev, UINT64_MAX, 8), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stored_bytes_print_at_once_at_every_width),
        TEST(the_transmitter_is_always_ready),
        TEST(typed_bytes_can_be_polled),
        TEST(the_divisor_latch_hides_data),
        TEST(registers_keep_the_bits_that_they_have),
        TEST(offsets_past_the_end_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
