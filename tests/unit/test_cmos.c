/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/cmos.h"

#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_record.h"
#include "tests/unit/vdev_test.h"
#include "vm/devices/cmos_time.h"

enum { SECOND, SECOND_ALARM, MINUTE, MINUTE_ALARM, HOUR, HOUR_ALARM, WEEKDAY, DAY, MONTH, YEAR };
enum { A = 10, B, C, D, CENTURY = 0x32 };
enum { SET = 0x80, PIE = 0x40, AIE = 0x20, UIE = 0x10, BINARY = 4, H24 = 2 };
enum { IRQF = 0x80, PF = 0x40, AF = 0x20, UF = 0x10 };

#define START 1700000000u /* Tuesday, 2023-11-14 22:13:20 */
#define TICK0 1234567u

static struct wire wire;
static struct vdev *dev;

static uint8_t in(unsigned index)
{
    dev_write(dev, 0, 1, index);
    return (uint8_t)dev_read(dev, 1, 1);
}

static void out(unsigned index, unsigned value)
{
    dev_write(dev, 0, 1, index | 0x80); /* with the NMI masked: no matter */
    dev_write(dev, 1, 1, value);
}

static void at_ns(uint64_t ns)
{
    clock_to(TICK0 + ns_to_ticks(ns));
}

static void at_second(uint64_t second)
{
    at_ns(second * 1000000000);
}

static void assert_time(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                        unsigned second)
{
    assert_int_equal(in(CENTURY) << 8 | in(YEAR), year);
    assert_int_equal(in(MONTH) << 8 | in(DAY), month << 8 | day);
    assert_int_equal(in(HOUR) << 16 | in(MINUTE) << 8 | in(SECOND),
                     hour << 16 | minute << 8 | second);
}

static int setup(void **unused)
{
    static const struct cmos_config config = {
        .now = START,
        .memory = (uint64_t)256 << 20,
        .high_memory = (uint64_t)2 << 30,
        .cpus = 4,
        .has_disk = true,
    };

    (void)unused;
    clock_start();
    wire = (struct wire){ 0 };
    at_second(0);
    return cmos_create(&dev, &config, wire_line(&wire)) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    assert_no_timer();
    return 0;
}

static void it_tells_the_wall_clock_in_decimal_digits(void **unused)
{
    (void)unused;
    assert_time(0x2023, 0x11, 0x14, 0x22, 0x13, 0x20);
    assert_int_equal(in(WEEKDAY), 3);
    assert_int_equal(in(A), 0x26);
    assert_int_equal(in(B), H24);
    assert_int_equal(in(D), 0x80);
    at_second(40);
    assert_time(0x2023, 0x11, 0x14, 0x22, 0x14, 0x00);
    at_second(86400);
    assert_time(0x2023, 0x11, 0x15, 0x22, 0x13, 0x20);
    assert_int_equal(in(WEEKDAY), 4);
}

static void in_binary_and_in_twelve_hours(void **unused)
{
    (void)unused;
    out(B, BINARY | H24);
    assert_time(20 << 8 | 23, 11, 14, 22, 13, 20);
    out(B, BINARY);
    assert_int_equal(in(HOUR), 0x80 | 10);
    out(B, 0);
    assert_int_equal(in(HOUR), 0x80 | 0x10);
    at_second(2 * 3600); /* midnight */
    assert_int_equal(in(HOUR), 0x12);
    at_second(14 * 3600); /* noon */
    assert_int_equal(in(HOUR), 0x92);
}

static void the_calendar_goes_round_trip_through_all_its_years(void **unused)
{
    static const struct {
        uint64_t seconds;
        struct cmos_time time;
    } known[] = {
        { 0, { 0, 0, 0, 5, 1, 1, 1970 } },
        { 951782400, { 0, 0, 0, 3, 29, 2, 2000 } },
        { 951868799, { 59, 59, 23, 3, 29, 2, 2000 } },
        { 4107542400, { 0, 0, 0, 2, 1, 3, 2100 } },
        { CMOS_TIME_END - 1, { 59, 59, 23, 6, 31, 12, 9999 } },
    };

    (void)unused;
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct cmos_time time = cmos_time_of(known[i].seconds);

        assert_memory_equal(&time, &known[i].time, sizeof(time));
    }
    for (uint64_t at = 0; at < CMOS_TIME_END; at += 86399 * 7) {
        const struct cmos_time time = cmos_time_of(at);

        assert_int_equal(cmos_time_seconds(&time), at);
    }
    cmos_time_of(UINT64_MAX);
}

