/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: each CPU's loop, and what is asked of it from others. Whose turn it is
 * virtual time decides (run_queue.h).
 *
 * Why no wake-up is lost. Everything about an entity and its CPU changes under the CPU's
 * lock. A waker first makes its wish visible (a request bit), then takes that lock:
 *
 *   - BLOCKED: it is queued. It was put before it was marked, so it can be loaded again.
 *   - RUNNABLE: run() is still to be called, later in the order of the lock, and sees the wish.
 *   - RUNNING: wake_pending is set. If run() is about to return BLOCKED, settle() finds the
 *     flag under the same lock and keeps the entity runnable. If run() is about to enter the
 *     guest, the IPI, which stays pending while the hypervisor has interrupts masked, makes the
 *     guest exit at once. choose() clears the flag before run(), never after.
 *   - no home: a starter's lock comes later, and run() sees the wish. That needs the fence
 *     in sched_wake: the wish is visible before the home is read.
 *
 * Why no CPU sleeps on work. What is queued for a CPU is queued under its lock, and an IPI
 * follows if the CPU may not look by itself: when it has no current entity (it sleeps, or is
 * about to; the pending IPI ends the sleep) and when the current one should leave. `leave`
 * is cleared in choose() in the same hold of the lock that sees the queues, so what came
 * before is seen there and what comes after sets it again.
 *
 * Lock order: placement, then one CPU's lock, then the timers'. ops and work are called with
 * none held.
 */

#include "kernel/sched.h"

#include "arch/irq.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/run_queue.h"

static spinlock_t placement = SPINLOCK_INIT;

static void set_leave(struct sched_cpu *sched, bool leave)
{
    __atomic_store_n(&sched->leave, leave, __ATOMIC_RELAXED);
}

static void kick_cpu(const struct cpu *cpu)
{
    if (cpu != this_cpu())
        irq_chip()->send_ipi(cpu->id);
}

/*
 * Queues an entity that was not runnable. True: its CPU must look again, because it has
 * nothing to do, the entity should run now, or the current one has so far had the CPU to
 * itself (from now on its slice is timed, and its halting exits).
 */
static bool make_runnable(struct sched_cpu *sched, struct sched_entity *entity)
{
    uint64_t now = arch_counter();
    const struct sched_entity *current = sched->current;

    run_queue_add(sched, entity, now);
    if (!current)
        return true;
    if (sched->waiting > 1 && !vruntime_far_behind(entity, vruntime_at(current, now)))
        return false;
    set_leave(sched, true);
    return true;
}

void sched_entity_init(struct sched_entity *entity, const struct sched_ops *ops, uint64_t affinity,
                       uint8_t priority, uint32_t slice_ns)
{
    *entity = (struct sched_entity){
        .ops = ops,
        .affinity = affinity,
        .priority = MIN(priority, (uint8_t)(SCHED_PRIORITIES - 1)),
        .slice_ns = slice_ns != 0 ? slice_ns : SCHED_SLICE_DEFAULT_NS,
        .state = DETACHED,
    };
}

/* The allowed online CPU with the fewest entities; NULL: none. Under `placement`. */
static struct cpu *choose_home(uint64_t affinity)
{
    struct cpu *best = NULL;

    for (unsigned id = 0; id < cpu_count(); id++) {
        struct cpu *cpu = cpu_of(id);
        if ((affinity & BIT(id)) && (!best || cpu->sched.placed < best->sched.placed))
            best = cpu;
    }
    return best;
}

static status_t start_on(struct cpu *cpu, struct sched_entity *entity)
{
    struct sched_cpu *sched = &cpu->sched;

    spin_lock(&sched->lock);
    sched->placed++;
    run_queue_catch_up(sched);
    entity->vruntime = sched->min_vruntime;
    __atomic_store_n(&entity->cpu, cpu, __ATOMIC_RELEASE);
    bool look = make_runnable(sched, entity);
    spin_unlock(&sched->lock);
    if (look)
        kick_cpu(cpu);
    return OK;
}

status_t sched_start(struct sched_entity *entity)
{
    status_t status = ERR_BAD_STATE;

    spin_lock(&placement);
    if (!entity->cpu) {
        struct cpu *home = choose_home(entity->affinity);
        status = home ? start_on(home, entity) : ERR_NOT_FOUND;
    }
    spin_unlock(&placement);
    return status;
}

/* The entity's home with its lock held; NULL: it has none. */
static struct cpu *lock_home(struct sched_entity *entity)
{
    struct cpu *cpu;

    while ((cpu = __atomic_load_n(&entity->cpu, __ATOMIC_ACQUIRE)) != NULL) {
        spin_lock(&cpu->sched.lock);
        if (__atomic_load_n(&entity->cpu, __ATOMIC_RELAXED) == cpu)
            break;
        spin_unlock(&cpu->sched.lock);
    }
    return cpu;
}

status_t sched_retire(struct sched_entity *entity)
{
    status_t status = ERR_BAD_STATE;

    spin_lock(&placement);
    struct cpu *cpu = lock_home(entity);
    if (cpu) {
        if (entity->state == BLOCKED) {
            entity->state = DETACHED;
            cpu->sched.placed--;
            __atomic_store_n(&entity->cpu, NULL, __ATOMIC_RELEASE);
            status = OK;
        }
        spin_unlock(&cpu->sched.lock);
    }
    spin_unlock(&placement);
    return status;
}

void sched_wake(struct sched_entity *entity)
{
    bool look = false;

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the caller's wish, before the home is read */
    struct cpu *cpu = lock_home(entity);
    if (!cpu)
        return;
    if (entity->state == BLOCKED) {
        run_queue_cap_credit(&cpu->sched, entity);
        look = make_runnable(&cpu->sched, entity);
    } else if (entity->state == RUNNING) {
        __atomic_store_n(&entity->wake_pending, true, __ATOMIC_RELAXED);
        look = true;
    }
    spin_unlock(&cpu->sched.lock);
    if (look)
        kick_cpu(cpu);
}

