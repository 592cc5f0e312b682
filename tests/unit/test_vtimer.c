/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's timers: from expiry to the guest's end of their interrupt, loaded or not. */

#include "tests/unit/vgic_machine.h"

static int start(void **state)
{
    (void)state;
    machine_start(3, 4, 2);
    enable(VTIMER_IRQ, 0x80, 0);
    enable(PTIMER_IRQ, 0x80, 0);
    return 0;
}

/* On a host whose distributor is not told of the guest's end (gich.hw_end). */
static int start_told_by_us(void **state)
{
    start(state);
    gich.hw_end = false;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    check_invariants();
    machine_stop();
    for (unsigned cpu = 0; cpu < MACHINE_CPUS; cpu++) {
        for (unsigned irq = 0; irq < 32; irq++)
            assert_false(physical_active[cpu][irq]);
    }
    return 0;
}

/* As the guest does, in its own counter's ticks. */
static void set_virtual(uint64_t cval)
{
    fake_vtimer_regs()->cntv_cval = cval;
    fake_vtimer_regs()->cntv_ctl = TIMER_CTL_ENABLE;
}

static void mask_virtual(void)
{
    fake_vtimer_regs()->cntv_ctl = TIMER_CTL_ENABLE | TIMER_CTL_IMASK;
}

static void set_physical(uint64_t cval)
{
    fake_vtimer_regs()->cntp_cval = cval;
    fake_vtimer_regs()->cntp_ctl = TIMER_CTL_ENABLE;
}

static void the_virtual_counter_starts_at_zero(void **state)
{
    (void)state;
    assert_int_equal(arch_counter() - fake_vtimer_offset(), 0);
    put(0);
    put(1);
    fake_counter_set(5000);
    virqchip_reset(&vm);
    load(0);
    load(1);
    assert_int_equal(fake_vtimer_offset(), 5000);
}

static void an_expiry_is_ended_by_the_guest(void **state)
{
    (void)state;
    set_virtual(100);
    counter_to(1099);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    for (unsigned tick = 1; tick < 5; tick++) {
        counter_to(1000 + 100 * tick);
        assert_true(physical_active[0][VTIMER_IRQ]);
        assert_int_equal(ack(), VTIMER_IRQ);
        set_virtual(100 * (tick + 1));
        eoi(VTIMER_IRQ);
        assert_false(physical_active[0][VTIMER_IRQ]);
        assert_int_equal(ack(), FAKE_SPURIOUS);
    }
    assert_int_equal(maintenance_count, gich.hw_end ? 0 : 4);
}