static void the_guest_sets_it_while_it_is_held(void **unused)
{
    (void)unused;
    out(B, SET | H24);
    at_second(5);
    assert_int_equal(in(SECOND), 0x20);
    out(SECOND, 0x58);
    out(MINUTE, 0x59);
    out(HOUR, 0x23);
    out(DAY, 0x28);
    out(MONTH, 0x02);
    out(YEAR, 0x24);
    assert_int_equal(in(SECOND), 0x58);
    out(B, H24);
    assert_time(0x2024, 0x02, 0x28, 0x23, 0x59, 0x58);
    at_second(7);
    assert_time(0x2024, 0x02, 0x29, 0x00, 0x00, 0x00);
    assert_int_equal(in(WEEKDAY), 5);
    out(MINUTE, 0x30); /* also without being held */
    assert_time(0x2024, 0x02, 0x29, 0x00, 0x30, 0x00);
}

static void a_nonsense_time_is_some_time(void **unused)
{
    (void)unused;
    for (unsigned format = 0; format < 8; format += 2) {
        out(B, SET | format);
        for (unsigned index = SECOND; index <= YEAR; index++)
            out(index, 0xff);
        out(CENTURY, 0xff);
        out(B, format);
        for (unsigned index = SECOND; index <= YEAR; index++)
            in(index);
        out(B, SET | format);
        out(MONTH, 0);
        out(DAY, 0);
        out(YEAR, 0);
        out(CENTURY, 0);
        out(B, format | UIE | AIE);
        in(SECOND);
    }
}

static void an_update_is_announced(void **unused)
{
    (void)unused;
    at_ns(999000000);
    assert_int_equal(in(A), 0x26);
    at_ns(999800000);
    assert_int_equal(in(A), 0xa6);
    assert_int_equal(in(SECOND), 0x20);
    at_second(1);
    assert_int_equal(in(A), 0x26);
    assert_int_equal(in(SECOND), 0x21);
}

static void the_update_interrupts_once_a_second_when_told_that_it_was_seen(void **unused)
{
    (void)unused;
    out(B, H24 | UIE);
    at_ns(999000000);
    assert_false(wire.level);
    at_second(1);
    assert_true(wire.level);
    assert_no_timer(); /* nothing more can happen */
    at_second(5);
    assert_int_equal(in(C), IRQF | UF | PF);
    assert_false(wire.level);
    assert_int_equal(in(C), 0);
    at_second(6);
    assert_true(wire.level);
    out(B, H24);
    assert_false(wire.level);
    out(B, H24 | SET | UIE);
    assert_int_equal(in(B), H24 | SET);
}

static void flags_are_set_without_interrupts_too(void **unused)
{
    (void)unused;
    assert_int_equal(in(C), 0);
    at_ns(500000);
    assert_int_equal(in(C), 0);
    at_ns(1000000);
    assert_int_equal(in(C), PF);
    at_second(1);
    assert_int_equal(in(C), PF | UF);
    out(A, 0x20); /* no rate */
    at_ns(1900000000);
    assert_int_equal(in(C), 0);
    assert_no_timer();
}

static void the_periodic_interrupt_has_the_rate_that_was_asked_for(void **unused)
{
    static const struct {
        uint8_t select;
        unsigned hz;
    } rates[] = { { 1, 256 }, { 2, 128 }, { 3, 8192 }, { 6, 1024 }, { 15, 2 } };

    (void)unused;
    out(B, H24 | PIE);
    for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        unsigned count = 0;

        at_second(2 * i);
        out(A, 0x20 | rates[i].select);
        in(C);
        for (unsigned step = 1; step <= 20000; step++) {
            at_ns(2000000000ull * i + 50000ull * step);
            if (wire.level) {
                assert_true(in(C)&PF);
                count++;
            }
        }
        assert_int_equal(count, rates[i].hz);
    }
}

