/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers over a counter that the test moves. */

#include "kernel/timer.h"

#include "arch/bits.h"
#include "arch/fake/fake.h"
#include "kernel/percpu.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cpu cpu_a, cpu_b;
static struct timer timers[8];
static unsigned fired[8];
static unsigned order[64], order_count;

static void fire(struct timer *timer)
{
    unsigned n = (unsigned)(timer - timers);

    fired[n]++;
    if (order_count < ARRAY_SIZE(order))
        order[order_count++] = n;
}

static int setup(void **state)
{
    (void)state;
    memset(&cpu_a, 0, sizeof(cpu_a));
    memset(&cpu_b, 0, sizeof(cpu_b));
    memset(timers, 0, sizeof(timers));
    memset(fired, 0, sizeof(fired));
    order_count = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++)
        timers[i].fire = fire;
    arch_set_this_cpu(&cpu_a);
    arch_timer_set(TIMER_NEVER);
    fake_counter_set(0);
    return 0;
}

static void interrupt_at(uint64_t ticks)
{
    fake_counter_set(ticks);
    timer_interrupt();
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
    (void)state;
    timer_arm(&timers[0], 300);
    timer_arm(&timers[1], 100);
    timer_arm(&timers[2], 200);
    timer_arm(&timers[3], 100); /* as armed, where deadlines are equal */
    assert_int_equal(fake_timer_deadline(), 100);
    interrupt_at(99);
    assert_int_equal(order_count, 0);
    interrupt_at(250);
    assert_int_equal(order_count, 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 3);
    assert_int_equal(order[2], 2);
    assert_int_equal(fake_timer_deadline(), 300);
    interrupt_at(300);
    assert_int_equal(fired[0], 1);
    assert_int_equal(fake_timer_deadline(), TIMER_NEVER);
}

static void the_comparator_is_set_only_when_the_first_changes(void **state)
{
    (void)state;
    timer_arm(&timers[0], 100);
    arch_timer_set(7); /* a mark: would be written over */
    timer_arm(&timers[1], 200);
    assert_int_equal(fake_timer_deadline(), 7);
    assert_true(timer_cancel(&timers[1]));
    assert_int_equal(fake_timer_deadline(), 7);
    timer_arm(&timers[1], 50);
    assert_int_equal(fake_timer_deadline(), 50);
}

static void arming_again_moves_a_timer(void **state)
{
    (void)state;
    timer_arm(&timers[0], 100);
    timer_arm(&timers[0], 400);
    assert_int_equal(fake_timer_deadline(), 400);
    interrupt_at(200);
    assert_int_equal(fired[0], 0);
    interrupt_at(400);
    assert_int_equal(fired[0], 1);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    assert_false(timer_cancel(&timers[0]));
    timer_arm(&timers[0], 100);
    timer_arm(&timers[1], 200);
    assert_true(timer_cancel(&timers[0]));
    assert_false(timer_cancel(&timers[0]));
    assert_int_equal(fake_timer_deadline(), 200);
    interrupt_at(1000);
    assert_int_equal(fired[0], 0);
    assert_int_equal(fired[1], 1);
    assert_false(timer_cancel(&timers[1]));
}

static void another_cpu_cancels_and_takes_over(void **state)
{
    (void)state;
    timer_arm(&timers[0], 100);
    timer_arm(&timers[1], 150);
    arch_timer_set(7);
    arch_set_this_cpu(&cpu_b);
    assert_true(timer_cancel(&timers[0]));
    assert_int_equal(fake_timer_deadline(), 7); /* not its comparator */
    timer_arm(&timers[1], 120);
    assert_ptr_equal(timers[1].cpu, &cpu_b);
    assert_null(cpu_a.timers.first);
    assert_int_equal(fake_timer_deadline(), 120);
    interrupt_at(130);
    assert_int_equal(fired[1], 1);
}

