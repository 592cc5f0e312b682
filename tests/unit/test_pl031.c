/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/pl031.h"

#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_test.h"

enum {
    RTCDR = 0x00,
    RTCMR = 0x04,
    RTCLR = 0x08,
    RTCCR = 0x0c,
    RTCIMSC = 0x10,
    RTCRIS = 0x14,
    RTCMIS = 0x18,
    RTCICR = 0x1c,
};

#define START 1700000000u

static struct wire wire;
static struct vdev *dev;
static uint64_t second;

static void at_second(uint64_t seconds)
{
    second = seconds;
    clock_to(1234567 + seconds * FAKE_COUNTER_HZ);
}

static int setup(void **unused)
{
    (void)unused;
    clock_start();
    wire = (struct wire){ 0 };
    at_second(0);
    return pl031_create(&dev, START, wire_line(&wire)) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    assert_no_timer();
    return 0;
}

static void it_counts_seconds_from_the_wall_clock(void **unused)
{
    (void)unused;
    assert_int_equal(rd(dev, RTCDR), START);
    assert_int_equal(rd(dev, RTCCR), 1);
    at_second(59);
    assert_int_equal(rd(dev, RTCDR), START + 59);
}

static void the_guest_can_set_it_and_it_goes_on_through_a_reset(void **unused)
{
    (void)unused;
    at_second(10);
    wr(dev, RTCLR, 5000);
    assert_int_equal(rd(dev, RTCLR), 5000);
    assert_int_equal(rd(dev, RTCDR), 5000);
    at_second(12);
    dev->ops->reset(dev);
    assert_int_equal(rd(dev, RTCDR), 5002);
    assert_int_equal(rd(dev, RTCLR), 0);
}

static void a_match_raises_the_line_when_its_second_comes(void **unused)
{
    (void)unused;
    wr(dev, RTCIMSC, 1);
    wr(dev, RTCMR, START + 3);
    at_second(2);
    assert_false(wire.level);
    at_second(3);
    assert_true(wire.level);
    assert_int_equal(rd(dev, RTCRIS), 1);
    assert_int_equal(rd(dev, RTCMIS), 1);
    wr(dev, RTCICR, 1);
    assert_false(wire.level);
    assert_int_equal(rd(dev, RTCRIS), 0);
    at_second(100);
    assert_false(wire.level);
}

static void a_masked_match_shows_in_the_raw_status_alone(void **unused)
{
    (void)unused;
    wr(dev, RTCMR, START + 1);
    at_second(1);
    assert_int_equal(rd(dev, RTCRIS), 1);
    assert_int_equal(rd(dev, RTCMIS), 0);
    assert_int_equal(wire.changes, 0);
    wr(dev, RTCIMSC, 1);
    assert_true(wire.level);
}

static void a_match_with_now_is_at_once_and_a_moved_one_is_forgotten(void **unused)
{
    (void)unused;
    wr(dev, RTCIMSC, 1);
    wr(dev, RTCMR, START + 2);
    wr(dev, RTCMR, START + 50);
    at_second(10);
    assert_false(wire.level);
    wr(dev, RTCMR, START + 10);
    assert_true(wire.level);
}

static void setting_the_clock_moves_the_match(void **unused)
{
    (void)unused;
    wr(dev, RTCIMSC, 1);
    wr(dev, RTCMR, 1005);
    wr(dev, RTCLR, 1000);
    at_second(4);
    assert_false(wire.level);
    at_second(5);
    assert_true(wire.level);
}

static void a_match_in_the_past_is_a_wrap_away(void **unused)
{
    (void)unused;
    wr(dev, RTCIMSC, 1);
    wr(dev, RTCMR, START - 1);
    at_second(1000000);
    assert_false(wire.level);
    at_second(0xffffffff);
    assert_true(wire.level);
}

static void reset_and_destroy_disarm(void **unused)
{
    (void)unused;
    wr(dev, RTCIMSC, 1);
    wr(dev, RTCMR, START + 5);
    dev->ops->reset(dev);
    at_second(6);
    assert_int_equal(rd(dev, RTCRIS), 0);
    wr(dev, RTCMR, START + 10); /* left to destroy */
}

static void the_part_identifies_itself(void **unused)
{
    static const uint8_t id[8] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

    (void)unused;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(rd(dev, 0xfe0 + 4 * i), id[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_counts_seconds_from_the_wall_clock),
        TEST(the_guest_can_set_it_and_it_goes_on_through_a_reset),
        TEST(a_match_raises_the_line_when_its_second_comes),
        TEST(a_masked_match_shows_in_the_raw_status_alone),
        TEST(a_match_with_now_is_at_once_and_a_moved_one_is_forgotten),
        TEST(setting_the_clock_moves_the_match),
        TEST(a_match_in_the_past_is_a_wrap_away),
        TEST(reset_and_destroy_disarm),
        TEST(the_part_identifies_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
