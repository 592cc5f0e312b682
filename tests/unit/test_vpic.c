/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259As through LINT0 of vCPU 0, as a guest's ports drive them. */
#include "tests/unit/pc_machine.h"

#define AUTO_EOI 3u
#define PLAIN 1u
#define EOI 0x20u
#define ROTATE_EOI 0xa0u
#define READ_IRR 0x0au
#define READ_ISR 0x0bu
#define SET_SPECIAL 0x68u
#define CLEAR_SPECIAL 0x48u
#define POLL 0x0cu

static void start(uint8_t icw4)
{
    pc_start(1); /* the local APIC as after power-on: virtual wire */
    pic_init(icw4);
}

static uint8_t isr(uint16_t port)
{
    port_out(port, READ_ISR);
    return port_in(port);
}

static uint8_t irr(uint16_t port)
{
    port_out(port, READ_IRR);
    return port_in(port);
}

static void pulse(unsigned irq)
{
    gsi(irq, false);
    gsi(irq, true);
}

static void nothing_comes_before_it_is_initialised(void **unused)
{
    (void)unused;
    pc_start(1);
    gsi(4, true);
    assert_int_equal(taken(0), NOTHING);
    port_out(0x20, 0x11);
    port_out(0x21, 0x20);
    port_out(0x21, 0x04);
    gsi(5, true);
    assert_int_equal(taken(0), NOTHING); /* ICW4 is missing yet */
    port_out(0x21, 0x01);
    assert_int_equal(taken(0), 0x25);
    pc_stop();
}

static void an_edge_is_taken_once_and_served_until_its_end(void **unused)
{
    (void)unused;
    start(PLAIN);
    gsi(4, true);
    assert_int_equal(irr(0x20), 0); /* taken already */
    assert_int_equal(isr(0x20), 0x10);
    assert_int_equal(taken(0), 0x24);
    gsi(4, false);
    gsi(4, true);
    assert_int_equal(irr(0x20), 0x10);
    assert_int_equal(taken(0), NOTHING);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), 0x24);
    port_out(0x20, EOI);
    assert_int_equal(isr(0x20), 0);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void auto_eoi_leaves_nothing_in_service(void **unused)
{
    (void)unused;
    start(AUTO_EOI);
    pulse(0);
    assert_int_equal(taken(0), 0x20);
    assert_int_equal(isr(0x20), 0);
    pulse(9);
    assert_int_equal(taken(0), 0x29);
    assert_int_equal(isr(0x20) | isr(0xa0), 0);
    pulse(0);
    assert_int_equal(taken(0), 0x20);
    pc_stop();
}

static void the_lower_pin_goes_first_and_nests(void **unused)
{
    (void)unused;
    start(PLAIN);
    guest[0].interrupts = false;
    pulse(5);
    pulse(3);
    pulse(12);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x2c); /* the cascade is pin 2 */
    assert_int_equal(isr(0x20), 0x04);
    assert_int_equal(isr(0xa0), 0x10);
    pulse(1);
    assert_int_equal(taken(0), 0x21);
    assert_int_equal(taken(0), NOTHING);
    port_out(0x20, EOI); /* pin 1 */
    assert_int_equal(taken(0), NOTHING);
    port_out(0xa0, EOI);
    port_out(0x20, EOI); /* the cascade */
    assert_int_equal(taken(0), 0x23);
    port_out(0x20, 0x63); /* by name */
    assert_int_equal(taken(0), 0x25);
    pc_stop();
}

static void both_of_the_second_one_come(void **unused)
{
    (void)unused;
    start(AUTO_EOI);
    guest[0].interrupts = false;
    pulse(14);
    pulse(8);
    pulse(15);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x28);
    assert_int_equal(taken(0), 0x2e);
    assert_int_equal(taken(0), 0x2f);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void masks_hold_back_and_keep_the_edge(void **unused)
{
    (void)unused;
    start(PLAIN);
    port_out(0x21, 0xff);
    assert_int_equal(port_in(0x21), 0xff);
    pulse(6);
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(irr(0x20), 0x40);
    port_out(0x21, 0xbf);
    assert_int_equal(taken(0), 0x26);
    pc_stop();
}