static void periodic(struct timer *timer)
{
    fired[0]++;
    timer_arm(timer, timer->deadline + 10);
}

static void a_timer_may_arm_itself_and_catches_up(void **state)
{
    (void)state;
    timers[0].fire = periodic;
    timer_arm(&timers[0], 10);
    interrupt_at(45);
    assert_int_equal(fired[0], 4);
    assert_int_equal(fake_timer_deadline(), 50);
}

static void conversions_are_exact_and_do_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(ns_to_ticks(1000000000), FAKE_COUNTER_HZ);
    assert_int_equal(ticks_to_ns(FAKE_COUNTER_HZ), 1000000000);
    assert_int_equal(ns_to_ticks(0), 0);
    assert_int_equal(ns_to_ticks(15), 0);
    assert_int_equal(ns_to_ticks(16), 1);
    assert_int_equal(ticks_to_ns(UINT64_MAX), UINT64_MAX); /* 9000 years: saturates */
    srandom(1);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t x = (((uint64_t)random() << 33) ^ (uint64_t)random()) >> (random() % 64);
        __extension__ typedef unsigned __int128 wide;
        assert_true(ns_to_ticks(x) == (uint64_t)((wide)x * FAKE_COUNTER_HZ / 1000000000u));
        wide ns = (wide)x * 1000000000u / FAKE_COUNTER_HZ;
        assert_true(ticks_to_ns(x) == (ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns));
    }
}

static unsigned stress_fired, stress_cancelled;

static void stress_fire(struct timer *timer)
{
    (void)timer;
    __atomic_fetch_add(&stress_fired, 1, __ATOMIC_RELAXED);
}

/* Both CPUs arm, cancel and fire the same timers. */
static void *stress_cpu(void *cpu)
{
    unsigned seed = cpu == &cpu_a ? 1 : 2;

    arch_set_this_cpu(cpu);
    for (unsigned i = 0; i < 100000; i++) {
        unsigned n = (unsigned)rand_r(&seed);
        if (n & 1)
            timer_arm(&timers[n / 2 % 8], (n >> 8) % 100);
        else if (timer_cancel(&timers[n / 2 % 8]))
            __atomic_fetch_add(&stress_cancelled, 1, __ATOMIC_RELAXED);
        if ((n >> 16) % 16 == 0)
            timer_interrupt();
    }
    return NULL;
}

static void two_cpus_may_fight_over_timers(void **state)
{
    pthread_t threads[2];

    (void)state;
    fake_counter_set(50);
    for (unsigned i = 0; i < 8; i++)
        timers[i].fire = stress_fire;
    assert_int_equal(pthread_create(&threads[0], NULL, stress_cpu, &cpu_a), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, stress_cpu, &cpu_b), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_true(stress_fired > 0 && stress_cancelled > 0);

    unsigned armed = 0, listed = 0;
    for (unsigned i = 0; i < 8; i++)
        armed += timers[i].cpu != NULL;
    for (struct timer *t = cpu_a.timers.first; t; t = t->next, listed++)
        assert_ptr_equal(t->cpu, &cpu_a);
    for (struct timer *t = cpu_b.timers.first; t; t = t->next, listed++)
        assert_ptr_equal(t->cpu, &cpu_b);
    assert_int_equal(armed, listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(timers_fire_in_the_order_of_their_deadlines, setup),
        cmocka_unit_test_setup(the_comparator_is_set_only_when_the_first_changes, setup),
        cmocka_unit_test_setup(arming_again_moves_a_timer, setup),
        cmocka_unit_test_setup(a_cancelled_timer_does_not_fire, setup),
        cmocka_unit_test_setup(another_cpu_cancels_and_takes_over, setup),
        cmocka_unit_test_setup(a_timer_may_arm_itself_and_catches_up, setup),
        cmocka_unit_test_setup(conversions_are_exact_and_do_not_overflow, setup),
        cmocka_unit_test_setup(two_cpus_may_fight_over_timers, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
