/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers, per CPU, in ticks of arch_counter(). A timer fires on the CPU that armed
 * it, from the interrupt handler: short work only.
 */
#pragma once

#include "arch/spinlock.h"
#include "arch/timer.h"

struct cpu;

struct timer {
    uint64_t deadline;
    void (*fire)(struct timer *timer);
    struct timer *next; /* timer.c's */
    struct cpu *cpu;    /* armed on; NULL when not armed */
};

struct timer_cpu {
    spinlock_t lock;     /* inside the scheduler's */
    struct timer *first; /* by deadline */
};

/* Arms on the calling CPU; a timer armed before is moved. Any lock but the timers' own may
 * be held; `fire` is called with none held. */
void timer_arm(struct timer *timer, uint64_t deadline);

/* From any CPU. `fire` may still be running on another CPU when this returns false. */
bool timer_cancel(struct timer *timer);

/* The hypervisor's timer interrupt: fires what is due, sets the hardware for the next. */
void timer_interrupt(void);

uint64_t ns_to_ticks(uint64_t ns);
uint64_t ticks_to_ns(uint64_t ticks);
