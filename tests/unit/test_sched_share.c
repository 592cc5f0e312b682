/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduler's virtual time: who gets how much of a CPU, and when. */
#include "tests/unit/sched_test.h"

static void equal_priorities_share_equally(void **state)
{
    (void)state;
    start(&guests[0], 4);
    start(&guests[1], 4);
    start(&guests[2], 4);
    start(&guests[3], 4);
    run_until(4000ul * MS);
    for (unsigned i = 0; i < 4; i++)
        assert_share(&guests[i], 4000ul * MS, 25);
    assert_true(guests[0].runs > 150); /* in slices of 5 ms */
}

static void each_step_of_priority_is_twice_the_share(void **state)
{
    (void)state;
    start(&guests[0], 3);
    start(&guests[1], 4);
    start(&guests[2], 5);
    run_until(7000ul * MS);
    assert_share(&guests[0], 7000ul * MS, 14);
    assert_share(&guests[1], 7000ul * MS, 29);
    assert_share(&guests[2], 7000ul * MS, 57);
}

static void the_highest_priority_does_not_starve_the_lowest(void **state)
{
    (void)state;
    start(&guests[0], 7);
    start(&guests[1], 0);
    run_until(5000ul * MS);
    assert_in_range(guests[1].sched.run_ticks, 20 * MS, 80 * MS); /* 1 of 129 */
}

static void leaving_unasked_gives_way_and_costs_no_share(void **state)
{
    (void)state;
    guests[0].burst = MS / 10; /* spins on a lock, say */
    start(&guests[0], 7);
    start(&guests[1], 0);
    assert_true(sched_turn());
    assert_true(sched_turn());
    assert_int_equal(guests[0].runs, 1);
    assert_int_equal(guests[1].runs, 1); /* although it is lowest, and no slice was over */
    guests[0].burst = 1000 * MS;
    guests[0].sched.run_ticks = guests[1].sched.run_ticks = 0;
    run_until(now + 5000ul * MS);
    assert_true(guests[0].sched.run_ticks > 100 * guests[1].sched.run_ticks);
}

static void alone_an_entity_runs_without_slices(void **state)
{
    (void)state;
    start(&guests[0], 4);
    run_until(500ul * MS);
    assert_int_equal(guests[0].runs, 1);
    assert_int_equal(fake_timer_deadline(), TIMER_NEVER);
    assert_false(sched_contended(&cpus[0]->sched));
    assert_int_equal(guests[0].sched.steal_ticks, 0);
}

static void steal_is_the_time_that_others_ran(void **state)
{
    (void)state;
    start(&guests[0], 4);
    start(&guests[1], 4);
    run_until(1000ul * MS);
    guests[0].burst = guests[1].burst = MS;
    sched_turn();
    for (unsigned i = 0; i < 2; i++) {
        const struct sched_entity *e = &guests[i].sched;
        uint64_t waiting = e->state == guests[1 - i].sched.state ? 0 : 6 * MS;
        assert_in_range(e->run_ticks + e->steal_ticks, now - 1000 - waiting, now - 1000);
        assert_in_range(e->steal_ticks, 490ul * MS, 510ul * MS);
    }
}

static void a_sleeper_interrupts_a_hog_soon_but_not_for_long(void **state)
{
    (void)state;
    guests[1].blocks = 1;
    start(&guests[0], 4);
    start(&guests[1], 4);
    run_until(1000ul * MS); /* [1] slept nearly all of it */
    uint64_t hog = guests[0].sched.run_ticks, sleeper = guests[1].sched.run_ticks;
    assert_true(sleeper < 6ul * MS);

    sched_wake(&guests[1].sched);
    assert_true(sched_leave(&cpus[0]->sched));
    assert_true(sched_turn());
    assert_true(guests[1].sched.run_ticks > sleeper);
    run_until(1100ul * MS);
    assert_in_range(guests[0].sched.run_ticks - hog, 40ul * MS, 60ul * MS);
}

struct wake_up {
    struct timer timer;
    struct guest *guest;
    bool first_start;
};

static void wake_up(struct timer *timer)
{
    struct wake_up *up = container_of(timer, struct wake_up, timer);

    if (up->first_start)
        start(up->guest, 4);
    else
        sched_wake(&up->guest->sched);
}

/* A halted guest that has its CPU to itself stays in its run() for as long as it likes. */
static void share_after_a_long_run(bool first_start)
{
    struct wake_up up = { { .fire = wake_up }, &guests[1], first_start };

    guests[0].burst = guests[1].burst = 100000ul * MS;
    if (!first_start) {
        guests[1].burst = 0;
        guests[1].blocks = 1;
        start(&guests[1], 4);
        assert_true(sched_turn());
        guests[1].burst = guests[0].burst;
    }
    start(&guests[0], 4);
    timer_arm(&up.timer, 1000ul * MS);
    run_until(1000ul * MS);
    assert_int_equal(guests[0].runs, 1);

    uint64_t hog = guests[0].sched.run_ticks;
    run_until(1100ul * MS);
    assert_in_range(guests[0].sched.run_ticks - hog, 45ul * MS, 55ul * MS);
}

static void a_sleeper_gains_nothing_from_one_that_never_left(void **state)
{
    (void)state;
    share_after_a_long_run(false);
}

static void a_newcomer_gains_nothing_from_one_that_never_left(void **state)
{
    (void)state;
    share_after_a_long_run(true);
}

static void contention_starts_the_slice_timer_and_its_end_stops_it(void **state)
{
    (void)state;
    guests[0].burst = MS / 10;
    start(&guests[0], 4);
    assert_true(sched_turn());
    start(&guests[1], 4);
    assert_true(sched_contended(&cpus[0]->sched));
    assert_true(sched_leave(&cpus[0]->sched)); /* so that the timer gets armed */
    assert_true(sched_turn());
    assert_true(fake_timer_deadline() <= now + 5ul * MS);
    guests[0].blocks = guests[1].blocks = 1;
    while (guests[0].blocks + guests[1].blocks == 2)
        assert_true(sched_turn());
    guests[0].burst = guests[1].burst = MS / 10;
    assert_true(sched_turn());
    assert_int_equal(fake_timer_deadline(), TIMER_NEVER);
}

static void virtual_time_may_wrap(void **state)
{
    (void)state;
    cpus[0]->sched.min_vruntime = UINT64_MAX - 100ul * MS;
    start(&guests[0], 4);
    start(&guests[1], 4);
    run_until(1000ul * MS);
    assert_share(&guests[0], 1000ul * MS, 50);
    assert_share(&guests[1], 1000ul * MS, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_priorities_share_equally, setup),
        cmocka_unit_test_setup(each_step_of_priority_is_twice_the_share, setup),
        cmocka_unit_test_setup(the_highest_priority_does_not_starve_the_lowest, setup),
        cmocka_unit_test_setup(leaving_unasked_gives_way_and_costs_no_share, setup),
        cmocka_unit_test_setup(alone_an_entity_runs_without_slices, setup),
        cmocka_unit_test_setup(steal_is_the_time_that_others_ran, setup),
        cmocka_unit_test_setup(a_sleeper_interrupts_a_hog_soon_but_not_for_long, setup),
        cmocka_unit_test_setup(a_sleeper_gains_nothing_from_one_that_never_left, setup),
        cmocka_unit_test_setup(a_newcomer_gains_nothing_from_one_that_never_left, setup),
        cmocka_unit_test_setup(contention_starts_the_slice_timer_and_its_end_stops_it, setup),
        cmocka_unit_test_setup(virtual_time_may_wrap, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
