/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC and messages: edges, levels and their ends, destinations, hostile writes. */
#include "tests/unit/pc_machine.h"

#define MASKED 0x10000ull
#define LEVEL 0x8000ull
#define REMOTE_IRR 0x4000ull
#define LOGICAL 0x800ull
#define TO(id) ((uint64_t)(id) << 56)
#define IOAPIC_EOI (VIOAPIC_BASE + 0x40)

static void it_is_a_version_20_part_with_24_masked_pins(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    mmio_write(0, VIOAPIC_BASE, 4, 1);
    assert_int_equal(mmio_read(0, VIOAPIC_BASE, 4), 1);
    assert_int_equal(mmio_read(0, VIOAPIC_BASE + 0x10, 4), 0x00170020);
    mmio_write(0, VIOAPIC_BASE, 4, 0);
    mmio_write(0, VIOAPIC_BASE + 0x10, 4, UINT32_MAX);
    assert_int_equal(mmio_read(0, VIOAPIC_BASE + 0x10, 4), 0x0f000000);
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
        assert_int_equal(entry_read(pin), MASKED);
        entry_write(pin, UINT64_MAX);
        assert_int_equal(entry_read(pin), 0xff0000000001afff);
    }
    mmio_write(0, VIOAPIC_BASE, 4, 0x40); /* past the last */
    mmio_write(0, VIOAPIC_BASE + 0x10, 4, UINT32_MAX);
    assert_int_equal(mmio_read(0, VIOAPIC_BASE + 0x10, 4), 0);
    pc_stop();
}

static void an_edge_comes_once_and_needs_no_end(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    entry_write(4, TO(1) | 0x34);
    gsi(4, true);
    assert_int_equal(taken(1), 0x34);
    apic_eoi(1);
    assert_int_equal(taken(1), NOTHING);
    gsi(4, true); /* no change */
    assert_int_equal(taken(1), NOTHING);
    gsi(4, false);
    gsi(4, true);
    assert_int_equal(taken(1), 0x34);
    assert_int_equal(entry_read(4), TO(1) | 0x34);
    pc_stop();
}

static void a_masked_edge_is_lost(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(4, MASKED | 0x34);
    gsi(4, true);
    entry_write(4, 0x34);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void a_level_comes_until_it_is_gone(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(11, LEVEL | 0x3b);
    gsi(11, true);
    assert_int_equal(taken(0), 0x3b);
    assert_int_equal(apic_read(0, APIC_TMR + 1), 1u << 27);
    assert_int_equal(entry_read(11), LEVEL | REMOTE_IRR | 0x3b);
    assert_int_equal(taken(0), NOTHING);
    apic_eoi(0); /* still asserted */
    assert_int_equal(taken(0), 0x3b);
    gsi(11, false);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(entry_read(11), LEVEL | 0x3b);
    pc_stop();
}

static void a_level_waits_behind_its_mask(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(11, LEVEL | MASKED | 0x3b);
    gsi(11, true);
    assert_int_equal(taken(0), NOTHING);
    entry_write(11, LEVEL | 0x3b);
    assert_int_equal(taken(0), 0x3b);
    entry_write(11, LEVEL | MASKED | 0x3b); /* masked while it is served */
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    entry_write(11, LEVEL | 0x3b);
    assert_int_equal(taken(0), 0x3b);
    gsi(11, false);
    apic_eoi(0);
    pc_stop();
}

static void ends_in_any_order_find_their_pins(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(10, LEVEL | 0x3a);
    entry_write(11, LEVEL | 0x5b);
    gsi(10, true);
    assert_int_equal(taken(0), 0x3a);
    gsi(11, true);
    assert_int_equal(taken(0), 0x5b);
    gsi(10, false);
    gsi(11, false);
    apic_eoi(0);
    assert_int_equal(entry_read(11), LEVEL | 0x5b);
    assert_int_equal(entry_read(10), LEVEL | REMOTE_IRR | 0x3a);
    apic_eoi(0);
    assert_int_equal(entry_read(10), LEVEL | 0x3a);
    pc_stop();
}

static void two_pins_may_share_a_vector(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(10, LEVEL | 0x3a);
    entry_write(11, LEVEL | 0x3a);
    gsi(10, true);
    gsi(11, true);
    assert_int_equal(taken(0), 0x3a);
    gsi(10, false);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x3a);
    gsi(11, false);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal((entry_read(10) | entry_read(11)) & REMOTE_IRR, 0);
    pc_stop();
}

static void the_eoi_register_ends_what_is_not_broadcast(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_SVR, 0x11ff); /* no broadcast */
    entry_write(11, LEVEL | 0x3b);
    gsi(11, true);
    assert_int_equal(taken(0), 0x3b);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(entry_read(11), LEVEL | REMOTE_IRR | 0x3b);
    mmio_write(0, IOAPIC_EOI, 4, 0x3a); /* another's */
    assert_int_equal(taken(0), NOTHING);
    mmio_write(0, IOAPIC_EOI, 4, 0x3b);
    assert_int_equal(taken(0), 0x3b);
    gsi(11, false);
    pc_stop();
}

static void turning_a_served_level_into_an_edge_ends_it(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(11, LEVEL | 0x3b);
    gsi(11, true);
    assert_int_equal(taken(0), 0x3b);
    entry_write(11, MASKED | 0x3b); /* as an operating system clears a stuck one */
    entry_write(11, MASKED | LEVEL | 0x3b);
    assert_int_equal(entry_read(11), MASKED | LEVEL | 0x3b);
    pc_stop();
}

