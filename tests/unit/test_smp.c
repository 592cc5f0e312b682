/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing up CPUs that come, that are refused, that never come, and that come too late. */

#include "kernel/smp.h"

#include "arch/smp.h"
#include "kernel/hypspace.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BOOT = 0x100, GOOD = 0x101, REFUSED = 0x102, SILENT = 0x103, GOOD_TOO = 0x200 };

static struct cpu *silent_cpu;
static void (*silent_main)(void);
static pthread_t threads[4];
static unsigned thread_count, main_calls;
static uint64_t counter;

/* Each look at the counter takes a millisecond. */
uint64_t arch_counter(void)
{
    return counter += 1000;
}

uint64_t arch_counter_hz(void)
{
    return 1000000;
}

void arch_timer_set(uint64_t deadline)
{
    (void)deadline;
}

uint64_t arch_cpu_hwid(void)
{
    return BOOT;
}

void arch_cpu_stop(void)
{
    pthread_exit(NULL);
}

void *hyp_alloc_stack(void)
{
    static char stacks[8][64];
    static unsigned used;

    return stacks[used++];
}

struct start {
    void *percpu;
    void (*main)(void);
};

static void *run_cpu(void *arg)
{
    struct start start = *(struct start *)arg;

    free(arg);
    arch_set_this_cpu(start.percpu);
    start.main();
    return NULL;
}

static void run_on_thread(void *percpu, void (*entry)(void))
{
    struct start *start = malloc(sizeof(*start));

    assert_non_null(start);
    *start = (struct start){ percpu, entry };
    assert_int_equal(pthread_create(&threads[thread_count++], NULL, run_cpu, start), 0);
}

status_t arch_cpu_start(uint64_t hwid, void *percpu, void *stack_top, void (*entry)(void))
{
    assert_non_null(stack_top);
    switch (hwid) {
    case REFUSED: return ERR_UNSUPPORTED;
    case SILENT:
        silent_cpu = percpu;
        silent_main = entry;
        return OK;
    default:
        counter = 0; /* a machine busy with other things does not time out here */
        run_on_thread(percpu, entry);
        while (!__atomic_load_n(&((struct cpu *)percpu)->arrival, __ATOMIC_ACQUIRE))
            continue;
        return OK;
    }
}

static void secondary(void)
{
    if (this_cpu()->online && cpu_of(this_cpu()->id) == this_cpu())
        __atomic_fetch_add(&main_calls, 1, __ATOMIC_RELAXED);
}

static void those_that_come_are_online_with_ids_without_gaps(void **state)
{
    const uint64_t hwids[] = { GOOD, BOOT, REFUSED, SILENT, GOOD_TOO };

    (void)state;
    smp_init_boot_cpu();
    assert_int_equal(this_cpu()->id, 0);
    assert_int_equal(cpu_count(), 1);
    smp_start(hwids, 5, secondary);
    assert_int_equal(cpu_count(), 3);
    assert_int_equal(cpu_of(0)->hwid, BOOT);
    assert_int_equal(cpu_of(1)->hwid, GOOD);
    assert_int_equal(cpu_of(2)->hwid, GOOD_TOO);
    assert_int_equal(cpu_of(2)->id, 2);
    assert_null(cpu_of(3));
    assert_false(silent_cpu->online);
}

static void one_that_comes_too_late_is_stopped(void **state)
{
    (void)state;
    run_on_thread(silent_cpu, silent_main);
    for (unsigned i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(main_calls, 2);
    assert_int_equal(cpu_count(), 3);
}

static unsigned kicked; /* a bit a CPU */

static void send_ipi(unsigned cpu)
{
    kicked |= 1u << cpu;
}

static void the_others_are_kicked_to_stop(void **state)
{
    static const struct irqchip chip = { .send_ipi = send_ipi };

    (void)state;
    smp_stop_others(); /* before there is a controller: in vain */
    assert_int_equal(kicked, 0);
    irq_set_chip(&chip);
    smp_stop_others();
    assert_int_equal(kicked, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_come_are_online_with_ids_without_gaps),
        cmocka_unit_test(one_that_comes_too_late_is_stopped), /* after the first */
        cmocka_unit_test(the_others_are_kicked_to_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
