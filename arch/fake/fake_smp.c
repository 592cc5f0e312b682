/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs as threads; the stack given is left alone, a thread brings its own. */

#include "arch/smp.h"

#include <arch/cpu.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "arch/irq.h"

struct start {
    uint64_t hwid;
    void *percpu;
    void (*main)(void);
};

static _Thread_local uint64_t own_hwid;

static void *run_cpu(void *arg)
{
    struct start start = *(struct start *)arg;

    free(arg);
    own_hwid = start.hwid;
    arch_set_this_cpu(start.percpu);
    start.main();
    return NULL;
}

status_t arch_cpu_start(uint64_t hwid, void *percpu, void *stack_top, void (*main)(void))
{
    struct start *start = malloc(sizeof(*start));
    pthread_t thread;

    (void)stack_top;
    if (start == NULL)
        abort();
    *start = (struct start){ hwid, percpu, main };
    if (pthread_create(&thread, NULL, run_cpu, start) != 0) {
        free(start);
        return ERR_UNSUPPORTED;
    }
    pthread_detach(thread);
    return OK;
}

uint64_t arch_cpu_hwid(void)
{
    return own_hwid;
}

_Noreturn void arch_cpu_stop(void)
{
    pthread_exit(NULL);
}

void arch_wait_for_interrupt(void)
{
    sched_yield(); /* a pending interrupt is nothing that a thread could wait for */
}
