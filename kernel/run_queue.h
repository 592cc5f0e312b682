/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is on a CPU: the runnable entities by virtual time.
 *
 * A tick on the CPU counts 1 at priority 7, 2 at 6, … 128 at 0. Of the runnable entities the
 * one with the least virtual time is next. One that wakes is not behind the others by more
 * than a small credit, whatever it slept, so it cannot hold the CPU to catch up; and because
 * everybody's time advances when they run, nobody starves. Virtual times are compared by their
 * difference, so they may wrap.
 *
 * Everything here is called with the CPU's lock held.
 */
#pragma once

#include "kernel/sched.h"

enum entity_state { DETACHED, RUNNABLE, RUNNING, BLOCKED };

bool vruntime_before(uint64_t a, uint64_t b);

/* Far enough to interrupt a slice of one that has come to `vruntime`. */
bool vruntime_far_behind(const struct sched_entity *entity, uint64_t vruntime);

/* Of one that has been running since `since`. */
uint64_t vruntime_at(const struct sched_entity *current, uint64_t now);

/* The least virtual time of those that are runnable, `current` that of the one that runs. It
 * only grows. */
void run_queue_advance(struct sched_cpu *sched, uint64_t current);

/* As far as the one that runs has come by now: alone, it may not have left run() for long. */
void run_queue_catch_up(struct sched_cpu *sched);

/* One that wakes: not further behind than the credit, however long it slept. */
void run_queue_cap_credit(struct sched_cpu *sched, struct sched_entity *entity);

/* What becomes runnable, and what of it is next: there is one. */
void run_queue_add(struct sched_cpu *sched, struct sched_entity *entity, uint64_t now);
struct sched_entity *run_queue_take_first(struct sched_cpu *sched, uint64_t now);