static void an_edge_that_goes_away_is_no_request(void **unused)
{
    (void)unused;
    start(PLAIN);
    guest[0].interrupts = false;
    pulse(6);
    assert_true(guest[0].window);
    gsi(6, false);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), NOTHING);
    assert_false(guest[0].window);
    pc_stop();
}

static void an_acknowledgement_of_nothing_is_spurious(void **unused)
{
    struct vpic *pic;

    (void)unused;
    start(PLAIN);
    pic = &vm.irqchip->pic;
    assert_int_equal(vpic_acknowledge(pic), 0x27);
    assert_int_equal(isr(0x20), 0); /* no pin 7 in service */
    pc_stop();
}

static void levels_stay_until_they_fall(void **unused)
{
    (void)unused;
    start(PLAIN);
    port_out(0x4d0, 0xff);
    port_out(0x4d1, 0xff);
    assert_int_equal(port_in(0x4d0), 0xf8); /* timer, keyboard and cascade are edges */
    assert_int_equal(port_in(0x4d1), 0xde); /* so are clock and FPU */
    gsi(11, true);
    assert_int_equal(taken(0), 0x2b);
    port_out(0xa0, EOI);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), 0x2b);
    gsi(11, false);
    port_out(0xa0, EOI);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void rotation_makes_the_served_one_last(void **unused)
{
    (void)unused;
    start(PLAIN);
    pulse(3);
    assert_int_equal(taken(0), 0x23);
    port_out(0x20, ROTATE_EOI); /* now 4 5 6 7 0 1 2 3 */
    guest[0].interrupts = false;
    pulse(1);
    pulse(3);
    pulse(5);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x25);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), 0x21);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), 0x23);
    port_out(0x20, 0xe3); /* end and rotate, by name */
    port_out(0x20, 0xc7); /* the usual order, by command */
    guest[0].interrupts = false;
    pulse(1);
    pulse(5);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x21);
    pc_stop();
}

static void rotation_with_auto_eoi(void **unused)
{
    (void)unused;
    start(AUTO_EOI);
    port_out(0x20, 0x80);
    guest[0].interrupts = false;
    pulse(1);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x21); /* now 2 3 .. 1 */
    guest[0].interrupts = false;
    pulse(1);
    pulse(6);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x26);
    assert_int_equal(taken(0), 0x21);
    port_out(0x20, 0x00);
    pc_stop();
}

static void special_mask_mode_lets_lower_ones_in(void **unused)
{
    (void)unused;
    start(PLAIN);
    pulse(3);
    assert_int_equal(taken(0), 0x23);
    pulse(6);
    assert_int_equal(taken(0), NOTHING);
    port_out(0x21, 0x08);
    port_out(0x20, SET_SPECIAL);
    assert_int_equal(taken(0), 0x26);
    port_out(0x20, EOI); /* ends 6: 3 is masked */
    assert_int_equal(isr(0x20), 0x08);
    port_out(0x20, CLEAR_SPECIAL);
    pulse(6);
    assert_int_equal(taken(0), NOTHING);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), 0x26);
    pc_stop();
}

