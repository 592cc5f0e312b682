/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's timer. The fake counter has 5 ticks for 2 of the timer's. */
#include "tests/unit/pc_machine.h"

#include "kernel/percpu.h"

#define PERIODIC 0x20000u
#define DEADLINE 0x40000u
#define DIVIDE_BY_1 0xbu
#define DIVIDE_BY_2 0x0u
#define DIVIDE_BY_16 0x3u
#define DIVIDE_BY_128 0xau
#define START 1000u /* arch_counter() in the beginning */
#define VECTOR 0xec

static void start(uint32_t lvt, uint32_t divide)
{
    pc_start_enabled(2);
    vm.devices->ops->destroy(vm.devices); /* the PIT's timer is no part of this */
    apic_write(0, APIC_LVT_TIMER, lvt | VECTOR);
    apic_write(0, APIC_TDCR, divide);
}

/* The vector is not taken before the counter reads `ticks`, but then. */
static void expect_at(uint64_t ticks)
{
    counter_to(ticks - 1);
    assert_int_equal(taken(0), NOTHING);
    counter_to(ticks);
    assert_int_equal(taken(0), VECTOR);
    apic_eoi(0);
}

static void once_counts_down_and_stops(void **unused)
{
    (void)unused;
    start(0, DIVIDE_BY_1);
    assert_int_equal(apic_read(0, APIC_TMCCT), 0);
    apic_write(0, APIC_TMICT, 1000);
    assert_int_equal(apic_read(0, APIC_TMCCT), 1000);
    counter_to(START + 5);
    assert_int_equal(apic_read(0, APIC_TMCCT), 998);
    expect_at(START + 2500);
    assert_int_equal(apic_read(0, APIC_TMCCT), 0);
    assert_int_equal(apic_read(0, APIC_TMICT), 1000);
    counter_to(START + 100000);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(fake_timers_next(), TIMER_NEVER);
    pc_stop();
}

static void a_new_count_replaces_the_old_and_zero_stops(void **unused)
{
    (void)unused;
    start(0, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, 1000);
    counter_to(START + 1000);
    apic_write(0, APIC_TMICT, 1000);
    expect_at(START + 3500);
    apic_write(0, APIC_TMICT, 1000);
    apic_write(0, APIC_TMICT, 0);
    counter_to(START + 100000);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void periods_do_not_drift(void **unused)
{
    const uint32_t count = 100001; /* not a whole number of the counter's ticks */

    (void)unused;
    start(PERIODIC, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, count);
    for (uint64_t n = 1; n <= 1000; n++)
        expect_at(START + (n * count * 5 + 1) / 2);
    assert_int_equal(apic_read(0, APIC_TMCCT), count);
    pc_stop();
}

static void late_periods_count_once_and_keep_their_grid(void **unused)
{
    (void)unused;
    start(PERIODIC, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, 10000);
    fake_counter_set(START + 25000 * 10 + 700); /* ten of them, and nobody looked */
    counter_to(START + 25000 * 10 + 700);
    assert_int_equal(taken(0), VECTOR);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    expect_at(START + 25000 * 11);
    pc_stop();
}

/* How often the hypervisor is bothered in so many milliseconds by a period of one tick. */
static unsigned bothered(uint32_t lvt, bool listens, unsigned milliseconds)
{
    const uint64_t end = START + milliseconds * (uint64_t)FAKE_COUNTER_HZ / 1000;
    unsigned fired = 0;

    start(0, DIVIDE_BY_1);
    guest[0].interrupts = listens;
    apic_write(0, APIC_LVT_TIMER, PERIODIC | lvt);
    apic_write(0, APIC_TMICT, 1);
    while (fake_timers_next() < end) {
        counter_to(fake_timers_next());
        fired++;
        if (taken(0) == VECTOR)
            apic_eoi(0);
    }
    pc_stop();
    return fired;
}

static void a_tiny_period_does_not_storm(void **unused)
{
    (void)unused;
    assert_in_range(bothered(VECTOR, true, 1), 10, 21); /* at 20 kHz at most */
}

static void a_tiny_period_that_nobody_listens_to_storms_even_less(void **unused)
{
    (void)unused;
    assert_in_range(bothered(VECTOR, false, 10), 5, 13);
    assert_in_range(bothered(APIC_MASKED | VECTOR, true, 10), 5, 13);
    assert_in_range(bothered(0, true, 10), 5, 13); /* no vector that there is */
}

static void each_divider_divides(void **unused)
{
    static const struct {
        uint32_t tdcr, by;
    } dividers[] = { { 0x0, 2 },  { 0x1, 4 },  { 0x2, 8 },   { 0x3, 16 },
                     { 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 }, { 0xb, 1 } };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(dividers); i++) {
        start(0, dividers[i].tdcr);
        apic_write(0, APIC_TMICT, 1000);
        expect_at(START + 2500 * dividers[i].by);
        pc_stop();
    }
}

static void a_new_divider_takes_what_is_left(void **unused)
{
    (void)unused;
    start(0, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, 1000);
    counter_to(START + 1250);
    apic_write(0, APIC_TDCR, DIVIDE_BY_2);
    assert_int_equal(apic_read(0, APIC_TMCCT), 500);
    expect_at(START + 1250 + 2500);
    pc_stop();
}

