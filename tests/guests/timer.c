/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual and the physical timer, against the counters and each other. */
#include "tests/guests/lib/gic.h"

#define VIRTUAL_PPI 27
#define PHYSICAL_PPI 30
#define ROUNDS 50

#define CTL_ENABLE 1u
#define CTL_IMASK 2u
#define CTL_ISTATUS 4u

struct timer {
    const char *name;
    unsigned ppi;
    uint64_t (*now)(void), (*control)(void);
    void (*set_control)(uint64_t), (*set_compare)(uint64_t), (*set_value)(uint64_t);
};

#define TIMER(prefix, counter_name)                  \
    static uint64_t prefix##_now(void)               \
    {                                                \
        isb();                                       \
        return sysreg_read(counter_name);            \
    }                                                \
    static uint64_t prefix##_control(void)           \
    {                                                \
        isb();                                       \
        return sysreg_read(prefix##_ctl_el0);        \
    }                                                \
    static void prefix##_set_control(uint64_t value) \
    {                                                \
        sysreg_write(prefix##_ctl_el0, value);       \
        isb();                                       \
    }                                                \
    static void prefix##_set_compare(uint64_t value) \
    {                                                \
        sysreg_write(prefix##_cval_el0, value);      \
        isb();                                       \
    }                                                \
    static void prefix##_set_value(uint64_t value)   \
    {                                                \
        sysreg_write(prefix##_tval_el0, value);      \
        isb();                                       \
    }
TIMER(cntv, cntvct_el0)
TIMER(cntp, cntpct_el0)

static const struct timer timers[] = {
    { "virtual", VIRTUAL_PPI, cntv_now, cntv_control, cntv_set_control, cntv_set_compare,
      cntv_set_value },
    { "physical", PHYSICAL_PPI, cntp_now, cntp_control, cntp_set_control, cntp_set_compare,
      cntp_set_value },
};

static const struct timer *current;
static volatile unsigned fired;
static volatile uint64_t fired_at;

static void on_timer(void)
{
    unsigned irq = gic_ack();

    fired_at = current->now();
    if (irq == current->ppi) {
        fired++;
        current->set_control(CTL_ENABLE | CTL_IMASK);
    }
    if (irq != IRQ_SPURIOUS)
        gic_eoi(irq);
}

/* Fires ROUNDS times, never early, waking WFI each time. */
static void fires(const struct timer *timer, uint64_t ticks)
{
    bool early = false;

    fired = 0;
    irq_handler = on_timer;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t due = timer->now() + ticks;

        timer->set_compare(due);
        timer->set_control(CTL_ENABLE);
        while (fired == round) {
            wfi();
            irq_unmask();
            irq_mask();
        }
        early = early || fired_at < due;
    }
    check_equal("fires_every_time", fired, ROUNDS);
    check(!early, "never_fires_early");
}

/* An interrupt needs a moment to come from the timer through the controller. */
static unsigned ack_soon(void)
{
    unsigned irq = IRQ_SPURIOUS;

    for (unsigned i = 0; i < 1000 && irq == IRQ_SPURIOUS; i++)
        irq = gic_ack();
    return irq;
}

static void masking(const struct timer *timer)
{
    timer->set_control(CTL_ENABLE | CTL_IMASK);
    timer->set_value(0);
    check((timer->control() & CTL_ISTATUS) != 0, "condition_is_met");
    check_equal("masked_timer_is_not_pending", gic_ack(), IRQ_SPURIOUS);
    timer->set_control(CTL_ENABLE);
    unsigned irq = ack_soon();

    check_equal("unmasked_timer_is_pending", irq, timer->ppi);
    check((timer->control() & CTL_ENABLE) != 0, "timer_stays_enabled");
    timer->set_control(0);
    gic_eoi(irq);
    check_equal("disabled_timer_is_not_pending", gic_ack(), IRQ_SPURIOUS);
    timer->set_compare(~0UL >> 1);
    timer->set_control(CTL_ENABLE);
    check((timer->control() & CTL_ISTATUS) == 0, "far_future_is_not_met");
    check_equal("far_future_does_not_fire", gic_ack(), IRQ_SPURIOUS);
    timer->set_control(0);
}

/* Still asserted at the end of its interrupt: comes again. */
static void level(const struct timer *timer)
{
    timer->set_value(0);
    timer->set_control(CTL_ENABLE);
    unsigned irq = timer->ppi;

    for (unsigned i = 0; i < 8 && irq == timer->ppi; i++) {
        irq = ack_soon();
        if (i == 7)
            timer->set_control(0);
        gic_eoi(irq);
    }
    check_equal("asserted_timer_comes_again", irq, timer->ppi);
    timer->set_control(0);
    check_equal("and_stops", gic_ack(), IRQ_SPURIOUS);
}

static void counters(void)
{
    uint64_t last = counter();
    bool forwards = true;

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = counter();

        forwards = forwards && now >= last;
        last = now;
    }
    check(forwards, "counter_never_runs_backwards");

    uint64_t frequency = sysreg_read(cntfrq_el0);

    check(frequency >= 1000000 && frequency <= 1000000000, "frequency_is_sane");

    /* Both counters at one rate: their distance changes by no more than reading takes. */
    uint64_t before = cntp_now() - cntv_now();

    for (uint64_t end = counter() + frequency / 50; counter() < end;)
        continue;
    uint64_t after = cntp_now() - cntv_now();

    check(after - before + frequency / 1000 < frequency / 500, "counters_run_at_one_rate");
}

void guest_main(void)
{
    uint64_t frequency = sysreg_read(cntfrq_el0);

    gic_init();
    counters();
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        current = &timers[i];
        print("timer: %s\n", current->name);
        gic_set_priority(current->ppi, 0xa0);
        gic_enable(current->ppi);
        fires(current, frequency / 1000);
        masking(current);
        level(current);
        gic_disable(current->ppi);
    }
}