static void special_fully_nested_lets_the_second_one_interrupt_itself(void **unused)
{
    (void)unused;
    start(0x11);
    pulse(12);
    assert_int_equal(taken(0), 0x2c);
    pulse(9);
    assert_int_equal(taken(0), 0x29);
    pulse(14);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void polling_takes_without_the_cpu(void **unused)
{
    (void)unused;
    pc_start(1);
    assert_true(msr_write(0, MSR_APIC_BASE, VLAPIC_BASE | 0x800));
    apic_write(0, APIC_LVT_LINT0, APIC_MASKED);
    pic_init(PLAIN);
    port_out(0x20, POLL);
    assert_int_equal(port_in(0x20), 0);
    pulse(5);
    port_out(0x20, POLL);
    assert_int_equal(port_in(0x20), 0x85);
    assert_int_equal(isr(0x20), 0x20);
    port_out(0x20, EOI);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

/* --- LINT0 --- */

static void lint0_follows_its_register(void **unused)
{
    (void)unused;
    start(PLAIN);
    apic_write(0, APIC_SVR, 0x1ff);
    apic_write(0, APIC_LVT_LINT0, APIC_MASKED | 0x700);
    pulse(4);
    assert_int_equal(taken(0), NOTHING);
    apic_write(0, APIC_LVT_LINT0, 0x700); /* the request is still there */
    assert_int_equal(taken(0), 0x24);
    pc_stop();
}

static void a_fixed_lint0_has_its_own_vector_and_acknowledges_nothing(void **unused)
{
    (void)unused;
    start(AUTO_EOI);
    apic_write(0, APIC_SVR, 0x1ff);
    apic_write(0, APIC_LVT_LINT0, 0x31);
    for (unsigned n = 0; n < 3; n++) {
        gsi(0, true);
        assert_int_equal(taken(0), 0x31);
        apic_eoi(0);
        assert_int_equal(taken(0), NOTHING);
        assert_int_equal(irr(0x20), 1);
        gsi(0, false);
    }
    apic_write(0, APIC_LVT_LINT0, 0x400); /* the watchdog of old */
    gsi(0, true);
    assert_int_equal(guest[0].nmis, 1);
    pc_stop();
}

static void without_an_apic_the_pic_has_the_pin(void **unused)
{
    (void)unused;
    start(PLAIN);
    apic_write(0, APIC_LVT_LINT0, APIC_MASKED);
    assert_true(msr_write(0, MSR_APIC_BASE, VLAPIC_BASE));
    pulse(4);
    assert_int_equal(taken(0), 0x24);
    pc_stop();
}

static void pic_and_apic_interrupts_do_not_lose_each_other(void **unused)
{
    (void)unused;
    start(PLAIN);
    apic_write(0, APIC_SVR, 0x1ff);
    apic_write(0, APIC_LVT_LINT0, 0x700);
    guest[0].interrupts = false;
    icr(0, 0, 0x40041);
    pulse(4);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x24);
    assert_int_equal(taken(0), 0x41);
    assert_int_equal(apic_read(0, APIC_ISR + 1), 0); /* the PIC's is not in service here */
    assert_int_equal(isr(0x20), 0x10);
    pc_stop();
}

static void random_accesses_never_break_it(void **unused)
{
    static const uint16_t ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x20, 0x20 };
    uint64_t random = 3;

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        start(round & 1 ? PLAIN : AUTO_EOI);
        for (unsigned i = 0; i < 3000; i++) {
            uint64_t value = random_next(&random);
            uint16_t port = ports[value % ARRAY_SIZE(ports)];
            uint32_t irq = (uint32_t)random_below(&random, 16);

            switch (value >> 61) {
            case 0: port_in(port); break;
            case 1: port_out(port, (uint8_t)(value >> 8)); break;
            case 2: port_out(port, EOI); break;
            case 3: pic_init((uint8_t)(value >> 8)); break;
            case 4: guest[0].interrupts = value >> 8 & 1; break;
            case 5: taken(0); break;
            default: gsi(irq == 2 ? 7 : irq, value >> 8 & 1); break;
            }
            check_invariants();
            assert_int_equal(vm.irqchip->pic.level, (lapic(0)->events & VLAPIC_LINT0) != 0);
        }
        pc_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_before_it_is_initialised),
        cmocka_unit_test(an_edge_is_taken_once_and_served_until_its_end),
        cmocka_unit_test(auto_eoi_leaves_nothing_in_service),
        cmocka_unit_test(the_lower_pin_goes_first_and_nests),
        cmocka_unit_test(both_of_the_second_one_come),
        cmocka_unit_test(masks_hold_back_and_keep_the_edge),
        cmocka_unit_test(an_edge_that_goes_away_is_no_request),
        cmocka_unit_test(an_acknowledgement_of_nothing_is_spurious),
        cmocka_unit_test(levels_stay_until_they_fall),
        cmocka_unit_test(rotation_makes_the_served_one_last),
        cmocka_unit_test(rotation_with_auto_eoi),
        cmocka_unit_test(special_mask_mode_lets_lower_ones_in),
        cmocka_unit_test(special_fully_nested_lets_the_second_one_interrupt_itself),
        cmocka_unit_test(polling_takes_without_the_cpu),
        cmocka_unit_test(lint0_follows_its_register),
        cmocka_unit_test(a_fixed_lint0_has_its_own_vector_and_acknowledges_nothing),
        cmocka_unit_test(without_an_apic_the_pic_has_the_pin),
        cmocka_unit_test(pic_and_apic_interrupts_do_not_lose_each_other),
        cmocka_unit_test(random_accesses_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
