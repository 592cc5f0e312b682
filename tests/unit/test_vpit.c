/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254: counts, modes, rates against the counter, gate and speaker. */
#include "tests/unit/pc_machine.h"

#define CONTROL 0x43
#define SPEAKER 0x61
#define VECTOR 0x30

static uint64_t base; /* arch_counter() in the beginning, or when a count was written */

/* The counter when the PIT has ticked n times since then. */
static uint64_t tick(uint64_t n)
{
    return base + (n * FAKE_COUNTER_HZ + VPIT_HZ - 1) / VPIT_HZ;
}

static void start(void)
{
    pc_start_enabled(1);
    entry_write(2, VECTOR);
    base = arch_counter();
}

static void program(unsigned channel, unsigned mode, uint16_t count)
{
    port_out(CONTROL, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    port_out((uint16_t)(0x40 + channel), (uint8_t)count);
    port_out((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
    taken(0); /* OUT may have risen with the control word */
    apic_eoi(0);
    base = arch_counter();
}

static uint16_t read_count(unsigned channel)
{
    uint16_t low;

    port_out(CONTROL, (uint8_t)(channel << 6));
    low = port_in((uint16_t)(0x40 + channel));
    return (uint16_t)(low | port_in((uint16_t)(0x40 + channel)) << 8);
}

static unsigned take_all(void)
{
    unsigned count = 0;

    while (taken(0) == VECTOR) {
        apic_eoi(0);
        count++;
    }
    return count;
}

static bool out2(void)
{
    return port_in(SPEAKER) & 0x20;
}

static void after_reset_channel_0_ticks_as_firmware_leaves_it(void **unused)
{
    (void)unused;
    start();
    port_out(CONTROL, 0xe2);               /* status of channel 0 */
    assert_int_equal(port_in(0x40), 0xb6); /* OUT, both bytes, mode 3 */
    counter_to(tick(65536) - 1);
    assert_int_equal(take_all(), 0);
    counter_to(tick(65536));
    assert_int_equal(take_all(), 1);
    counter_to(tick(3 * 65536));
    assert_int_equal(take_all(), 2);
    counter_to(tick(6 * 65536));
    assert_int_equal(take_all(), 2); /* of three: one is taken, one waits, one is lost */
    pc_stop();
}

static void a_rate_of_100_hz_is_one(void **unused)
{
    unsigned ticks = 0;

    (void)unused;
    for (unsigned mode = 2; mode <= 3; mode++) {
        start();
        program(0, mode, 11932);
        ticks = 0;
        for (uint64_t n = 1; n <= 1000; n++) {
            counter_to(tick(n * 11932) - 1);
            ticks += take_all();
            assert_int_equal(ticks, n - 1);
            counter_to(tick(n * 11932));
            ticks += take_all();
            assert_int_equal(ticks, n);
        }
        assert_in_range(arch_counter(), 10ull * FAKE_COUNTER_HZ, 10ull * FAKE_COUNTER_HZ + 12000);
        pc_stop();
    }
}

static void late_ticks_count_once_and_keep_their_grid(void **unused)
{
    (void)unused;
    start();
    program(0, 2, 1000);
    fake_counter_set(tick(10500));
    counter_to(tick(10500));
    assert_int_equal(take_all(), 1);
    counter_to(tick(11000) - 1);
    assert_int_equal(take_all(), 0);
    counter_to(tick(11000));
    assert_int_equal(take_all(), 1);
    pc_stop();
}

static void a_tiny_period_does_not_storm(void **unused)
{
    (void)unused;
    start();
    program(0, 2, 1);
    for (unsigned n = 0; n < 20; n++) {
        uint64_t now = fake_timers_next();

        counter_to(now);
        assert_true(fake_timers_next() >= now + FAKE_COUNTER_HZ / 20000);
        take_all();
    }
    pc_stop();
}

static void mode_0_interrupts_once_at_the_end(void **unused)
{
    (void)unused;
    start();
    program(0, 0, 5000);
    assert_int_equal(read_count(0), 5000);
    counter_to(tick(1000));
    assert_int_equal(read_count(0), 4000);
    counter_to(tick(5000) - 1);
    assert_int_equal(take_all(), 0);
    counter_to(tick(5000));
    assert_int_equal(take_all(), 1);
    counter_to(tick(5010));
    assert_int_equal(read_count(0), 65526); /* counts on */
    counter_to(tick(500000));
    assert_int_equal(take_all(), 0);
    port_out(0x40, 100); /* first byte: stops, OUT low */
    counter_to(arch_counter() + FAKE_COUNTER_HZ);
    assert_int_equal(take_all(), 0);
    port_out(0x40, 0);
    counter_to(arch_counter() + FAKE_COUNTER_HZ);
    assert_int_equal(take_all(), 1);
    pc_stop();
}

static void mode_4_strobes_one_tick_late(void **unused)
{
    (void)unused;
    start();
    program(0, 4, 100);
    counter_to(tick(101) - 1);
    assert_int_equal(take_all(), 0);
    counter_to(tick(101));
    assert_int_equal(take_all(), 1);
    counter_to(tick(300000));
    assert_int_equal(take_all(), 0);
    pc_stop();
}

static void the_counts_of_each_mode(void **unused)
{
    (void)unused;
    start();
    port_out(SPEAKER, 1);
    program(2, 2, 1000);
    counter_to(tick(250));
    assert_int_equal(read_count(2), 750);
    counter_to(tick(1000));
    assert_int_equal(read_count(2), 1000);
    program(2, 3, 1000);
    counter_to(tick(100)); /* by two */
    assert_int_equal(read_count(2), 800);
    counter_to(tick(600));
    assert_int_equal(read_count(2), 800);
    port_out(CONTROL, 0xb1); /* mode 0, BCD */
    port_out(0x42, 0x00);
    port_out(0x42, 0x10);
    base = arch_counter();
    counter_to(tick(1));
    assert_int_equal(read_count(2), 0x0999);
    counter_to(tick(1001));
    assert_int_equal(read_count(2), 0x9999);
    pc_stop();
}

static void the_ways_of_access(void **unused)
{
    (void)unused;
    start();
    port_out(SPEAKER, 1);
    port_out(CONTROL, 0x94); /* low byte, mode 2 */
    port_out(0x42, 200);
    assert_int_equal(port_in(0x42), 200);
    assert_int_equal(port_in(0x42), 200);
    port_out(CONTROL, 0xa4); /* high byte */
    port_out(0x42, 3);
    assert_int_equal(port_in(0x42), 3);
    counter_to(tick(1));
    assert_int_equal(port_in(0x42), 2);
    port_out(CONTROL, 0xb4);
    port_out(0x42, 0x34);
    port_out(0x42, 0x12);
    assert_int_equal(port_in(0x42), 0x34);
    assert_int_equal(port_in(0x42), 0x12);
    assert_int_equal(port_in(0x42), 0x34);
    pc_stop();
}

static void a_latched_count_stands_still(void **unused)
{
    (void)unused;
    start();
    port_out(SPEAKER, 1);
    program(2, 0, 5000);
    port_out(CONTROL, 0x80);
    counter_to(tick(100));
    port_out(CONTROL, 0x80); /* the first one holds */
    assert_int_equal(port_in(0x42), 5000 & 0xff);
    counter_to(tick(200));
    assert_int_equal(port_in(0x42), 5000 >> 8);
    assert_int_equal(read_count(2), 4800);
    pc_stop();
}

static void read_back_gives_status_then_count(void **unused)
{
    (void)unused;
    start();
    port_out(SPEAKER, 1);
    program(2, 0, 5000);
    counter_to(tick(100));
    port_out(CONTROL, 0xc8); /* both, of channel 2 */
    assert_int_equal(port_in(0x42), 0x30);
    assert_int_equal(port_in(0x42), 4900 & 0xff);
    assert_int_equal(port_in(0x42), 4900 >> 8);
    port_out(CONTROL, 0xb0);
    port_out(CONTROL, 0xe8); /* status: no count yet */
    assert_int_equal(port_in(0x42), 0x70);
    port_out(CONTROL, 0xd2); /* counts of channel 0 only */
    assert_int_equal(port_in(0x42), 0);
    pc_stop();
}

/* As a kernel calibrates its TSC: mode 0 on channel 2, watching OUT. */
static void calibration_against_the_speaker_port_is_exact(void **unused)
{
    (void)unused;
    start();
    port_out(SPEAKER, (uint8_t)((port_in(SPEAKER) & ~2u) | 1u));
    program(2, 0, 59659); /* 50 ms */
    assert_false(out2());
    counter_to(tick(59659) - 1);
    assert_false(out2());
    counter_to(tick(59659));
    assert_true(out2());
    pc_stop();
}

static void the_gate_stops_and_restarts(void **unused)
{
    (void)unused;
    start();
    port_out(SPEAKER, 1);
    program(2, 0, 1000);
    counter_to(tick(300));
    port_out(SPEAKER, 0);
    counter_to(tick(5000));
    assert_int_equal(read_count(2), 700);
    assert_false(out2());
    port_out(SPEAKER, 1);
    base = arch_counter();
    counter_to(tick(699));
    assert_false(out2());
    counter_to(tick(701)); /* it was stopped within a tick */
    assert_true(out2());
    program(2, 2, 1000);
    counter_to(tick(300));
    port_out(SPEAKER, 0);
    assert_true(out2());
    port_out(SPEAKER, 1); /* rises: anew */
    assert_int_equal(read_count(2), 1000);
    program(2, 1, 100);
    counter_to(tick(8000));
    assert_true(out2()); /* not triggered yet */
    port_out(SPEAKER, 0);
    port_out(SPEAKER, 1);
    base = arch_counter();
    assert_false(out2());
    counter_to(tick(100));
    assert_true(out2());
    pc_stop();
}

static void the_speaker_port_keeps_its_bits_and_toggles_refresh(void **unused)
{
    uint8_t before;

    (void)unused;
    start();
    port_out(SPEAKER, 0xff);
    assert_int_equal(port_in(SPEAKER) & 0xcf, 0x0f);
    before = port_in(SPEAKER) & 0x10;
    counter_to(arch_counter() + 18ull * FAKE_COUNTER_HZ / VPIT_HZ + 1);
    assert_int_not_equal(port_in(SPEAKER) & 0x10, before);
    pc_stop();
}

static void ticks_reach_a_guest_with_pics_only(void **unused)
{
    (void)unused;
    pc_start(1);
    base = arch_counter();
    pic_init(1);
    port_out(0x21, 0xfe);
    for (uint64_t n = 1; n <= 5; n++) {
        counter_to(tick(n * 65536));
        assert_int_equal(taken(0), 0x20);
        assert_int_equal(taken(0), NOTHING);
        port_out(0x20, 0x20);
    }
    pc_stop();
}

static void random_accesses_never_break_it(void **unused)
{
    uint64_t random = 4;

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        start();
        for (unsigned i = 0; i < 3000; i++) {
            uint64_t value = random_next(&random);
            uint16_t port = (uint16_t)(value % 5 == 4 ? SPEAKER : 0x40 + value % 5);

            if (value >> 63)
                port_in(port);
            else
                port_out(port, (uint8_t)(value >> 8));
            counter_to(arch_counter() + random_below(&random, 1u << (value >> 16) % 22));
            take_all();
            check_invariants();
        }
        pc_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_reset_channel_0_ticks_as_firmware_leaves_it),
        cmocka_unit_test(a_rate_of_100_hz_is_one),
        cmocka_unit_test(late_ticks_count_once_and_keep_their_grid),
        cmocka_unit_test(a_tiny_period_does_not_storm),
        cmocka_unit_test(mode_0_interrupts_once_at_the_end),
        cmocka_unit_test(mode_4_strobes_one_tick_late),
        cmocka_unit_test(the_counts_of_each_mode),
        cmocka_unit_test(the_ways_of_access),
        cmocka_unit_test(a_latched_count_stands_still),
        cmocka_unit_test(read_back_gives_status_then_count),
        cmocka_unit_test(calibration_against_the_speaker_port_is_exact),
        cmocka_unit_test(the_gate_stops_and_restarts),
        cmocka_unit_test(the_speaker_port_keeps_its_bits_and_toggles_refresh),
        cmocka_unit_test(ticks_reach_a_guest_with_pics_only),
        cmocka_unit_test(random_accesses_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
