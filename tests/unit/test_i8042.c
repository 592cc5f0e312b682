/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/i8042.h"

#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_test.h"

enum { FULL = 1, SYSTEM = 4, COMMAND = 8, UNLOCKED = 16, AUX = 32, TIMEOUT = 64 };

static struct console console;
static struct wire wire;
static struct vdev *dev;
static unsigned resets;
static uint64_t now;

static void on_reset(void *context)
{
    assert_ptr_equal(context, &resets);
    resets++;
}

static const struct pc_events events = { .context = &resets, .reset = on_reset };

static uint8_t data(void)
{
    return (uint8_t)range_read(dev, I8042_RANGE_DATA, 0, 1);
}

static uint8_t status(void)
{
    return (uint8_t)range_read(dev, I8042_RANGE_COMMAND, 0, 1);
}

static void command(uint8_t byte)
{
    range_write(dev, I8042_RANGE_COMMAND, 0, 1, byte);
}

static void put(uint8_t byte)
{
    range_write(dev, I8042_RANGE_DATA, 0, 1, byte);
}

static void set_ctr(uint8_t value)
{
    command(0x60);
    put(value);
}

static void pass(uint64_t ns)
{
    now += ns_to_ticks(ns);
    clock_to(now);
}

/* Reads all there is, and checks that it is this. */
static void expect(const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(status() & (FULL | AUX), FULL);
        assert_int_equal(data(), bytes[i]);
    }
    assert_false(status() & FULL);
}

