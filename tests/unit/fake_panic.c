/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A panic fails the running test with its message; expect_assert_failure() catches one that
 * the test provokes.
 */

#include "kernel/panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

_Noreturn void panic(const char *format, ...)
{
    static char message[256];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    mock_assert(0, message, "panic", 0);
    abort(); /* outside of a test */
}

void panic_set_power_off(void (*power_off)(int status))
{
    (void)power_off;
}