static void the_alarm_comes_at_its_time(void **unused)
{
    (void)unused;
    out(SECOND_ALARM, 0x25);
    out(MINUTE_ALARM, 0x13);
    out(HOUR_ALARM, 0x22);
    in(C);
    out(B, H24 | AIE);
    at_ns(4999000000);
    assert_false(wire.level);
    at_second(5);
    assert_true(wire.level);
    assert_true(in(C)&AF);
    at_second(86404);
    assert_false(wire.level);
    at_second(86405);
    assert_true(wire.level);
    in(C);
    out(HOUR_ALARM, 0xff); /* every hour */
    at_second(86405 + 3599);
    assert_false(wire.level);
    at_second(86405 + 3600);
    assert_true(wire.level);
    in(C);
    out(MINUTE_ALARM, 0xc0);
    out(SECOND_ALARM, 0xff); /* every second */
    at_second(86405 + 3601);
    assert_true(wire.level);
    in(C);
    out(SECOND_ALARM, 0x99); /* never */
    assert_no_timer();
    at_second(2 * 86400);
    assert_false(wire.level);
    assert_false(in(C)&AF);
}

static void memory_says_what_the_machine_has(void **unused)
{
    unsigned sum = 0;

    (void)unused;
    assert_int_equal(in(0x15) | in(0x16) << 8, 640);
    assert_int_equal(in(0x17) | in(0x18) << 8, 0xfc00);
    assert_int_equal(in(0x30) | in(0x31) << 8, 0xfc00);
    assert_int_equal(in(0x34) | in(0x35) << 8, 240 * 16);
    assert_int_equal(in(0x5b) | in(0x5c) << 8 | in(0x5d) << 16, 2048 * 16);
    assert_int_equal(in(0x5f), 3);
    assert_int_equal(in(0x12), 0xf0);
    for (unsigned i = 0x10; i < 0x2e; i++)
        sum += in(i);
    assert_int_equal(in(0x2e) << 8 | in(0x2f), sum);
}

static void memory_and_time_survive_a_reset(void **unused)
{
    (void)unused;
    out(0x0f, 0x0a);
    out(0x7f, 0x77);
    out(B, H24 | UIE | BINARY);
    at_second(10);
    assert_true(wire.level);
    dev->ops->reset(dev);
    assert_false(wire.level);
    assert_int_equal(in(0x0f), 0x0a);
    assert_int_equal(in(0x7f), 0x77);
    assert_int_equal(in(B), H24 | BINARY);
    assert_int_equal(in(SECOND), 30);
    assert_int_equal(dev_read(dev, 0, 1), 0xff); /* the index is not read */
}

static void a_restored_clock_tells_the_time_of_the_day(void **unused)
{
    uint8_t record[256];
    size_t bytes;

    (void)unused;
    out(B, H24 | UIE);
    bytes = vdev_save(dev, record, sizeof(record));
    at_second(100);
    in(C);
    assert_int_equal(vdev_restore(dev, record, bytes), OK);
    assert_time(0x2023, 0x11, 0x14, 0x22, 0x15, 0x00);
    at_second(101);
    assert_true(wire.level);

    record[9 + D] = 0; /* an empty battery */
    assert_int_equal(vdev_restore(dev, record, bytes), ERR_INVALID_ARGS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_tells_the_wall_clock_in_decimal_digits),
        TEST(in_binary_and_in_twelve_hours),
        TEST(the_calendar_goes_round_trip_through_all_its_years),
        TEST(the_guest_sets_it_while_it_is_held),
        TEST(a_nonsense_time_is_some_time),
        TEST(an_update_is_announced),
        TEST(the_update_interrupts_once_a_second_when_told_that_it_was_seen),
        TEST(flags_are_set_without_interrupts_too),
        TEST(the_periodic_interrupt_has_the_rate_that_was_asked_for),
        TEST(the_alarm_comes_at_its_time),
        TEST(memory_says_what_the_machine_has),
        TEST(memory_and_time_survive_a_reset),
        TEST(a_restored_clock_tells_the_time_of_the_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