void sched_kick(struct sched_entity *entity)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    struct cpu *cpu = lock_home(entity);
    if (!cpu)
        return;
    bool running = entity->state == RUNNING;
    spin_unlock(&cpu->sched.lock);
    if (running)
        kick_cpu(cpu);
}

status_t sched_post(struct cpu *cpu, struct sched_work *work)
{
    struct sched_cpu *sched = &cpu->sched;

    if (__atomic_exchange_n(&work->queued, true, __ATOMIC_ACQ_REL))
        return ERR_ALREADY_EXISTS;

    spin_lock(&sched->lock);
    struct sched_work **at = &sched->work;
    while (*at)
        at = &(*at)->next;
    work->next = NULL;
    __atomic_store_n(at, work, __ATOMIC_RELAXED);
    set_leave(sched, true);
    spin_unlock(&sched->lock);
    kick_cpu(cpu);
    return OK;
}

static bool has_work(const struct sched_cpu *sched)
{
    return __atomic_load_n(&sched->work, __ATOMIC_RELAXED) != NULL;
}

static void put_loaded(struct sched_cpu *sched)
{
    struct sched_entity *loaded = sched->loaded;

    if (loaded)
        loaded->ops->put(loaded);
    sched->loaded = NULL;
}

/* What is queued now; what it queues itself waits for the next turn. */
static void run_work(struct sched_cpu *sched)
{
    put_loaded(sched);

    spin_lock(&sched->lock);
    struct sched_work *work = sched->work;
    sched->work = NULL;
    spin_unlock(&sched->lock);

    while (work) {
        struct sched_work *next = work->next;
        __atomic_store_n(&work->queued, false,
                         __ATOMIC_RELEASE); /* may be posted again, or freed */
        work->run(work);
        work = next;
    }
}

static void slice_expired(struct timer *timer)
{
    set_leave(container_of(timer, struct sched_cpu, slice), true);
}

static void time_slice(struct sched_cpu *sched)
{
    if (sched->waiting == 0) {
        timer_cancel(&sched->slice);
    } else if (!sched->slice.cpu || sched->slice.deadline != sched->slice_end) {
        sched->slice.fire = slice_expired;
        timer_arm(&sched->slice, sched->slice_end);
    }
}

/*
 * Whose turn it is: the current one's until its slice is over and another is behind it, or
 * another is far behind it, or it gives way. NULL: nobody is runnable.
 */
static struct sched_entity *pick(struct sched_cpu *sched, uint64_t now)
{
    struct sched_entity *current = sched->current;
    const struct sched_entity *first = sched->runnable;
    bool slice_over = now >= sched->slice_end;
    bool others_turn = first && (!current || sched->gives_way ||
                                 (slice_over ? vruntime_before(first->vruntime, current->vruntime)
                                             : vruntime_far_behind(first, current->vruntime)));
    if (others_turn) {
        sched->current = run_queue_take_first(sched, now);
        if (current)
            run_queue_add(sched, current, now);
        current = sched->current;
    }
    sched->gives_way = false;
    if (current && (others_turn || slice_over))
        sched->slice_end = now + ns_to_ticks(current->slice_ns);
    return current;
}

/* Picks, and makes it so. NULL: nobody is runnable, or work came. */
static struct sched_entity *choose(struct sched_cpu *sched)
{
    struct sched_entity *next = NULL;

    spin_lock(&sched->lock);
    set_leave(sched, false);
    if (!has_work(sched)) {
        uint64_t now = arch_counter();
        next = pick(sched, now);
        if (next) {
            next->state = RUNNING;
            next->since = now;
            next->wake_pending = false;
        }
        time_slice(sched);
    }
    spin_unlock(&sched->lock);
    return next;
}

static void load(struct sched_cpu *sched, struct sched_entity *entity)
{
    if (sched->loaded == entity)
        return;
    put_loaded(sched);
    sched->loaded = entity;
    entity->ops->load(entity);
}

static bool blocks(const struct sched_entity *entity, enum sched_verdict verdict)
{
    return verdict == SCHED_BLOCKED && !__atomic_load_n(&entity->wake_pending, __ATOMIC_RELAXED);
}

/* After run(): accounts the time, and blocks the entity if that is the verdict. */
static void settle(struct sched_cpu *sched, struct sched_entity *entity, enum sched_verdict verdict)
{
    if (blocks(entity, verdict))
        put_loaded(sched); /* once it is marked, it may be woken, retired and freed */

    spin_lock(&sched->lock);
    uint64_t now = arch_counter();
    entity->run_ticks += now - entity->since;
    entity->vruntime = vruntime_at(entity, now);
    entity->since = now;
    run_queue_advance(sched, entity->vruntime);
    sched->gives_way = verdict == SCHED_RUNNABLE && sched->waiting != 0 && !sched_leave(sched);
    if (blocks(entity, verdict)) {
        entity->state = BLOCKED;
        sched->current = NULL;
    }
    spin_unlock(&sched->lock);
}

bool sched_turn(void)
{
    struct sched_cpu *sched = &this_cpu()->sched;

    if (has_work(sched)) {
        run_work(sched);
        return true;
    }
    struct sched_entity *entity = choose(sched);
    if (!entity)
        return has_work(sched);
    load(sched, entity);
    settle(sched, entity, entity->ops->run(entity));
    return true;
}

void sched_loop(void)
{
    for (;;) {
        irq_dispatch();
        if (!sched_turn())
            arch_wait_for_interrupt();
    }
}
