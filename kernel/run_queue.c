/* SPDX-License-Identifier: BSD-2-Clause */
/* A list, sorted by virtual time: see run_queue.h. */
#include "kernel/run_queue.h"

/* Of the entity's own time: so far behind must a waiting one be to interrupt a slice: 1 ms. */
static uint64_t wake_granularity(void)
{
    return arch_counter_hz() >> 10;
}

static uint64_t virtual_ticks(uint8_t priority, uint64_t ticks)
{
    return ticks << (SCHED_PRIORITIES - 1 - priority);
}

/* How far behind a sleeper may be when it wakes: 2 ms of a default entity's time. */
static uint64_t sleeper_credit(void)
{
    return virtual_ticks(SCHED_PRIORITY_DEFAULT, arch_counter_hz() >> 9);
}

bool vruntime_before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

bool vruntime_far_behind(const struct sched_entity *entity, uint64_t vruntime)
{
    return vruntime_before(entity->vruntime + virtual_ticks(entity->priority, wake_granularity()),
                           vruntime);
}

uint64_t vruntime_at(const struct sched_entity *current, uint64_t now)
{
    return current->vruntime + virtual_ticks(current->priority, now - current->since);
}

void run_queue_advance(struct sched_cpu *sched, uint64_t current)
{
    const struct sched_entity *first = sched->runnable;
    uint64_t least = first && vruntime_before(first->vruntime, current) ? first->vruntime : current;

    if (vruntime_before(sched->min_vruntime, least))
        sched->min_vruntime = least;
}

void run_queue_catch_up(struct sched_cpu *sched)
{
    const struct sched_entity *current = sched->current;

    if (current && current->state == RUNNING)
        run_queue_advance(sched, vruntime_at(current, arch_counter()));
}

/* sched_contended() reads it without the lock. */
static void set_waiting(struct sched_cpu *sched, unsigned waiting)
{
    __atomic_store_n(&sched->waiting, waiting, __ATOMIC_RELAXED);
}

void run_queue_add(struct sched_cpu *sched, struct sched_entity *entity, uint64_t now)
{
    struct sched_entity **at = &sched->runnable;

    while (*at && !vruntime_before(entity->vruntime, (*at)->vruntime))
        at = &(*at)->next;
    entity->next = *at;
    *at = entity;
    entity->state = RUNNABLE;
    entity->since = now;
    set_waiting(sched, sched->waiting + 1);
}

struct sched_entity *run_queue_take_first(struct sched_cpu *sched, uint64_t now)
{
    struct sched_entity *entity = sched->runnable;

    sched->runnable = entity->next;
    entity->steal_ticks += now - entity->since;
    set_waiting(sched, sched->waiting - 1);
    return entity;
}

void run_queue_cap_credit(struct sched_cpu *sched, struct sched_entity *entity)
{
    run_queue_catch_up(sched);
    uint64_t floor = sched->min_vruntime - sleeper_credit();

    if (vruntime_before(entity->vruntime, floor))
        entity->vruntime = floor;
}
