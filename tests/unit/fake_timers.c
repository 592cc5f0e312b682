/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_timers.h"

#include <stddef.h>

#include "arch/timer.h"
#include "kernel/percpu.h"

static struct timer *armed; /* by deadline */

void fake_timers_reset(void)
{
    armed = NULL;
}

uint64_t fake_timers_next(void)
{
    return armed != NULL ? armed->deadline : TIMER_NEVER;
}

void fake_timers_fire(void)
{
    while (fake_timers_next() <= arch_counter()) {
        struct timer *timer = armed;

        timer_cancel(timer);
        timer->fire(timer);
    }
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
    struct timer **at = &armed;

    timer_cancel(timer);
    while (*at != NULL && (*at)->deadline <= deadline)
        at = &(*at)->next;
    timer->deadline = deadline;
    timer->next = *at;
    timer->cpu = this_cpu();
    *at = timer;
}

bool timer_cancel(struct timer *timer)
{
    for (struct timer **at = &armed; *at != NULL; at = &(*at)->next) {
        if (*at != timer)
            continue;
        *at = timer->next;
        timer->cpu = NULL;
        return true;
    }
    return false;
}
