/* SPDX-License-Identifier: BSD-2-Clause */
/* Entities whose run() moves the counter, on two CPUs that are the test's thread. Include once. */
#pragma once

#include "kernel/sched.h"

#include "arch/bits.h"
#include "arch/fake/fake.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

static inline int setup(void **state)
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

static inline void start(struct guest *guest, uint8_t priority)
{
    guest->sched.priority = priority;
    assert_int_equal(sched_start(&guest->sched), OK);
}

static inline void run_until(uint64_t ticks)
{
    while (now < ticks)
        assert_true(sched_turn());
}

static inline void assert_share(const struct guest *guest, uint64_t total, unsigned percent)
{
    uint64_t share = guest->sched.run_ticks * 1000 / total;

    assert_in_range(share, percent * 10 - 15, percent * 10 + 15);
}