static void both_timers_expire_at_once(void **state)
{
    (void)state;
    set_virtual(100);
    set_physical(1100);
    counter_to(1100);
    assert_int_equal(ack(), VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
    assert_int_equal(ack(), PTIMER_IRQ);
    fake_vtimer_regs()->cntp_ctl = 0;
    eoi(PTIMER_IRQ);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void ending_it_without_a_new_deadline_brings_it_again(void **state)
{
    (void)state;
    set_virtual(100);
    counter_to(1100);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ack(), VTIMER_IRQ);
        eoi(VTIMER_IRQ);
    }
    mask_virtual();
    settle();
    put(0); /* the one that is listed already is withdrawn */
    load(0);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void a_disabled_interrupt_does_not_storm(void **state)
{
    (void)state;
    gicr_write(0, SGI_FRAME + ICENABLER, 4, 1u << VTIMER_IRQ);
    set_virtual(100);
    counter_to(1100);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    assert_true(physical_active[0][VTIMER_IRQ]);
    assert_true(gicr_read(0, SGI_FRAME + ISPENDR, 4) >> VTIMER_IRQ & 1);
    set_virtual(300);
    assert_false(gicr_read(0, SGI_FRAME + ISPENDR, 4) >> VTIMER_IRQ & 1);
    assert_false(physical_active[0][VTIMER_IRQ]);
    gicr_write(0, SGI_FRAME + ISENABLER, 4, 1u << VTIMER_IRQ);
    counter_to(1300);
    assert_int_equal(ack(), VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
}

static void it_expires_while_not_loaded(void **state)
{
    (void)state;
    set_virtual(100);
    put(0);
    counter_to(1099);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    assert_false(requested(0));
    counter_to(1100);
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    assert_true(requested(0));
    load(0);
    assert_int_equal(ack(), VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void the_later_timer_wakes_too(void **state)
{
    (void)state;
    gicr_write(0, SGI_FRAME + ICENABLER, 4, 1u << VTIMER_IRQ);
    set_virtual(100);
    set_physical(1200);
    put(0);
    counter_to(1100);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    counter_to(1200);
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    load(0);
    assert_int_equal(ack(), PTIMER_IRQ);
    fake_vtimer_regs()->cntp_ctl = 0;
    eoi(PTIMER_IRQ);
}

static void an_expiry_on_the_way_out_asks_for_the_vcpu(void **state)
{
    (void)state;
    set_virtual(100);
    fake_counter_set(1100); /* the host's interrupt is not taken yet */
    assert_false(requested(0));
    put(0);
    assert_true(requested(0));
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    load(0);
    assert_int_equal(ack(), VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
}

static void an_active_one_lives_through_put_and_load(void **state)
{
    (void)state;
    set_virtual(100);
    counter_to(1100);
    assert_int_equal(ack(), VTIMER_IRQ);
    put(0);
    assert_false(physical_active[0][VTIMER_IRQ]);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    load(0);
    assert_true(physical_active[0][VTIMER_IRQ]); /* so the level interrupts nobody */
    assert_int_equal(ack(), FAKE_SPURIOUS);
    set_virtual(500);
    eoi(VTIMER_IRQ);
    assert_false(physical_active[0][VTIMER_IRQ]);
    counter_to(1500);
    assert_int_equal(ack(), VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
}

static void a_listed_one_whose_level_falls_is_withdrawn(void **state)
{
    (void)state;
    set_virtual(100);
    counter_to(1100);
    assert_true(fake_guest_signalled());
    mask_virtual();
    inject(40); /* any reason to look */
    virqchip_sync(&vm.vcpus[0]);
    assert_false(fake_guest_signalled());
    assert_false(physical_active[0][VTIMER_IRQ]);
}

static void one_made_pending_by_a_write_needs_no_expiry(void **state)
{
    (void)state;
    gicr_write(0, SGI_FRAME + ISPENDR, 4, 1u << VTIMER_IRQ);
    assert_int_equal(ack(), VTIMER_IRQ);
    set_virtual(100);
    counter_to(1100); /* expires while that is active */
    eoi(VTIMER_IRQ);
    assert_int_equal(ack(), VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    settle();
    assert_false(physical_active[0][VTIMER_IRQ]);
}

static void it_is_pending_once_more_while_active(void **state)
{
    (void)state;
    set_virtual(100);
    counter_to(1100);
    assert_int_equal(ack(), VTIMER_IRQ);
    gicr_write(0, SGI_FRAME + ISPENDR, 4, 1u << VTIMER_IRQ);
    mask_virtual();
    eoi(VTIMER_IRQ);
    assert_int_equal(ack(), VTIMER_IRQ);
    eoi(VTIMER_IRQ);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    put(0);
    assert_false(physical_active[0][VTIMER_IRQ]);
    load(0);
}

static void deadlines_beyond_the_counter_never_come(void **state)
{
    (void)state;
    set_virtual(UINT64_MAX - 10); /* plus the offset: past the end */
    set_physical(UINT64_MAX);
    put(0);
    counter_to(UINT64_MAX / 2);
    assert_false(requested(0));
    load(0);
}

static void the_timers_of_a_vcpu_that_was_reset_are_off(void **state)
{
    (void)state;
    set_virtual(100);
    set_physical(1100);
    put(0);
    virqchip_reset_vcpu(&vm.vcpus[0]);
    counter_to(2000);
    assert_false(requested(0));
    load(0);
    assert_int_equal(fake_vtimer_regs()->cntv_ctl | fake_vtimer_regs()->cntp_ctl, 0);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void every_tick_of_two_vcpus_comes(void **state)
{
    (void)state;
    on(1);
    enable(VTIMER_IRQ, 0x80, 0);
    for (unsigned tick = 1; tick < 200; tick++) {
        for (unsigned cpu = 0; cpu < 2; cpu++) {
            on(cpu);
            set_virtual(10 * tick);
            if (tick % 3 == cpu)
                put(cpu);
        }
        counter_to(1000 + 10 * tick);
        for (unsigned cpu = 0; cpu < 2; cpu++) {
            on(cpu);
            if (tick % 3 == cpu)
                load(cpu);
            assert_int_equal(ack(), VTIMER_IRQ);
            mask_virtual();
            eoi(VTIMER_IRQ);
            assert_int_equal(ack(), FAKE_SPURIOUS);
        }
    }
}

#define with_machine(test)                              \
    cmocka_unit_test_setup_teardown(test, start, stop), \
        cmocka_unit_test_setup_teardown(test, start_told_by_us, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_machine(the_virtual_counter_starts_at_zero),
        with_machine(an_expiry_is_ended_by_the_guest),
        with_machine(both_timers_expire_at_once),
        with_machine(ending_it_without_a_new_deadline_brings_it_again),
        with_machine(a_disabled_interrupt_does_not_storm),
        with_machine(it_expires_while_not_loaded),
        with_machine(the_later_timer_wakes_too),
        with_machine(an_expiry_on_the_way_out_asks_for_the_vcpu),
        with_machine(an_active_one_lives_through_put_and_load),
        with_machine(a_listed_one_whose_level_falls_is_withdrawn),
        with_machine(one_made_pending_by_a_write_needs_no_expiry),
        with_machine(it_is_pending_once_more_while_active),
        with_machine(deadlines_beyond_the_counter_never_come),
        with_machine(the_timers_of_a_vcpu_that_was_reset_are_off),
        with_machine(every_tick_of_two_vcpus_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
