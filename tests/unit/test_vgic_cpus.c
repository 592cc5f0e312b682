/* SPDX-License-Identifier: BSD-2-Clause */
/* A GICv3 and its CPUs: SGIs, what ends a halt, put and load, reset and power-on. */
#include "tests/unit/vgic_machine.h"

#include "tests/unit/vdev_record.h"

#define SPI 40u

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

    (void)state;
    machine_stop();
    machine_create(3, 4, 2);
    vdev_save(vm.devices, fresh, sizeof(fresh));
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
    vdev_save(vm.devices, after, sizeof(after));
    assert_memory_equal(fresh, after, sizeof(after));
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

#define with_machine(test) cmocka_unit_test_setup_teardown(test, machine_setup_v3, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_machine(an_sgi_to_self_goes_straight_to_a_list_register),
        with_machine(an_sgi_reaches_another_vcpu_and_all_but_self),
        with_machine(sgis_to_affinities_that_are_not_there_go_nowhere),
        with_machine(group_0_registers_send_group_0_only),
        with_machine(a_pending_interrupt_wakes_a_vcpu_that_is_not_loaded),
        with_machine(what_the_guests_interface_masks_ends_no_halt),
        with_machine(what_does_not_preempt_ends_no_halt),
        with_machine(levels_of_preemption_may_take_more_registers),
        with_machine(active_interrupts_live_through_put_and_load),
        with_machine(a_private_interrupt_is_injected_into_the_vcpus_named),
        with_machine(reset_leaves_nothing_of_before),
        with_machine(powering_on_resets_the_interface_and_keeps_what_was_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
