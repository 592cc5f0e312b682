/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: blocking and wake-ups, work, homes; and over two threads that are a CPU and its
 * waker.
 */
#include "tests/unit/sched_test.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static void a_blocked_entity_does_not_run_until_woken(void **state)
{
    (void)state;
    guests[0].blocks = 1;
    start(&guests[0], 4);
    assert_true(sched_turn());
    assert_false(guests[0].loaded); /* put right away */
    assert_false(sched_turn());
    assert_int_equal(guests[0].runs, 1);
    sched_wake(&guests[0].sched);
    assert_true(sched_turn());
    assert_int_equal(guests[0].runs, 2);
}

static void a_wake_during_run_keeps_it_runnable(void **state)
{
    (void)state;
    guests[0].blocks = 1;
    guests[0].wake_in_run = true;
    start(&guests[0], 4);
    assert_true(sched_turn());
    assert_true(sched_turn());
    assert_int_equal(guests[0].runs, 2);
    assert_int_equal(guests[0].loads, 1); /* never put */
}

static void a_wake_between_run_and_block_is_not_lost(void **state)
{
    (void)state;
    guests[0].blocks = 1;
    guests[0].wake_in_put = true;
    start(&guests[0], 4);
    assert_true(sched_turn());
    assert_true(sched_turn());
    assert_int_equal(guests[0].runs, 2);
    assert_int_equal(guests[0].loads, 2);
}

static void a_wake_of_long_ago_does_not_count(void **state)
{
    (void)state;
    start(&guests[0], 4);
    sched_wake(&guests[0].sched); /* before run() was called: that will look by itself */
    guests[0].blocks = 1;
    assert_true(sched_turn());
    assert_false(sched_turn());
}

struct note_work {
    struct sched_work work;
    unsigned runs;
    bool repost;
};

static void note_run(struct sched_work *work)
{
    struct note_work *note = container_of(work, struct note_work, work);

    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++)
        assert_false(guests[i].loaded);
    note->runs++;
    if (note->repost) {
        note->repost = false;
        assert_int_equal(sched_post(cpus[0], work), OK);
    }
}

static void work_runs_with_nothing_loaded_and_before_entities(void **state)
{
    struct note_work work = { .work.run = note_run };

    (void)state;
    guests[0].burst = MS;
    start(&guests[0], 4);
    assert_true(sched_turn());
    assert_true(guests[0].loaded);
    assert_int_equal(sched_post(cpus[0], &work.work), OK);
    assert_int_equal(sched_post(cpus[0], &work.work), ERR_ALREADY_EXISTS);
    assert_true(sched_leave(&cpus[0]->sched));
    assert_true(sched_turn());
    assert_int_equal(work.runs, 1);
    assert_int_equal(guests[0].runs, 1);
    assert_true(sched_turn());
    assert_int_equal(guests[0].runs, 2);
    assert_int_equal(work.runs, 1);
}

static void work_may_post_itself_again(void **state)
{
    struct note_work work = { .work.run = note_run, .repost = true };

    (void)state;
    assert_int_equal(sched_post(cpus[0], &work.work), OK);
    assert_true(sched_turn());
    assert_int_equal(work.runs, 1);
    assert_true(sched_turn());
    assert_int_equal(work.runs, 2);
    assert_false(sched_turn());
}

static void work_for_another_cpu_kicks_it(void **state)
{
    struct note_work work = { .work.run = note_run };

    (void)state;
    assert_int_equal(sched_post(cpus[1], &work.work), OK);
    assert_int_equal(ipis[1], 1);
    assert_false(sched_turn());
    arch_set_this_cpu(cpus[1]);
    assert_true(sched_turn());
    assert_int_equal(work.runs, 1);
}

static void entities_are_placed_where_there_are_fewest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        guests[i].sched.affinity = UINT64_MAX;
        start(&guests[i], 4);
    }
    assert_int_equal(cpus[0]->sched.placed, 2);
    assert_int_equal(cpus[1]->sched.placed, 2);
    assert_true(ipis[1] >= 1); /* it may be asleep */
    assert_int_equal(ipis[0], 0);
}

static void affinity_is_kept_and_an_offline_cpu_refused(void **state)
{
    (void)state;
    guests[0].sched.affinity = BIT(1);
    start(&guests[0], 4);
    assert_ptr_equal(guests[0].sched.cpu, cpus[1]);
    guests[1].sched.affinity = BIT(2) | BIT(63);
    assert_int_equal(sched_start(&guests[1].sched), ERR_NOT_FOUND);
    assert_null(guests[1].sched.cpu);
    assert_int_equal(sched_start(&guests[0].sched), ERR_BAD_STATE);
}