#define EXPECT(...) \
    expect((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static int setup(void **unused)
{
    (void)unused;
    clock_start();
    wire = (struct wire){ 0 };
    resets = 0;
    attach_console(&console);
    return i8042_create(&dev, &console, wire_line(&wire), &events) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    console_detach(&console);
    assert_no_timer();
    return 0;
}

static void it_starts_as_firmware_leaves_it(void **unused)
{
    (void)unused;
    assert_int_equal(status(), UNLOCKED | SYSTEM);
    command(0x20);
    EXPECT(0x65);
    assert_false(wire.level);
}

static void typed_characters_are_scan_codes_of_set_1(void **unused)
{
    (void)unused;
    typed("a");
    assert_true(wire.level);
    EXPECT(0x1e, 0x9e);
    assert_false(wire.level);
    pass(I8042_TYPING_NS);
    typed("A");
    EXPECT(0x2a, 0x1e, 0x9e, 0xaa);
    pass(I8042_TYPING_NS);
    typed("\x03"); /* Ctrl-C */
    EXPECT(0x1d, 0x2e, 0xae, 0x9d);
    pass(I8042_TYPING_NS);
    typed("\r");
    EXPECT(0x1c, 0x9c);
    pass(I8042_TYPING_NS);
    typed("\x7f");
    EXPECT(0x0e, 0x8e);
    pass(I8042_TYPING_NS);
    typed("\x1b");
    EXPECT(0x01, 0x81);
}

static void each_byte_is_an_edge(void **unused)
{
    (void)unused;
    typed("a");
    assert_int_equal(wire.changes, 1);
    data();
    assert_int_equal(wire.changes, 3); /* down, and up for the next one */
    assert_true(wire.level);
    data();
    assert_false(wire.level);
}

static void characters_come_no_faster_than_somebody_types(void **unused)
{
    (void)unused;
    typed("ab");
    EXPECT(0x1e, 0x9e);
    pass(I8042_TYPING_NS - 1000);
    assert_false(status() & FULL);
    pass(2000);
    EXPECT(0x30, 0xb0);
    pass(10 * I8042_TYPING_NS);
    assert_false(status() & FULL);
}

static void every_character_of_ascii_has_its_key(void **unused)
{
    (void)unused;
    for (unsigned c = 1; c < 0x80; c++) {
        unsigned codes = 0;

        assert_true(i8042_type(dev, (uint8_t)c));
        for (; status() & FULL; codes++)
            assert_int_not_equal(data() & 0x7f, 0);
        assert_true(codes == 2 || codes == 4 || codes == 6);
    }
    assert_true(i8042_type(dev, 0x80)); /* no key */
    assert_false(status() & FULL);
}

static void what_the_guest_has_not_taken_blocks_the_next(void **unused)
{
    (void)unused;
    assert_true(i8042_type(dev, 'x'));
    assert_false(i8042_type(dev, 'y'));
    EXPECT(0x2d, 0xad);
    assert_true(i8042_type(dev, 'y'));
}

static void untranslated_and_set_1_come_as_the_keyboard_sends_them(void **unused)
{
    (void)unused;
    set_ctr(0x25);
    assert_true(i8042_type(dev, 'A'));
    EXPECT(0x12, 0x1c, 0xf0, 0x1c, 0xf0, 0x12);
    put(0xf0);
    EXPECT(0xfa);
    put(1);
    EXPECT(0xfa);
    put(0xf0);
    put(0);
    EXPECT(0xfa, 0xfa, 1);
    assert_true(i8042_type(dev, 'A'));
    EXPECT(0x2a, 0x1e, 0x9e, 0xaa);
    put(0xf0);
    put(3);
    EXPECT(0xfa, 0xfe);
}

static void the_keyboard_answers_its_commands(void **unused)
{
    (void)unused;
    put(0xff);
    EXPECT(0xfa, 0xaa);
    put(0xee);
    EXPECT(0xee);
    put(0xf2);
    EXPECT(0xfa, 0xab, 0x41); /* translated, as on a PC */
    put(0xed);
    EXPECT(0xfa);
    put(7);
    EXPECT(0xfa);
    put(0xf3);
    put(0x20);
    EXPECT(0xfa, 0xfa);
    put(0xed);
    put(0xf4); /* a command instead of the parameter */
    EXPECT(0xfa, 0xfa);
    put(0xf3);
    put(0x7f);
    EXPECT(0xfa, 0xfa);
    put(0x11);
    EXPECT(0xfe);
    put(0xfe);
    EXPECT(0xfe);
}

static void a_disabled_keyboard_is_silent(void **unused)
{
    (void)unused;
    put(0xf5);
    EXPECT(0xfa);
    assert_false(i8042_type(dev, 'x'));
    typed("z");
    assert_false(status() & FULL);
    put(0xf4);
    assert_int_equal(data(), 0xfa);
    EXPECT(0x2c, 0xac); /* typed meanwhile */

    command(0xad);
    assert_true(i8042_type(dev, 'x'));
    assert_false(status() & FULL);
    command(0xae);
    EXPECT(0x2d, 0xad);
}

static void the_controller_answers_before_the_keyboard(void **unused)
{
    (void)unused;
    assert_true(i8042_type(dev, 'x'));
    command(0xaa);
    assert_int_equal(status(), FULL | UNLOCKED | SYSTEM | COMMAND);
    EXPECT(0x2d, 0x55, 0xad);
    command(0xab);
    EXPECT(0x00);
    command(0x65);
    put(0x99);
    command(0x25);
    EXPECT(0x99);
    command(0xd2);
    put(0x42);
    EXPECT(0x42);
    command(0xd0);
    EXPECT(0x03);
    command(0xd1);
    put(0x01);
    command(0xd0);
    EXPECT(0x01);
}

static void there_is_no_second_port(void **unused)
{
    (void)unused;
    set_ctr(0x47);
    command(0xa8);
    command(0x20);
    EXPECT(0x67); /* its clock cannot be enabled */
    command(0xa9);
    EXPECT(0x01);
    command(0xd3);
    put(0x5a);
    EXPECT(0x5a); /* the keyboard's, says the status */
    command(0xd4);
    put(0xf2);
    assert_int_equal(status() & (FULL | AUX | TIMEOUT), FULL | AUX | TIMEOUT);
    assert_false(wire.level);
    assert_int_equal(data(), 0xfe);
}

static void pulses_and_the_output_port_reset(void **unused)
{
    (void)unused;
    command(0xff);
    command(0xf1);
    assert_int_equal(resets, 0);
    command(0xfe);
    assert_int_equal(resets, 1);
    command(0xf0);
    assert_int_equal(resets, 2);
    command(0xd1);
    put(0x02);
    assert_int_equal(resets, 3);
}

static void without_a_console_it_is_typed_on_by_name(void **unused)
{
    struct vdev *other;

    (void)unused;
    assert_int_equal(i8042_create(&other, NULL, (struct irq_line){ 0 }, &events), OK);
    assert_true(i8042_type(other, 'k'));
    assert_int_equal(range_read(other, I8042_RANGE_DATA, 0, 1), 0x25);
    other->ops->destroy(other);
    typed("a"); /* the reader is the first one still */
    EXPECT(0x1e, 0x9e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_starts_as_firmware_leaves_it),
        TEST(typed_characters_are_scan_codes_of_set_1),
        TEST(each_byte_is_an_edge),
        TEST(characters_come_no_faster_than_somebody_types),
        TEST(every_character_of_ascii_has_its_key),
        TEST(what_the_guest_has_not_taken_blocks_the_next),
        TEST(untranslated_and_set_1_come_as_the_keyboard_sends_them),
        TEST(the_keyboard_answers_its_commands),
        TEST(a_disabled_keyboard_is_silent),
        TEST(the_controller_answers_before_the_keyboard),
        TEST(there_is_no_second_port),
        TEST(pulses_and_the_output_port_reset),
        TEST(without_a_console_it_is_typed_on_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