static void a_masked_timer_counts_in_silence(void **unused)
{
    (void)unused;
    start(PERIODIC | APIC_MASKED, DIVIDE_BY_16);
    apic_write(0, APIC_TMICT, 1000);
    counter_to(START + 100 * 40000 + 10 * 16 * 5 / 2);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(apic_read(0, APIC_TMCCT), 990);
    apic_write(0, APIC_LVT_TIMER, PERIODIC | VECTOR);
    expect_at(START + 101 * 40000);
    pc_stop();
}

static void a_tsc_deadline_is_the_guests_tsc(void **unused)
{
    uint64_t value;

    (void)unused;
    start(DEADLINE, DIVIDE_BY_128);
    lapic(0)->vcpu->hv.tsc_offset = 5000;
    assert_true(msr_write(0, MSR_TSC_DEADLINE, START + 5000 + 700));
    assert_true(msr_read(0, MSR_TSC_DEADLINE, &value));
    assert_int_equal(value, START + 5700);
    assert_int_equal(apic_read(0, APIC_TMCCT), 0);
    expect_at(START + 700);
    assert_true(msr_read(0, MSR_TSC_DEADLINE, &value));
    assert_int_equal(value, 0);
    pc_stop();
}

static void a_past_deadline_fires_at_once_and_zero_disarms(void **unused)
{
    (void)unused;
    start(DEADLINE, DIVIDE_BY_1);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, 1));
    assert_int_equal(taken(0), VECTOR);
    apic_eoi(0);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, START + 100));
    assert_true(msr_write(0, MSR_TSC_DEADLINE, 0));
    counter_to(START + 1000);
    assert_int_equal(taken(0), NOTHING);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, UINT64_MAX));
    counter_to(START + 2000);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void a_deadline_waits_for_a_tsc_that_was_turned_back(void **unused)
{
    (void)unused;
    start(DEADLINE, DIVIDE_BY_1);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, START + 1000));
    lapic(0)->vcpu->hv.tsc_offset = -(uint64_t)300;
    expect_at(START + 1300);
    pc_stop();
}

static void changing_to_or_from_the_deadline_stops_it(void **unused)
{
    uint64_t value;

    (void)unused;
    start(0, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, 1000);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, START + 10)); /* not in this mode */
    assert_true(msr_read(0, MSR_TSC_DEADLINE, &value));
    assert_int_equal(value, 0);
    apic_write(0, APIC_LVT_TIMER, DEADLINE | VECTOR);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, START + 10000));
    apic_write(0, APIC_TMICT, 7); /* not in this one */
    counter_to(START + 5000);
    assert_int_equal(taken(0), NOTHING);
    apic_write(0, APIC_LVT_TIMER, VECTOR);
    counter_to(START + 50000);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void the_timer_follows_its_vcpu(void **unused)
{
    static struct cpu other = { .id = 3 };

    (void)unused;
    start(0, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, 1000);
    virqchip_put(&vm.vcpus[0]);
    arch_set_this_cpu(&other);
    virqchip_load(&vm.vcpus[0]);
    assert_ptr_equal(lapic(0)->timer.timer.cpu, &other);
    expect_at(START + 2500);
    pc_stop();
}

static void reset_and_disabling_stop_it(void **unused)
{
    (void)unused;
    start(PERIODIC, DIVIDE_BY_1);
    apic_write(0, APIC_TMICT, 1000);
    virqchip_reset_vcpu(&vm.vcpus[0]);
    assert_int_equal(fake_timers_next(), TIMER_NEVER);
    apic_write(0, APIC_SVR, 0x1ff);
    apic_write(0, APIC_LVT_TIMER, PERIODIC | VECTOR);
    apic_write(0, APIC_TMICT, 1000);
    assert_true(msr_write(0, MSR_APIC_BASE, VLAPIC_BASE));
    assert_int_equal(fake_timers_next(), TIMER_NEVER);
    pc_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_counts_down_and_stops),
        cmocka_unit_test(a_new_count_replaces_the_old_and_zero_stops),
        cmocka_unit_test(periods_do_not_drift),
        cmocka_unit_test(late_periods_count_once_and_keep_their_grid),
        cmocka_unit_test(a_tiny_period_does_not_storm),
        cmocka_unit_test(a_tiny_period_that_nobody_listens_to_storms_even_less),
        cmocka_unit_test(each_divider_divides),
        cmocka_unit_test(a_new_divider_takes_what_is_left),
        cmocka_unit_test(a_masked_timer_counts_in_silence),
        cmocka_unit_test(a_tsc_deadline_is_the_guests_tsc),
        cmocka_unit_test(a_past_deadline_fires_at_once_and_zero_disarms),
        cmocka_unit_test(a_deadline_waits_for_a_tsc_that_was_turned_back),
        cmocka_unit_test(changing_to_or_from_the_deadline_stops_it),
        cmocka_unit_test(the_timer_follows_its_vcpu),
        cmocka_unit_test(reset_and_disabling_stop_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