static void retired_only_while_blocked_then_started_again(void **state)
{
    (void)state;
    assert_int_equal(sched_retire(&guests[0].sched), ERR_BAD_STATE);
    guests[0].blocks = 1;
    start(&guests[0], 4);
    assert_int_equal(sched_retire(&guests[0].sched), ERR_BAD_STATE);
    assert_true(sched_turn());
    assert_int_equal(sched_retire(&guests[0].sched), OK);
    assert_null(guests[0].sched.cpu);
    assert_int_equal(cpus[0]->sched.placed, 0);
    sched_wake(&guests[0].sched); /* has no home: nothing happens */
    sched_kick(&guests[0].sched);
    assert_false(sched_turn());
    start(&guests[0], 4);
    assert_true(sched_turn());
    assert_int_equal(guests[0].runs, 2);
}

static void a_kick_reaches_only_what_runs_elsewhere(void **state)
{
    (void)state;
    guests[0].burst = MS;
    start(&guests[0], 4);
    arch_set_this_cpu(cpus[1]);
    sched_kick(&guests[0].sched);
    assert_int_equal(ipis[0], 0); /* not running yet */
    arch_set_this_cpu(cpus[0]);
    assert_true(sched_turn());
    sched_kick(&guests[0].sched);
    assert_int_equal(ipis[0], 0); /* its own CPU */
    arch_set_this_cpu(cpus[1]);
    sched_kick(&guests[0].sched);
    assert_int_equal(ipis[0], 1);
    sched_wake(&guests[0].sched);
    assert_int_equal(ipis[0], 2);
}

/*
 * Ping-pong between a CPU and a thread: the entity takes a request and blocks; the waker
 * makes the next one only when the last was taken. One lost wake-up or kick, and it stops.
 */
#define ROUNDS 200000u
#define WATCHDOG_ROUNDS 1024u
#define WATCHDOG_SECONDS 60 /* for so many: the machine may be busy with something else */

static struct sched_entity pong;
static unsigned requests, taken;

static void pong_nothing(struct sched_entity *entity)
{
    (void)entity;
}

static enum sched_verdict pong_run(struct sched_entity *entity)
{
    (void)entity;
    __atomic_store_n(&taken, __atomic_load_n(&requests, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    return SCHED_BLOCKED;
}

static void *pong_cpu(void *cpu)
{
    arch_set_this_cpu(cpu);
    while (__atomic_load_n(&taken, __ATOMIC_RELAXED) < ROUNDS) {
        if (!sched_turn()) /* sleeps as a CPU does: a kick that came before ends it at once */
            while (__atomic_exchange_n(&ipis[1], 0, __ATOMIC_ACQUIRE) == 0)
                sched_yield();
    }
    return NULL;
}

static void *restart_often(void *cpu)
{
    arch_set_this_cpu(cpu);
    while (__atomic_load_n(&taken, __ATOMIC_RELAXED) < ROUNDS) {
        if (sched_retire(&pong) == OK)
            sched_start(&pong);
        sched_yield();
    }
    return NULL;
}

static void no_wake_is_lost_between_two_cpus(void **state)
{
    static const struct sched_ops pong_ops = { pong_nothing, pong_nothing, pong_run };
    pthread_t cpu, restarter;
    bool restart = *state != NULL;

    requests = taken = 0;
    sched_entity_init(&pong, &pong_ops, BIT(1), 4, 0);
    assert_int_equal(sched_start(&pong), OK);
    assert_int_equal(pthread_create(&cpu, NULL, pong_cpu, cpus[1]), 0);
    if (restart)
        assert_int_equal(pthread_create(&restarter, NULL, restart_often, cpus[0]), 0);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        if (i % WATCHDOG_ROUNDS == 1)
            alarm(WATCHDOG_SECONDS);
        __atomic_store_n(&requests, i, __ATOMIC_RELEASE);
        sched_wake(&pong);
        while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) < i)
            sched_yield();
    }
    pthread_join(cpu, NULL);
    if (restart)
        pthread_join(restarter, NULL);
    assert_int_equal(taken, ROUNDS);
}

static int setup_restarting(void **state)
{
    setup(state);
    *state = &pong;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_blocked_entity_does_not_run_until_woken, setup),
        cmocka_unit_test_setup(a_wake_during_run_keeps_it_runnable, setup),
        cmocka_unit_test_setup(a_wake_between_run_and_block_is_not_lost, setup),
        cmocka_unit_test_setup(a_wake_of_long_ago_does_not_count, setup),
        cmocka_unit_test_setup(work_runs_with_nothing_loaded_and_before_entities, setup),
        cmocka_unit_test_setup(work_may_post_itself_again, setup),
        cmocka_unit_test_setup(work_for_another_cpu_kicks_it, setup),
        cmocka_unit_test_setup(entities_are_placed_where_there_are_fewest, setup),
        cmocka_unit_test_setup(affinity_is_kept_and_an_offline_cpu_refused, setup),
        cmocka_unit_test_setup(retired_only_while_blocked_then_started_again, setup),
        cmocka_unit_test_setup(a_kick_reaches_only_what_runs_elsewhere, setup),
        cmocka_unit_test_setup(no_wake_is_lost_between_two_cpus, setup),
        cmocka_unit_test_setup(no_wake_is_lost_between_two_cpus, setup_restarting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
