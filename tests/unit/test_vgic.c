/* SPDX-License-Identifier: BSD-2-Clause */
/* A GICv3 guest's interrupts, from source to deactivation, over a fake of the hardware. */
#include "tests/unit/vgic_machine.h"

#define SPI 40u

static void an_edge_is_delivered_once(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    gicd_write(ICFGR + SPI / 16 * 4, 4, 2u << SPI % 16 * 2);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    assert_true(spi_active(SPI));
    eoi(SPI);
    assert_false(spi_active(SPI));
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void a_level_is_delivered_until_it_falls(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    set_line(SPI, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ack(), SPI);
        eoi(SPI);
    }
    assert_int_equal(ack(), SPI);
    set_line(SPI, false);
    eoi(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    assert_false(spi_pending(SPI));
}

static void a_level_that_falls_while_active_costs_no_maintenance(void **state)
{
    unsigned before;

    (void)state;
    enable(SPI, 0x80, 0);
    set_line(SPI, true);
    assert_int_equal(ack(), SPI);
    set_line(SPI, false);
    before = maintenance_count;
    eoi(SPI);
    assert_int_equal(maintenance_count, before);
}

static void a_level_that_falls_before_it_is_taken_is_withdrawn(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    set_line(SPI, true);
    assert_true(fake_guest_signalled());
    set_line(SPI, false);
    assert_false(fake_guest_signalled());
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void an_edge_while_active_is_delivered_after_it(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    gicd_write(ICFGR + SPI / 16 * 4, 4, 2u << SPI % 16 * 2);
    set_line(SPI, true);
    assert_int_equal(ack(), SPI);
    set_line(SPI, false);
    set_line(SPI, true);
    assert_true(spi_active(SPI) && spi_pending(SPI));
    assert_int_equal(ack(), FAKE_SPURIOUS);
    eoi(SPI);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void disabling_while_active_leaves_the_deactivation_through(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    set_line(SPI, true);
    assert_int_equal(ack(), SPI);
    gicd_write(ICENABLER + SPI / 32 * 4, 4, 1u << SPI % 32);
    set_line(SPI, false);
    assert_true(spi_active(SPI));
    eoi(SPI);
    assert_false(spi_active(SPI));
    set_line(SPI, true);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    gicd_write(ISENABLER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void disabling_while_pending_withholds_it(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    inject(SPI);
    gicd_write(ICENABLER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    assert_true(spi_pending(SPI));
    gicd_write(ISENABLER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void more_pending_than_list_registers_come_by_priority(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++)
        enable(SPI + i, (uint8_t)(0xf0 - 8 * i), 0);
    for (uint32_t i = 0; i < 20; i++)
        inject(SPI + i);
    for (uint32_t i = 20; i-- > 0;) {
        assert_int_equal(ack(), SPI + i);
        eoi(SPI + i);
    }
    assert_int_equal(ack(), FAKE_SPURIOUS);
    assert_true(maintenance_count < 12);
}

static void all_list_registers_active_and_more_pending_does_not_storm(void **state)
{
    (void)state;
    /* Nested: each preempts the one before; more than fit. */
    for (uint32_t i = 0; i < 10; i++)
        enable(SPI + i, (uint8_t)(0xf0 - 8 * i), 0);
    for (uint32_t i = 0; i < 10; i++) {
        inject(SPI + i);
        assert_int_equal(ack(), SPI + i);
    }
    enable(SPI + 30, 0xf0, 0); /* cannot preempt */
    inject(SPI + 30);
    maintenance_count = 0;
    for (unsigned i = 0; i < 100; i++)
        settle();
    assert_int_equal(maintenance_count, 0);
    for (uint32_t i = 10; i-- > 0;) {
        assert_true(spi_active(SPI + i));
        eoi(SPI + i);
        assert_false(spi_active(SPI + i));
    }
    assert_int_equal(ack(), SPI + 30);
    eoi(SPI + 30);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void deactivations_of_what_is_not_listed_are_counted(void **state)
{
    (void)state;
    /* Priority dropped at once, deactivated later: more active than list registers. */
    fake_guest_interface(true, true, 0xff, true);
    for (uint32_t i = 0; i < 12; i++)
        enable(SPI + i, 0x80, 0);
    for (uint32_t i = 0; i < 12; i++)
        inject(SPI + i);
    for (uint32_t i = 0; i < 12; i++) {
        assert_int_equal(ack(), SPI + i);
        eoi(SPI + i);
    }
    assert_int_equal(ack(), FAKE_SPURIOUS);
    for (uint32_t i = 0; i < 12; i++)
        dir(SPI + i);
    for (uint32_t i = 0; i < 12; i++)
        assert_false(spi_active(SPI + i));
}

static void active_state_can_be_written(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    gicd_write(ISACTIVER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_true(spi_active(SPI));
    inject(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS); /* active: not signalled */
    gicd_write(ICACTIVER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_int_equal(ack(), SPI);
    gicd_write(ICACTIVER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_false(spi_active(SPI));
    eoi(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void active_state_elsewhere_can_be_written(void **state)
{
    (void)state;
    enable(SPI, 0x80, 1);
    inject(SPI);
    on(1);
    assert_int_equal(ack(), SPI);
    on(0);
    gicd_write(ICACTIVER + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_false(spi_active(SPI));
    on(1);
    assert_false(spi_active(SPI));
    eoi(SPI);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void pending_state_can_be_written(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    gicd_write(ISPENDR + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_true(fake_guest_signalled() && spi_pending(SPI));
    gicd_write(ICPENDR + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_false(fake_guest_signalled() || spi_pending(SPI));
    set_line(SPI, true);
    gicd_write(ICPENDR + SPI / 32 * 4, 4, 1u << SPI % 32);
    assert_true(spi_pending(SPI)); /* the level is still there */
    set_line(SPI, false);
    assert_false(spi_pending(SPI));
}

static void pending_elsewhere_is_withdrawn_by_a_write(void **state)
{
    (void)state;
    enable(SPI, 0x80, 1);
    inject(SPI);
    gicd_write(ICPENDR + SPI / 32 * 4, 4, 1u << SPI % 32);
    on(1);
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void a_new_route_moves_what_is_pending(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    inject(SPI);
    gicd_write(IROUTER + 8 * SPI, 4, 1); /* in two halves */
    gicd_write(IROUTER + 8 * SPI + 4, 4, 0);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    on(1);
    assert_int_equal(ack(), SPI);
    on(0);
    gicd_write(IROUTER + 8 * SPI, 8, 0); /* while active: stays there until it is over */
    inject(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    on(1);
    eoi(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    on(0);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void a_route_to_nobody_delivers_to_nobody(void **state)
{
    (void)state;
    enable(SPI, 0x80, 77);
    inject(SPI);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        on(cpu);
        assert_int_equal(ack(), FAKE_SPURIOUS);
    }
    gicd_write(IROUTER + 8 * SPI, 8, 1);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void a_disabled_group_waits_until_the_guest_enables_it(void **state)
{
    (void)state;
    fake_guest_interface(true, false, 0xff, false);
    for (uint32_t i = 0; i < 8; i++) { /* more than would fit, of the higher priority */
        enable(SPI + i, 0x10, 0);
        inject(SPI + i);
    }
    enable(SPI + 20, 0x80, 0);
    gicd_write(IGROUPR + 4, 4, gicd_read(IGROUPR + 4, 4) & ~(1u << 28));
    inject(SPI + 20);
    assert_int_equal(ack(), SPI + 20);
    eoi(SPI + 20);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    fake_guest_interface(true, true, 0xff, false);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
    assert_true(virqchip_wakes(&vm.vcpus[0]));
}

static void the_distributor_switches_groups_off(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    inject(SPI);
    gicd_write(0, 4, 1);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    gicd_write(0, 4, 2);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void injection_checks_its_arguments(void **state)
{
    (void)state;
    assert_int_equal(virqchip_inject(&vm, 1, VGIC_INTIDS), ERR_INVALID_ARGS);
    assert_int_equal(virqchip_inject(&vm, 1, UINT32_MAX), ERR_INVALID_ARGS);
    assert_int_equal(virqchip_inject(&vm, 4, 20), ERR_NOT_FOUND);
    assert_int_equal(virqchip_inject(&vm, UINT64_MAX, SPI), OK);
    assert_null(virqchip_line(&vm, 31).set);
    assert_null(virqchip_line(&vm, VGIC_INTIDS).set);
}

static void priorities_preempt(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    enable(3, 0x40, 0);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    send_sgi1r(SGI(3, 1));
    assert_int_equal(ack(), 3);
    eoi(3);
    eoi(SPI);
    enable(3, 0x80, 0);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    send_sgi1r(SGI(3, 1));
    assert_int_equal(ack(), FAKE_SPURIOUS);
    eoi(SPI);
    assert_int_equal(ack(), 3);
    eoi(3);
}

#define with_machine(test) cmocka_unit_test_setup_teardown(test, machine_setup_v3, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_machine(an_edge_is_delivered_once),
        with_machine(a_level_is_delivered_until_it_falls),
        with_machine(a_level_that_falls_while_active_costs_no_maintenance),
        with_machine(a_level_that_falls_before_it_is_taken_is_withdrawn),
        with_machine(an_edge_while_active_is_delivered_after_it),
        with_machine(disabling_while_active_leaves_the_deactivation_through),
        with_machine(disabling_while_pending_withholds_it),
        with_machine(more_pending_than_list_registers_come_by_priority),
        with_machine(all_list_registers_active_and_more_pending_does_not_storm),
        with_machine(deactivations_of_what_is_not_listed_are_counted),
        with_machine(active_state_can_be_written),
        with_machine(active_state_elsewhere_can_be_written),
        with_machine(pending_state_can_be_written),
        with_machine(pending_elsewhere_is_withdrawn_by_a_write),
        with_machine(a_new_route_moves_what_is_pending),
        with_machine(a_route_to_nobody_delivers_to_nobody),
        with_machine(a_disabled_group_waits_until_the_guest_enables_it),
        with_machine(the_distributor_switches_groups_off),
        with_machine(injection_checks_its_arguments),
        with_machine(priorities_preempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
