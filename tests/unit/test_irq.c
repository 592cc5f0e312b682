/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of host interrupts, over a controller that is a script. */

#include "kernel/irq.h"

#include "arch/smp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define IPI 0

static uint32_t pending[8];
static unsigned pending_count;
static char trace[256]; /* what the controller and the handlers saw, in order */

static void note(const char *what, uint32_t irq)
{
    size_t used = strlen(trace);

    snprintf(trace + used, sizeof(trace) - used, "%s%u ", what, irq);
}

static void raise_irq(uint32_t irq)
{
    pending[pending_count++] = irq;
}

static uint32_t chip_ack(void)
{
    if (pending_count == 0)
        return IRQ_NONE;

    uint32_t irq = pending[0];
    pending_count--;
    memmove(pending, pending + 1, pending_count * sizeof(pending[0]));
    note("ack", irq);
    return irq;
}

static void chip_deactivate(uint32_t irq)
{
    note("deactivate", irq);
}

static void chip_disable(uint32_t irq)
{
    note("disable", irq);
}

static const struct irqchip chip = {
    .name = "script",
    .ack = chip_ack,
    .deactivate = chip_deactivate,
    .disable = chip_disable,
    .ipi = IPI,
};

static enum irq_result handle(uint32_t irq, void *arg)
{
    note("handle", irq);
    return *(enum irq_result *)arg;
}

static enum irq_result handle_and_raise(uint32_t irq, void *arg)
{
    note("handle", irq);
    raise_irq(*(uint32_t *)arg);
    return IRQ_DONE;
}

static int setup(void **state)
{
    (void)state;
    irq_set_chip(&chip);
    trace[0] = '\0';
    pending_count = 0;
    return 0;
}

static enum irq_result done = IRQ_DONE, forwarded = IRQ_FORWARDED;

static void an_interrupt_is_handled_then_deactivated(void **state)
{
    (void)state;
    assert_int_equal(irq_register(40, handle, &done), OK);
    raise_irq(40);
    irq_dispatch();
    assert_string_equal(trace, "ack40 handle40 deactivate40 ");
}

static void a_forwarded_interrupt_stays_active(void **state)
{
    (void)state;
    assert_int_equal(irq_register(27, handle, &forwarded), OK);
    raise_irq(27);
    irq_dispatch();
    assert_string_equal(trace, "ack27 handle27 ");
}

static void everything_pending_is_handled_also_what_comes_meanwhile(void **state)
{
    static uint32_t other = 41;

    (void)state;
    assert_int_equal(irq_register(41, handle, &done), OK);
    assert_int_equal(irq_register(42, handle_and_raise, &other), OK);
    raise_irq(42);
    irq_dispatch();
    assert_string_equal(trace, "ack42 handle42 deactivate42 "
                               "ack41 handle41 deactivate41 ");
}

static void nothing_pending_touches_nothing(void **state)
{
    (void)state;
    irq_dispatch();
    assert_string_equal(trace, "");
}

static void an_interrupt_that_nobody_asked_for_is_disabled(void **state)
{
    (void)state;
    raise_irq(99);
    irq_dispatch();
    assert_string_equal(trace, "ack99 disable99 deactivate99 ");
}

static void the_kick_needs_no_handler_of_anybody(void **state)
{
    (void)state;
    raise_irq(IPI);
    irq_dispatch();
    assert_string_equal(trace, "ack0 deactivate0 ");
    assert_int_equal(irq_register(IPI, handle, &done), ERR_ALREADY_EXISTS);
}

static void registering_is_refused_twice_and_past_the_table(void **state)
{
    (void)state;
    assert_int_equal(irq_register(50, handle, &done), OK);
    assert_int_equal(irq_register(50, handle, &done), ERR_ALREADY_EXISTS);
    assert_int_equal(irq_register(IRQ_MAX, handle, &done), ERR_INVALID_ARGS);
    assert_int_equal(irq_register(UINT32_MAX, handle, &done), ERR_INVALID_ARGS);
    assert_int_equal(irq_register(51, NULL, NULL), ERR_INVALID_ARGS);
    assert_int_equal(irq_register(IRQ_MAX - 1, handle, &done), OK);
}

static jmp_buf stopped;

void arch_cpu_stop(void)
{
    longjmp(stopped, 1);
}

static void in_the_end_a_kick_stops_the_cpu(void **state)
{
    (void)state;
    irq_stop_at_kick();
    raise_irq(IPI);
    if (setjmp(stopped) == 0) {
        irq_dispatch();
        fail();
    }
    assert_string_equal(trace, "ack0 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_interrupt_is_handled_then_deactivated, setup),
        cmocka_unit_test_setup(a_forwarded_interrupt_stays_active, setup),
        cmocka_unit_test_setup(everything_pending_is_handled_also_what_comes_meanwhile, setup),
        cmocka_unit_test_setup(nothing_pending_touches_nothing, setup),
        cmocka_unit_test_setup(an_interrupt_that_nobody_asked_for_is_disabled, setup),
        cmocka_unit_test_setup(the_kick_needs_no_handler_of_anybody, setup),
        cmocka_unit_test_setup(registering_is_refused_twice_and_past_the_table, setup),
        cmocka_unit_test_setup(in_the_end_a_kick_stops_the_cpu, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
