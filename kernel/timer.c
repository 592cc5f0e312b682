/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: a sorted list on each CPU, and the CPU's comparator set to its head.
 *
 * timer->cpu says on which list a timer is. It changes from NULL to a CPU by compare and
 * exchange, and back to NULL under the lock of that CPU's list, so holding that lock and
 * seeing timer->cpu == cpu means: it is on this list and stays there.
 *
 * Only a CPU itself can set its comparator. A timer cancelled from elsewhere leaves it as it
 * was; the interrupt then finds nothing due and sets it anew.
 */

#include "kernel/timer.h"

#include "kernel/percpu.h"

#define NS_PER_SECOND 1000000000u

/* value * to / from, exact, without a 128-bit division; UINT64_MAX where it does not fit. */
static uint64_t scale(uint64_t value, uint64_t to, uint64_t from)
{
    uint64_t whole;

    if (__builtin_mul_overflow(value / from, to, &whole))
        return UINT64_MAX;
    uint64_t part = value % from * to / from;
    return whole + part >= whole ? whole + part : UINT64_MAX;
}

uint64_t ns_to_ticks(uint64_t ns)
{
    return scale(ns, arch_counter_hz(), NS_PER_SECOND);
}

uint64_t ticks_to_ns(uint64_t ticks)
{
    return scale(ticks, NS_PER_SECOND, arch_counter_hz());
}

static uint64_t next_deadline(const struct timer_cpu *timers)
{
    return timers->first ? timers->first->deadline : TIMER_NEVER;
}

static void insert(struct timer_cpu *timers, struct timer *timer)
{
    struct timer **at = &timers->first;

    while (*at && (*at)->deadline <= timer->deadline)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

static void remove_from(struct timer_cpu *timers, const struct timer *timer)
{
    struct timer **at = &timers->first;

    /* NOLINTBEGIN(clang-analyzer-core.NullDereference): an armed timer is in its CPU's list */
    while (*at != timer)
        at = &(*at)->next;
    *at = timer->next;
    /* NOLINTEND(clang-analyzer-core.NullDereference) */
}

static struct cpu *armed_on(const struct timer *timer)
{
    return __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
}

static void set_armed_on(struct timer *timer, struct cpu *cpu)
{
    __atomic_store_n(&timer->cpu, cpu, __ATOMIC_RELEASE);
}

/* With the caller's list locked: off that list, or claimed for it. False: on another's. */
static bool take(struct timer *timer, struct cpu *me)
{
    struct cpu *nobody = NULL;

    if (armed_on(timer) == me) {
        remove_from(&me->timers, timer);
        return true;
    }
    return __atomic_compare_exchange_n(&timer->cpu, &nobody, me, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
    struct cpu *me = this_cpu();

    spin_lock(&me->timers.lock);
    uint64_t before = next_deadline(&me->timers);
    while (!take(timer, me)) {
        spin_unlock(&me->timers.lock);
        timer_cancel(timer);
        spin_lock(&me->timers.lock);
        before = next_deadline(&me->timers);
    }
    timer->deadline = deadline;
    insert(&me->timers, timer);
    uint64_t after = next_deadline(&me->timers);
    if (after != before)
        arch_timer_set(after);
    spin_unlock(&me->timers.lock);
}

bool timer_cancel(struct timer *timer)
{
    struct cpu *cpu;

    while ((cpu = armed_on(timer)) != NULL) {
        spin_lock(&cpu->timers.lock);
        if (armed_on(timer) == cpu) {
            uint64_t before = next_deadline(&cpu->timers);
            remove_from(&cpu->timers, timer);
            set_armed_on(timer, NULL);
            uint64_t after = next_deadline(&cpu->timers);
            if (after != before && cpu == this_cpu())
                arch_timer_set(after);
            spin_unlock(&cpu->timers.lock);
            return true;
        }
        spin_unlock(&cpu->timers.lock);
    }
    return false;
}

/* The first timer that is due, no longer armed; NULL: none, and the comparator is set. */
static struct timer *pop_due(struct timer_cpu *timers, uint64_t now)
{
    spin_lock(&timers->lock);
    struct timer *timer = timers->first;
    if (timer && timer->deadline <= now) {
        timers->first = timer->next;
        set_armed_on(timer, NULL);
    } else {
        timer = NULL;
        arch_timer_set(next_deadline(timers));
    }
    spin_unlock(&timers->lock);
    return timer;
}

void timer_interrupt(void)
{
    struct timer_cpu *timers = &this_cpu()->timers;
    uint64_t now = arch_counter();
    struct timer *timer;

    while ((timer = pop_due(timers, now)) != NULL)
        timer->fire(timer);
}
