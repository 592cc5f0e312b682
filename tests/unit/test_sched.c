/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler, over entities whose run() moves the counter, and over two threads that are
 * a CPU and its waker.
 */

#include "kernel/sched.h"

#include "arch/bits.h"
#include "arch/fake/fake.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS (FAKE_COUNTER_HZ / 1000)

struct guest {
    struct sched_entity sched;
    uint64_t burst;   /* ticks that one run() takes unless it must leave earlier */
    unsigned blocks;  /* so many of the next run() say BLOCKED */
    bool wake_in_run; /* somebody wakes it while it runs */
    bool wake_in_put; /* or between its run() and its blocking */
    unsigned runs, loads, puts;
    bool loaded;
};

static struct cpu *cpus[2];
static struct guest guests[4];
static unsigned ipis[2];
static uint64_t now;

static void send_ipi(unsigned cpu)
{
    __atomic_fetch_add(&ipis[cpu], 1, __ATOMIC_RELAXED);
}

static const struct irqchip chip = { .name = "none", .send_ipi = send_ipi };

static struct guest *from(struct sched_entity *entity)
{
    return container_of(entity, struct guest, sched);
}

static void advance(uint64_t ticks)
{
    now += ticks;
    fake_counter_set(now);
    if (fake_timer_deadline() <= now)
        timer_interrupt();
}

static void guest_load(struct sched_entity *entity)
{
    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++)
        assert_false(guests[i].loaded && guests[i].sched.cpu == entity->cpu);
    from(entity)->loaded = true;
    from(entity)->loads++;
}

static void guest_put(struct sched_entity *entity)
{
    assert_true(from(entity)->loaded);
    from(entity)->loaded = false;
    from(entity)->puts++;
    if (from(entity)->wake_in_put) {
        from(entity)->wake_in_put = false;
        sched_wake(entity);
    }
}

static enum sched_verdict guest_run(struct sched_entity *entity)
{
    struct guest *guest = from(entity);
    uint64_t until = now + guest->burst;

    assert_true(guest->loaded);
    guest->runs++;
    while (now < until && !sched_leave(&this_cpu()->sched))
        advance(MS / 10);
    if (guest->wake_in_run) {
        guest->wake_in_run = false;
        sched_wake(entity);
    }
    if (guest->blocks == 0)
        return SCHED_RUNNABLE;
    guest->blocks--;
    return SCHED_BLOCKED;
}

static const struct sched_ops ops = { guest_load, guest_put, guest_run };

static int setup(void **state)
{
    (void)state;
    irq_set_chip(&chip);
    for (unsigned i = 0; i < ARRAY_SIZE(cpus); i++) {
        if (!cpus[i]) {
            cpus[i] = cpu_new(i);
            cpu_set_online(cpus[i]);
        }
        memset(&cpus[i]->sched, 0, sizeof(cpus[i]->sched));
        memset(&cpus[i]->timers, 0, sizeof(cpus[i]->timers));
        ipis[i] = 0;
    }
    arch_set_this_cpu(cpus[0]);
    arch_timer_set(TIMER_NEVER);
    now = 1000;
    fake_counter_set(now);
    memset(guests, 0, sizeof(guests));
    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
        sched_entity_init(&guests[i].sched, &ops, BIT(0), SCHED_PRIORITY_DEFAULT, 0);
        guests[i].burst = 1000 * MS;
    }
    return 0;
}

static void start(struct guest *guest, uint8_t priority)
{
    guest->sched.priority = priority;
    assert_int_equal(sched_start(&guest->sched), OK);
}

static void run_until(uint64_t ticks)
{
    while (now < ticks)
        assert_true(sched_turn());
}

static void assert_share(const struct guest *guest, uint64_t total, unsigned percent)
{
    uint64_t share = guest->sched.run_ticks * 1000 / total;

    assert_in_range(share, percent * 10 - 15, percent * 10 + 15);
}

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
        cmocka_unit_test_setup(equal_priorities_share_equally, setup),
        cmocka_unit_test_setup(each_step_of_priority_is_twice_the_share, setup),
        cmocka_unit_test_setup(the_highest_priority_does_not_starve_the_lowest, setup),
        cmocka_unit_test_setup(leaving_unasked_gives_way_and_costs_no_share, setup),
        cmocka_unit_test_setup(alone_an_entity_runs_without_slices, setup),
        cmocka_unit_test_setup(steal_is_the_time_that_others_ran, setup),
        cmocka_unit_test_setup(a_blocked_entity_does_not_run_until_woken, setup),
        cmocka_unit_test_setup(a_wake_during_run_keeps_it_runnable, setup),
        cmocka_unit_test_setup(a_wake_between_run_and_block_is_not_lost, setup),
        cmocka_unit_test_setup(a_wake_of_long_ago_does_not_count, setup),
        cmocka_unit_test_setup(a_sleeper_interrupts_a_hog_soon_but_not_for_long, setup),
        cmocka_unit_test_setup(a_sleeper_gains_nothing_from_one_that_never_left, setup),
        cmocka_unit_test_setup(a_newcomer_gains_nothing_from_one_that_never_left, setup),
        cmocka_unit_test_setup(contention_starts_the_slice_timer_and_its_end_stops_it, setup),
        cmocka_unit_test_setup(work_runs_with_nothing_loaded_and_before_entities, setup),
        cmocka_unit_test_setup(work_may_post_itself_again, setup),
        cmocka_unit_test_setup(work_for_another_cpu_kicks_it, setup),
        cmocka_unit_test_setup(entities_are_placed_where_there_are_fewest, setup),
        cmocka_unit_test_setup(affinity_is_kept_and_an_offline_cpu_refused, setup),
        cmocka_unit_test_setup(retired_only_while_blocked_then_started_again, setup),
        cmocka_unit_test_setup(a_kick_reaches_only_what_runs_elsewhere, setup),
        cmocka_unit_test_setup(virtual_time_may_wrap, setup),
        cmocka_unit_test_setup(no_wake_is_lost_between_two_cpus, setup),
        cmocka_unit_test_setup(no_wake_is_lost_between_two_cpus, setup_restarting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