static void entries_reach_logical_lowest_nmi_and_broadcast(void **unused)
{
    (void)unused;
    pc_start_enabled(3);
    for (unsigned id = 0; id < 3; id++)
        apic_write(id, APIC_LDR, 1u << (24 + id));
    apic_write(0, APIC_TPR, 0x20);
    entry_write(5, TO(3) | LOGICAL | 0x100 | 0x45);
    gsi(5, true);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(taken(1), 0x45);
    apic_eoi(1);
    entry_write(6, TO(4) | LOGICAL | 0x400);
    gsi(6, true);
    assert_int_equal(guest[2].nmis, 1);
    entry_write(7, TO(0xff) | 0x47);
    gsi(7, true);
    for (unsigned id = 0; id < 3; id++)
        assert_int_equal(taken(id), 0x47);
    entry_write(8, TO(1) | 0x500); /* INIT is not for pins */
    gsi(8, true);
    assert_int_equal(guest[1].turned_off, 0);
    pc_stop();
}

static void isa_irq_0_is_pin_2(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(0, 0x30);
    entry_write(2, 0x32);
    gsi(0, true);
    assert_int_equal(taken(0), 0x32);
    assert_null(virqchip_line(&vm, 2).set);
    assert_null(virqchip_line(&vm, 24).set);
    pc_stop();
}

static void the_pic_can_come_through_pin_0(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    apic_write(0, APIC_LVT_LINT0, APIC_MASKED);
    entry_write(0, TO(1) | 0x700);
    pic_init(1);
    gsi(3, true);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(taken(1), 0x23);
    assert_int_equal(taken(1), NOTHING);
    pc_stop();
}

static void messages_are_delivered_like_entries(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    pc_msi(&vm, 0xfee01000, 0x51);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(taken(1), 0x51);
    apic_eoi(1);
    apic_write(0, APIC_LDR, 1u << 24);
    pc_msi(&vm, 0xfee0100c, 0x152); /* redirection hint, logical, lowest priority */
    assert_int_equal(taken(0), 0x52);
    pc_msi(&vm, 0xfed01000, 0x53); /* not an APIC's */
    pc_msi(&vm, 0x1fee01000, 0x53);
    pc_msi(&vm, 0xfee01000, LEVEL | 0x53); /* de-assert */
    assert_int_equal(taken(1), NOTHING);
    pc_stop();
}

static void an_injected_interrupt_is_an_edge(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    entry_write(20, 0x44);
    assert_int_equal(virqchip_inject(&vm, 0, 20), OK);
    assert_int_equal(taken(0), 0x44);
    apic_eoi(0);
    assert_int_equal(virqchip_inject(&vm, 0, 20), OK);
    assert_int_equal(taken(0), 0x44);
    apic_eoi(0);
    entry_write(20, LEVEL | 0x44);
    assert_int_equal(virqchip_inject(&vm, 0, 20), OK);
    assert_int_equal(taken(0), 0x44);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(virqchip_inject(&vm, 1, 24), ERR_INVALID_ARGS);
    assert_int_equal(virqchip_inject(&vm, 1, 2), ERR_INVALID_ARGS);
    pc_stop();
}

static void random_accesses_never_break_it(void **unused)
{
    uint64_t random = 2;

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        pc_start_enabled(PC_CPUS);
        for (unsigned i = 0; i < 3000; i++) {
            unsigned size = 1u << random_below(&random, 4);
            unsigned cpu = (unsigned)random_below(&random, PC_CPUS);
            uint64_t value = random_next(&random) >> random_below(&random, 64);
            uint64_t at = VIOAPIC_BASE + random_below(&random, 0x50) / size * size;
            uint32_t line = (uint32_t)random_below(&random, VIOAPIC_PINS);

            switch (random_below(&random, 6)) {
            case 0: mmio_read(cpu, at, size); break;
            case 1: mmio_write(cpu, at, size, value); break;
            case 2: entry_write(line, value); break;
            case 3: gsi(line == 2 ? 3 : line, value & 1); break;
            case 4: pc_msi(&vm, VLAPIC_BASE | (value & 0xfffff), (uint32_t)value); break;
            default:
                taken(cpu);
                apic_eoi(cpu);
                break;
            }
            settle();
            check_invariants();
        }
        pc_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_version_20_part_with_24_masked_pins),
        cmocka_unit_test(an_edge_comes_once_and_needs_no_end),
        cmocka_unit_test(a_masked_edge_is_lost),
        cmocka_unit_test(a_level_comes_until_it_is_gone),
        cmocka_unit_test(a_level_waits_behind_its_mask),
        cmocka_unit_test(ends_in_any_order_find_their_pins),
        cmocka_unit_test(two_pins_may_share_a_vector),
        cmocka_unit_test(the_eoi_register_ends_what_is_not_broadcast),
        cmocka_unit_test(turning_a_served_level_into_an_edge_ends_it),
        cmocka_unit_test(entries_reach_logical_lowest_nmi_and_broadcast),
        cmocka_unit_test(isa_irq_0_is_pin_2),
        cmocka_unit_test(the_pic_can_come_through_pin_0),
        cmocka_unit_test(messages_are_delivered_like_entries),
        cmocka_unit_test(an_injected_interrupt_is_an_edge),
        cmocka_unit_test(random_accesses_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
