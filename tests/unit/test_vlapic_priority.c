/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APICs whose TPR falls without an exit: what the backend is to watch for, and when. */
#include "tests/unit/vdev_record.h"
#include "tests/unit/vlapic_test.h"

#define RECORD_BYTES 1024

/* MOV CR8 without an exit; the exit that the backend makes where TPR falls below what is watched.
 */
static void move_cr8(unsigned cpu, unsigned class)
{
    vlapic_set_reg(lapic(cpu), APIC_TPR, class << 4);
    if (class < guest[cpu].watched)
        vlapic_window(lapic(cpu));
    settle();
}

static void a_pending_class_is_watched_until_it_comes(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    move_cr8(0, 9);
    assert_int_equal(guest[0].watched, 0);
    icr(0, 0, SELF | 0x51);
    assert_int_equal(guest[0].watched, 5);
    icr(0, 0, SELF | 0x71);
    assert_int_equal(guest[0].watched, 7);
    move_cr8(0, 7);
    assert_int_equal(taken(0), NOTHING);
    move_cr8(0, 6);
    assert_int_equal(taken(0), 0x71);
    assert_int_equal(guest[0].watched, 0); /* the other waits for an end */
    move_cr8(0, 0);
    assert_int_equal(taken(0), NOTHING);
    move_cr8(0, 5);
    apic_eoi(0);
    assert_int_equal(guest[0].watched, 5); /* and now for TPR */
    move_cr8(0, 4);
    assert_int_equal(taken(0), 0x51);
    pc_stop();
}

static void a_guest_that_masks_interrupts_is_asked_for_a_window(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    guest[0].interrupts = false;
    move_cr8(0, 9);
    icr(0, 0, SELF | 0x51);
    move_cr8(0, 3);
    assert_int_equal(guest[0].watched, 0);
    assert_true(guest[0].window);
    move_cr8(0, 9); /* too late for it */
    guest[0].interrupts = true;
    assert_int_equal(taken(0), NOTHING);
    assert_int_equal(guest[0].watched, 5);
    move_cr8(0, 4);
    assert_int_equal(taken(0), 0x51);
    pc_stop();
}

/* The PIC's goes whatever TPR says; what TPR holds back is watched for behind it. */
static void an_external_interrupt_leaves_the_rest_watched(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    pic_init(0x03);
    guest[0].interrupts = false;
    move_cr8(0, 9);
    icr(0, 0, SELF | 0x51);
    assert_int_equal(guest[0].watched, 5);
    gsi(5, true);
    assert_true(guest[0].window);
    assert_int_equal(guest[0].watched, 0);
    guest[0].interrupts = true;
    assert_int_equal(taken(0), 0x25);
    assert_int_equal(guest[0].watched, 5);
    move_cr8(0, 4);
    assert_int_equal(taken(0), 0x51);
    gsi(5, false);
    pc_stop();
}

/* pc_cpu.c fails where a class is watched that TPR is below. */
static void nothing_is_watched_after_a_reset(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    move_cr8(0, 9);
    icr(0, 0, SELF | 0x51);
    assert_int_equal(guest[0].watched, 5);
    assert_true(msr_write(0, MSR_APIC_BASE, VLAPIC_BASE | APIC_BASE_BSP));
    assert_int_equal(guest[0].watched, 0);
    pc_stop();
}

static void what_a_snapshot_holds_back_is_watched(void **unused)
{
    uint8_t record[RECORD_BYTES];
    size_t bytes;

    (void)unused;
    pc_start_enabled(1);
    move_cr8(0, 9);
    icr(0, 0, SELF | 0x51);
    bytes = vdev_save(device("lapic"), record, sizeof(record));
    move_cr8(0, 0);
    assert_int_equal(taken(0), 0x51);
    apic_eoi(0);
    assert_int_equal(guest[0].watched, 0);
    virqchip_put(lapic(0)->vcpu);
    assert_int_equal(vdev_restore(device("lapic"), record, bytes), OK);
    virqchip_load(lapic(0)->vcpu);
    settle();
    assert_int_equal(vlapic_reg(lapic(0), APIC_TPR), 0x90);
    assert_int_equal(guest[0].watched, 5);
    pc_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pending_class_is_watched_until_it_comes),
        cmocka_unit_test(a_guest_that_masks_interrupts_is_asked_for_a_window),
        cmocka_unit_test(an_external_interrupt_leaves_the_rest_watched),
        cmocka_unit_test(nothing_is_watched_after_a_reset),
        cmocka_unit_test(what_a_snapshot_holds_back_is_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
