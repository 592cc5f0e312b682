/* SPDX-License-Identifier: BSD-2-Clause */
/* A GICv3 guest's interrupts, from source to deactivation, over a fake of the hardware. */

#include "tests/unit/vgic_machine.h"

#include "vm/state.h"

#define SPI 40u
#define SGI(intid, targets) ((uint64_t)(intid) << 24 | (targets))

static bool spi_active(uint32_t intid)
{
    return gicd_read(ISACTIVER + intid / 32 * 4, 4) >> intid % 32 & 1;
}

static bool spi_pending(uint32_t intid)
{
    return gicd_read(ISPENDR + intid / 32 * 4, 4) >> intid % 32 & 1;
}

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

static void an_sgi_to_self_goes_straight_to_a_list_register(void **state)
{
    const struct vm_exit exit = { .ipi = { .value = SGI(3, 1), .kind = IPI_SGI1R } };

    (void)state;
    enable(3, 0x80, 0);
    virqchip_send_ipi(&vm.vcpus[0], &exit);
    assert_false(requested(0));
    assert_int_equal(fake_guest_ack(), 3);
    virqchip_send_ipi(&vm.vcpus[0], &exit); /* again while active */
    assert_false(requested(0));
    assert_int_equal(fake_guest_ack(), FAKE_SPURIOUS);
    fake_guest_eoi(3);
    assert_int_equal(fake_guest_ack(), 3);
    fake_guest_eoi(3);
    assert_int_equal(fake_guest_ack(), FAKE_SPURIOUS);
    virqchip_send_ipi(&vm.vcpus[0], &exit);
    assert_false(requested(0));
    assert_int_equal(fake_guest_ack(), 3);
    fake_guest_eoi(3);
}

static void an_sgi_reaches_another_vcpu_and_all_but_self(void **state)
{
    (void)state;
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        on(cpu);
        enable(5, 0x80, 0);
    }
    on(0);
    send_sgi1r(SGI(5, 2));
    assert_int_equal(ack(), FAKE_SPURIOUS);
    on(1);
    assert_int_equal(ack(), 5);
    eoi(5);
    send_sgi1r(SGI(5, 0) | BIT(40));
    assert_int_equal(ack(), FAKE_SPURIOUS);
    on(0);
    assert_int_equal(ack(), 5);
    eoi(5);
    send_sgi1r(SGI(5, 3));
    assert_int_equal(ack(), 5);
    eoi(5);
    on(1);
    assert_int_equal(ack(), 5);
    eoi(5);
}

static void sgis_to_affinities_that_are_not_there_go_nowhere(void **state)
{
    static const uint64_t elsewhere[] = { BIT(16), BIT(32), BIT(48), BIT(44), 0xfffc };

    (void)state;
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        on(cpu);
        enable(5, 0x80, 0);
        for (unsigned i = 0; i < ARRAY_SIZE(elsewhere); i++)
            send_sgi1r(SGI(5, i == 4 ? 0 : 3) | elsewhere[i]);
    }
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        on(cpu);
        assert_int_equal(ack(), FAKE_SPURIOUS);
    }
}

