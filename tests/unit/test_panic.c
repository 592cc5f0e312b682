/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the machine, and the end of that end. */

#include "kernel/panic.h"

#include "arch/smp.h"
#include "kernel/log.h"
#include "kernel/smp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#undef assert
#include <cmocka.h>

static jmp_buf stopped;
static uint64_t hwid = 3;
static char said[512];
static unsigned lines, hook_calls;
static int hook_status;

uint64_t arch_cpu_hwid(void)
{
    return hwid;
}

void arch_cpu_stop(void)
{
    longjmp(stopped, 1);
}

static unsigned stops;

void smp_stop_others(void)
{
    stops++;
}

static void sink(const char *text, unsigned length)
{
    lines++;
    strncat(said, text, length);
}

static void failing_power_off(int status)
{
    hook_calls++;
    hook_status = status;
    panic("the power driver fails, too");
}

static void a_panic_speaks_once_and_tries_to_power_off(void **state)
{
    (void)state;
    log_set_sink(sink);
    log_set_level(LOG_ERROR);
    panic_set_power_off(failing_power_off);
    if (setjmp(stopped) == 0)
        panic("%s:%d: assertion failed: %s", "kernel/x.c", 7, "1 == 2");
    assert_string_equal(said, "socle: panic: kernel/x.c:7: assertion failed: 1 == 2\n");
    assert_int_equal(hook_calls, 2); /* a panic in the hook tries once more, then stops */
    assert_int_not_equal(hook_status, 0);
    assert_int_equal(stops, 1);
}

static void another_cpu_that_panics_stops_quietly(void **state)
{
    (void)state;
    hwid = 5;
    lines = hook_calls = 0;
    if (setjmp(stopped) == 0)
        panic("me too");
    assert_int_equal(lines, 0);
    assert_int_equal(hook_calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_panic_speaks_once_and_tries_to_power_off),
        cmocka_unit_test(another_cpu_that_panics_stops_quietly), /* after the first */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
