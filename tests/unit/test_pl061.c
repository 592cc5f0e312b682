/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/pl061.h"

#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_test.h"

enum {
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418,
    IC = 0x41c,
    AFSEL = 0x420,
};
#define DATA(pins) ((uint64_t)(pins) << 2)
#define KEY (1u << PL061_PIN_POWER)

static struct wire wire;
static struct vdev *dev;

static int setup(void **unused)
{
    (void)unused;
    clock_start();
    fake_counter_set(0);
    wire = (struct wire){ 0 };
    return pl061_create(&dev, wire_line(&wire)) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    assert_no_timer();
    return 0;
}

static void inputs_are_read_through_the_address_mask(void **unused)
{
    (void)unused;
    pl061_set_input(dev, 0, true);
    pl061_set_input(dev, 7, true);
    assert_int_equal(rd(dev, DATA(0xff)), 0x81);
    assert_int_equal(rd(dev, DATA(0x0f)), 0x01);
    assert_int_equal(rd(dev, DATA(0)), 0);
    pl061_set_input(dev, 0, false);
    assert_int_equal(rd(dev, DATA(0xff)), 0x80);
}

static void outputs_are_written_through_the_mask_and_inputs_are_not(void **unused)
{
    (void)unused;
    wr(dev, DIR, 0x0f);
    wr(dev, DATA(0x3c), 0xff);
    assert_int_equal(rd(dev, DATA(0xff)), 0x0c);
    wr(dev, DATA(0x04), 0);
    assert_int_equal(rd(dev, DATA(0xff)), 0x08);
}

static void both_edges_of_the_power_key_interrupt(void **unused)
{
    (void)unused;
    wr(dev, IBE, KEY);
    wr(dev, IE, KEY);
    pl061_set_input(dev, PL061_PIN_POWER, true);
    assert_true(wire.level);
    assert_int_equal(rd(dev, MIS), KEY);
    wr(dev, IC, KEY);
    assert_false(wire.level);
    pl061_set_input(dev, PL061_PIN_POWER, true); /* no edge */
    assert_false(wire.level);
    pl061_set_input(dev, PL061_PIN_POWER, false);
    assert_true(wire.level);
}

static void one_edge_is_chosen_by_iev(void **unused)
{
    (void)unused;
    wr(dev, IE, 0xff);
    pl061_set_input(dev, 1, true);
    assert_false(wire.level);
    pl061_set_input(dev, 1, false);
    assert_true(wire.level);
    wr(dev, IC, 0xff);
    wr(dev, IEV, 2);
    pl061_set_input(dev, 1, true);
    assert_true(wire.level);
}

static void a_level_interrupt_follows_the_pin_and_cannot_be_cleared(void **unused)
{
    (void)unused;
    wr(dev, IS, KEY);
    wr(dev, IEV, KEY);
    wr(dev, IE, KEY);
    assert_false(wire.level);
    pl061_set_input(dev, PL061_PIN_POWER, true);
    assert_true(wire.level);
    wr(dev, IC, KEY);
    assert_true(wire.level);
    pl061_set_input(dev, PL061_PIN_POWER, false);
    assert_false(wire.level);
    wr(dev, IEV, 0);
    assert_true(wire.level);
}

static void masked_edges_are_remembered(void **unused)
{
    (void)unused;
    wr(dev, IBE, KEY);
    pl061_set_input(dev, PL061_PIN_POWER, true);
    assert_int_equal(rd(dev, RIS), KEY);
    assert_false(wire.level);
    wr(dev, IE, KEY);
    assert_true(wire.level);
}

static void an_output_does_not_interrupt(void **unused)
{
    (void)unused;
    wr(dev, DIR, KEY);
    wr(dev, IBE, KEY);
    wr(dev, IE, KEY);
    pl061_set_input(dev, PL061_PIN_POWER, true);
    wr(dev, IS, KEY);
    assert_int_equal(wire.changes, 0);
}

static void reset_releases_the_key_and_the_line(void **unused)
{
    (void)unused;
    wr(dev, IBE, KEY);
    wr(dev, IE, KEY);
    pl061_set_input(dev, PL061_PIN_POWER, true);
    dev->ops->reset(dev);
    assert_false(wire.level);
    assert_int_equal(rd(dev, DATA(0xff)) | rd(dev, RIS) | rd(dev, IBE), 0);
}

static void a_pressed_key_is_released_after_its_time(void **unused)
{
    uint64_t press = ns_to_ticks(PL061_PRESS_NS);

    (void)unused;
    wr(dev, IBE, KEY);
    wr(dev, IE, KEY);
    pl061_press(dev, PL061_PIN_POWER);
    assert_int_equal(rd(dev, DATA(KEY)), KEY);
    assert_int_equal(fake_timer_deadline(), press);
    wr(dev, IC, KEY);
    fake_counter_set(press - 1);
    timer_interrupt();
    assert_int_equal(rd(dev, DATA(KEY)), KEY);
    pl061_press(dev, PL061_PIN_POWER); /* again: held for longer */
    fake_counter_set(press);
    timer_interrupt();
    assert_int_equal(rd(dev, DATA(KEY)), KEY);
    fake_counter_set(2 * press);
    timer_interrupt();
    assert_int_equal(rd(dev, DATA(KEY)), 0);
    assert_true(wire.level); /* the other edge */
    pl061_press(dev, PL061_PIN_POWER);
    dev->ops->reset(dev);
    assert_no_timer();
    pl061_press(dev, PL061_PIN_POWER); /* left to destroy */
}

static void a_pin_that_is_not_there_is_our_own_bug(void **unused)
{
    (void)unused;
    expect_assert_failure(pl061_set_input(dev, PL061_PINS, true));
}

static void the_part_identifies_itself_and_other_offsets_are_nothing(void **unused)
{
    static const uint8_t id[8] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

    (void)unused;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(rd(dev, 0xfe0 + 4 * i), id[i]);
    wr(dev, AFSEL, 0x1ff);
    assert_int_equal(rd(dev, AFSEL), 0xff);
    wr(dev, 0x424, 0xff);
    assert_int_equal(rd(dev, 0x424), 0);
    assert_int_equal(dev_read(dev, UINT64_MAX - 3, 4), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(inputs_are_read_through_the_address_mask),
        TEST(outputs_are_written_through_the_mask_and_inputs_are_not),
        TEST(both_edges_of_the_power_key_interrupt),
        TEST(one_edge_is_chosen_by_iev),
        TEST(a_level_interrupt_follows_the_pin_and_cannot_be_cleared),
        TEST(masked_edges_are_remembered),
        TEST(an_output_does_not_interrupt),
        TEST(reset_releases_the_key_and_the_line),
        TEST(a_pressed_key_is_released_after_its_time),
        TEST(a_pin_that_is_not_there_is_our_own_bug),
        TEST(the_part_identifies_itself_and_other_offsets_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