static void group_0_registers_send_group_0_only(void **state)
{
    struct vm_exit exit = { .ipi = { .value = SGI(3, 1), .kind = IPI_SGI0R } };

    (void)state;
    enable(3, 0x80, 0);
    virqchip_send_ipi(&vm.vcpus[0], &exit);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    gicr_write(0, SGI_FRAME + IGROUPR, 4, 0);
    virqchip_send_ipi(&vm.vcpus[0], &exit);
    assert_int_equal(ack(), 3);
    eoi(3);
    exit.ipi.kind = IPI_ASGI1R;
    virqchip_send_ipi(&vm.vcpus[0], &exit);
    assert_int_equal(ack(), 3);
    eoi(3);
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

static void a_pending_interrupt_wakes_a_vcpu_that_is_not_loaded(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    put(0);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    inject(SPI);
    assert_true(requested(0));
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    load(0);
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    assert_int_equal(ack(), SPI);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    eoi(SPI);
}

/* Loaded or not, so listed or not. */
static void assert_wakes(bool expected)
{
    assert_int_equal(virqchip_wakes(&vm.vcpus[0]), expected);
    put(0);
    assert_int_equal(virqchip_wakes(&vm.vcpus[0]), expected);
    load(0);
    assert_int_equal(virqchip_wakes(&vm.vcpus[0]), expected);
}

static void what_the_guests_interface_masks_ends_no_halt(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    enable(3, 0x40, 0);
    inject(SPI);
    fake_guest_interface(true, true, 0x80, false);
    assert_wakes(false);
    fake_guest_interface(true, false, 0xff, false);
    assert_wakes(false);
    fake_guest_interface(true, true, 0x88, false);
    assert_wakes(true);
    fake_guest_interface(true, true, 0x40, false);
    send_sgi1r(SGI(3, 1));
    assert_wakes(false);
    fake_guest_interface(true, true, 0x48, false);
    assert_wakes(true);
}

static void what_does_not_preempt_ends_no_halt(void **state)
{
    struct gich_state interface;

    (void)state;
    enable(SPI, 0x80, 0);
    enable(3, 0x80, 0);
    enable(4, 0x40, 0);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    inject(SPI); /* active and pending */
    assert_wakes(false);
    send_sgi1r(SGI(3, 1));
    assert_wakes(false);
    send_sgi1r(SGI(4, 1));
    assert_wakes(true);
    gich.ops->save(&interface);
    interface.vmcr |= 7u << 18; /* binary point: of group 1's priorities only bit 7 preempts */
    gich.ops->load(&interface);
    assert_wakes(true);
    assert_int_equal(ack(), 4);
    eoi(4);
    assert_wakes(false);
    eoi(SPI);
    assert_wakes(true);
}

static void levels_of_preemption_may_take_more_registers(void **state)
{
    struct gich_state interface = { 0 };

    (void)state;
    enable(SPI, 0x40, 0);
    inject(SPI);
    gich.ap_registers = 2; /* 64 levels: every fourth priority */
    gich.ops->save(&interface);
    interface.ap1r[0] = 0;
    interface.ap1r[1] = 1; /* 0x80 */
    gich.ops->load(&interface);
    assert_wakes(true);
    interface.ap1r[0] = 1u << 16; /* 0x40 */
    gich.ops->load(&interface);
    assert_wakes(false);
    interface.ap1r[0] = 1u << 17;
    gich.ops->load(&interface);
    assert_wakes(true);
}

static void active_interrupts_live_through_put_and_load(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    enable(SPI + 1, 0x40, 0);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    inject(SPI + 1);
    assert_int_equal(ack(), SPI + 1);
    put(0);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    load(0);
    assert_true(spi_active(SPI) && spi_active(SPI + 1));
    inject(SPI);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    eoi(SPI + 1);
    eoi(SPI);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
    assert_false(spi_active(SPI) || spi_active(SPI + 1));
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

static void a_private_interrupt_is_injected_into_the_vcpus_named(void **state)
{
    (void)state;
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        on(cpu);
        enable(20, 0x80, 0);
        gicr_write(cpu, SGI_FRAME + ICFGR + 4, 4, 2u << 4 * 2);
    }
    assert_int_equal(virqchip_inject(&vm, 3, 20), OK);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        on(cpu);
        assert_int_equal(ack(), 20);
        eoi(20);
    }
}

static void reset_leaves_nothing_of_before(void **state)
{
    static uint8_t fresh[16384], after[16384];
    struct state_writer out;

    (void)state;
    machine_stop();
    machine_create(3, 4, 2);
    state_writer_init(&out, fresh, sizeof(fresh));
    vm.devices->ops->save(vm.devices, &out);
    machine_stop();

    machine_start(3, 4, 2);
    for (uint32_t i = 0; i < 10; i++) {
        enable(SPI + i, (uint8_t)(0xf0 - 8 * i), i % 2);
        inject(SPI + i);
        ack();
    }
    enable(3, 0x80, 0);
    send_sgi1r(SGI(3, 3));
    set_line(SPI + 40, true);
    put(0);
    put(1);
    virqchip_reset(&vm);
    state_writer_init(&out, after, sizeof(after));
    vm.devices->ops->save(vm.devices, &out);
    assert_int_equal(state_writer_status(&out), OK);
    assert_memory_equal(fresh, after, out.bytes);
    load(0);
    load(1);
    for (unsigned n = 0; n < gich.lrs; n++)
        assert_int_equal(gich.ops->read_lr(n), 0);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
}

static void powering_on_resets_the_interface_and_keeps_what_was_sent(void **state)
{
    (void)state;
    on(1);
    enable(3, 0x80, 0);
    enable(4, 0x40, 0);
    on(0);
    send_sgi1r(SGI(4, 2));
    on(1);
    assert_int_equal(ack(), 4); /* never ended */
    put(1);
    send_sgi1r(SGI(3, 2));
    virqchip_reset_vcpu(&vm.vcpus[1]);
    load(1);
    assert_int_equal(gich.ops->read_vmcr(), 0);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    gicr_write(1, SGI_FRAME + ICACTIVER, 4, ~0u);
    fake_guest_interface(true, true, 0xff, false);
    assert_int_equal(ack(), 3);
    eoi(3);
    assert_int_equal(ack(), FAKE_SPURIOUS);
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
        with_machine(an_sgi_to_self_goes_straight_to_a_list_register),
        with_machine(an_sgi_reaches_another_vcpu_and_all_but_self),
        with_machine(sgis_to_affinities_that_are_not_there_go_nowhere),
        with_machine(group_0_registers_send_group_0_only),
        with_machine(a_disabled_group_waits_until_the_guest_enables_it),
        with_machine(the_distributor_switches_groups_off),
        with_machine(a_pending_interrupt_wakes_a_vcpu_that_is_not_loaded),
        with_machine(what_the_guests_interface_masks_ends_no_halt),
        with_machine(what_does_not_preempt_ends_no_halt),
        with_machine(levels_of_preemption_may_take_more_registers),
        with_machine(active_interrupts_live_through_put_and_load),
        with_machine(injection_checks_its_arguments),
        with_machine(a_private_interrupt_is_injected_into_the_vcpus_named),
        with_machine(reset_leaves_nothing_of_before),
        with_machine(powering_on_resets_the_interface_and_keeps_what_was_sent),
        with_machine(priorities_preempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
