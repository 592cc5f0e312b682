/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler. Each CPU runs one loop: handle what is pending, pick an entity (a vCPU),
 * let it run until something else deserves the CPU.
 *
 * Weighted fair: each entity's virtual time advances with the time it ran, slower for a
 * higher priority; the one furthest behind runs next, for a time slice. So nobody starves.
 * An entity has a home CPU, chosen when it is started; it does not migrate while it runs.
 *
 *     sched_start --> runnable --pick--> running --run() says BLOCKED--> blocked
 *                        ^                  |                               |
 *                        +---- RUNNABLE ----+<--------- sched_wake ---------+
 */
#pragma once

#include "arch/spinlock.h"
#include "arch/status.h"
#include "kernel/timer.h"

struct sched_entity;

enum sched_verdict {
    SCHED_RUNNABLE, /* wants to go on; if nobody asked it to leave, after whoever waits */
    SCHED_BLOCKED,  /* until sched_wake, also one that came since run() was called */
};

/* All called on the entity's home CPU, with no lock held. */
struct sched_ops {
    void (*load)(struct sched_entity *entity); /* the CPU's registers become its own */
    void (*put)(struct sched_entity *entity);  /* and are given back: another runs, or it blocked */
    /* Runs until it blocks or sched_leave() says that the CPU is wanted. */
    enum sched_verdict (*run)(struct sched_entity *entity);
};

#define SCHED_PRIORITIES 8 /* 0 lowest … 7 highest; each step is twice the share */
#define SCHED_PRIORITY_DEFAULT 4
#define SCHED_SLICE_DEFAULT_NS 1000000u

struct sched_entity {
    const struct sched_ops *ops;
    uint64_t affinity; /* CPUs allowed, a bit each */
    uint8_t priority;
    uint32_t slice_ns;

    /* The rest is sched.c's and run_queue.c's. */
    struct cpu *cpu; /* home; NULL before sched_start */
    struct sched_entity *next;
    uint64_t vruntime;
    uint64_t run_ticks;   /* time on the CPU */
    uint64_t steal_ticks; /* time runnable, yet another ran */
    uint64_t since;
    uint8_t state;
    bool wake_pending;
};

/* A piece of work for a CPU's loop, run there while no entity is loaded. */
struct sched_work {
    void (*run)(struct sched_work *work);
    struct sched_work *next;
    bool queued;
};

struct sched_cpu {
    spinlock_t lock;               /* inside every lock of vm/, outside the timers' */
    struct sched_entity *runnable; /* by vruntime; without `current` */
    struct sched_entity *current;  /* whose turn it is; stays while it is runnable and next */
    struct sched_entity *loaded;   /* whose state the CPU's registers hold: this CPU's alone */
    struct sched_work *work;
    struct timer slice;
    uint64_t slice_end;    /* of `current`; the timer is armed for it only while others wait */
    uint64_t min_vruntime; /* how far the one furthest behind has come */
    unsigned placed;       /* entities at home here */
    unsigned waiting;      /* in `runnable` */
    uint32_t leave;        /* 0 or 1; read without the lock by sched_leave */
    bool gives_way;        /* `current` left without being asked: whoever waits has a turn */
};

void sched_entity_init(struct sched_entity *entity, const struct sched_ops *ops, uint64_t affinity,
                       uint8_t priority, uint32_t slice_ns);

/*
 * Gives the entity a home, the allowed online CPU with the fewest, and makes it runnable.
 * ERR_BAD_STATE: started already. ERR_NOT_FOUND: no CPU in its affinity is online.
 */
status_t sched_start(struct sched_entity *entity);

/* Takes a blocked entity's home away. ERR_BAD_STATE: not blocked; nothing changes. */
status_t sched_retire(struct sched_entity *entity);

/*
 * Ends the entity's blocking, or makes its next SCHED_BLOCKED return at once; makes its CPU
 * look again at what is asked of it (an IPI if that is another CPU in a guest).
 */
void sched_wake(struct sched_entity *entity);

/* As the last half of sched_wake: if it is running elsewhere, it leaves its guest at once. */
void sched_kick(struct sched_entity *entity);

/* Should the running entity come out of run()? Cheap: for every exit. */
static inline bool sched_leave(const struct sched_cpu *cpu)
{
    return READ_ONCE(cpu->leave) != 0;
}

/* Does another entity want this CPU? Then halting must exit. */
static inline bool sched_contended(const struct sched_cpu *cpu)
{
    return READ_ONCE(cpu->waiting) != 0;
}

/* Queues work for `cpu`'s loop. ERR_ALREADY_EXISTS: still queued from before. */
status_t sched_post(struct cpu *cpu, struct sched_work *work);

/* One turn of the loop; false when there was nothing to do (the caller then sleeps). */
bool sched_turn(void);

/* The loop. */
_Noreturn void sched_loop(void);
