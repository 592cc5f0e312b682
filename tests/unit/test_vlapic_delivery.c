/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APICs: priorities, who gets an IPI, NMI, INIT and STARTUP. */
#include "tests/unit/vlapic_test.h"

/* --- priorities --- */

static void a_self_ipi_is_taken_and_ended(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    icr(0, 0, SELF | 0x41);
    assert_int_equal(apic_read(0, APIC_ISR + 2), 2);
    assert_int_equal(apic_read(0, APIC_IRR + 2), 0);
    assert_int_equal(apic_read(0, APIC_PPR), 0x40);
    assert_int_equal(taken(0), 0x41);
    apic_eoi(0);
    assert_int_equal(apic_read(0, APIC_ISR + 2), 0);
    assert_int_equal(apic_read(0, APIC_PPR), 0);
    apic_eoi(0); /* nothing is in service: nothing happens */
    pc_stop();
}

static void a_higher_class_nests_and_a_lower_one_waits(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    icr(0, 0, SELF | 0x55);
    assert_int_equal(taken(0), 0x55);
    icr(0, 0, SELF | 0x5f); /* the same class */
    icr(0, 0, SELF | 0x31);
    assert_int_equal(taken(0), NOTHING);
    icr(0, 0, SELF | 0x61);
    assert_int_equal(taken(0), 0x61);
    assert_int_equal(apic_read(0, APIC_PPR), 0x60);
    assert_int_equal(apic_read(0, APIC_APR), 0x60);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING); /* 0x55 is still in service */
    apic_eoi(0);
    assert_int_equal(taken(0), 0x5f);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x31);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void tpr_holds_back_until_it_is_lowered(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_TPR, 0x50);
    icr(0, 0, SELF | 0x51);
    assert_int_equal(taken(0), NOTHING);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    assert_int_equal(apic_read(0, APIC_IRR + 2), 1u << 17);
    apic_write(0, APIC_TPR, 0x4f);
    assert_int_equal(apic_read(0, APIC_PPR), 0x50); /* it is in service */
    assert_int_equal(taken(0), 0x51);
    apic_eoi(0);
    assert_int_equal(apic_read(0, APIC_PPR), 0x4f);
    pc_stop();
}

static void what_cannot_be_taken_waits_for_a_window(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    guest[0].interrupts = false;
    icr(0, 0, SELF | 0x41);
    assert_true(guest[0].window);
    assert_false(virqchip_wakes(&vm.vcpus[0])); /* HLT with IF clear sleeps on */
    icr(0, 0, SELF | 0x71);
    guest[0].interrupts = true;
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    assert_int_equal(taken(0), 0x71);
    assert_false(guest[0].window);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x41);
    pc_stop();
}

static void the_same_vector_twice_is_pending_once_and_in_service_once(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    icr(0, 0, SELF | 0x41);
    assert_int_equal(taken(0), 0x41);
    icr(0, 0, SELF | 0x41);
    icr(0, 0, SELF | 0x41);
    assert_int_equal(taken(0), NOTHING);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x41);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

/* --- destinations --- */

static unsigned who_took(int vector)
{
    unsigned set = 0;

    for (unsigned id = 0; id < vm.config.cpus; id++) {
        int got = taken(id);

        if (got == NOTHING)
            continue;
        assert_int_equal(got, vector);
        if (vlapic_is_x2(lapic(id)))
            assert_true(msr_write(id, X2(APIC_EOI), 0));
        else
            apic_eoi(id);
        set |= 1u << id;
    }
    return set;
}

static void ipis_reach_whom_they_name(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    icr(0, 2, 0x41);
    assert_int_equal(who_took(0x41), 1u << 2);
    icr(0, 7, 0x41);
    assert_int_equal(who_took(0x41), 0);
    icr(0, 0xff, 0x41);
    assert_int_equal(who_took(0x41), 0xf);
    icr(1, 0, SELF | 0x41);
    assert_int_equal(who_took(0x41), 1u << 1);
    icr(1, 0, ALL | 0x41);
    assert_int_equal(who_took(0x41), 0xf);
    icr(1, 0, OTHERS | 0x41);
    assert_int_equal(who_took(0x41), 0xd);
    pc_stop();
}

static void logical_destinations_flat_and_clustered(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    for (unsigned id = 0; id < 4; id++)
        apic_write(id, APIC_LDR, 1u << (24 + id));
    icr(0, 0x0a, LOGICAL | 0x42);
    assert_int_equal(who_took(0x42), 0xa);
    icr(0, 0xff, LOGICAL | 0x42);
    assert_int_equal(who_took(0x42), 0xf);
    for (unsigned id = 0; id < 4; id++) {
        apic_write(id, APIC_DFR, 0);
        apic_write(id, APIC_LDR, (id / 2 << 4 | 1u << id % 2) << 24);
    }
    icr(0, 0x13, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0xc);
    icr(0, 0x02, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0x2);
    icr(0, 0x21, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0);
    icr(0, 0xff, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0xf);
    pc_stop();
}

static void x2apic_destinations_are_wide(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    enter_x2(4);
    assert_true(msr_write(0, X2(APIC_ICR), 3ull << 32 | 0x44));
    assert_int_equal(who_took(0x44), 8);
    assert_true(msr_write(0, X2(APIC_ICR), 0xffull << 32 | 0x44));
    assert_int_equal(who_took(0x44), 0); /* no broadcast here */
    assert_true(msr_write(0, X2(APIC_ICR), 0xffffffffull << 32 | 0x44));
    assert_int_equal(who_took(0x44), 0xf);
    assert_true(msr_write(0, X2(APIC_ICR), 5ull << 32 | LOGICAL | 0x44));
    assert_int_equal(who_took(0x44), 5);
    assert_true(msr_write(0, X2(APIC_ICR), 0x10005ull << 32 | LOGICAL | 0x44));
    assert_int_equal(who_took(0x44), 0);
    assert_true(msr_write(2, X2(APIC_SELF_IPI), 0x45));
    assert_int_equal(who_took(0x45), 4);
    pc_stop();
}

static void lowest_priority_goes_to_the_least_busy(void **unused)
{
    (void)unused;
    pc_start_enabled(3);
    for (unsigned id = 0; id < 3; id++)
        apic_write(id, APIC_LDR, 1u << (24 + id));
    apic_write(0, APIC_TPR, 0x30);
    apic_write(1, APIC_TPR, 0x10);
    apic_write(2, APIC_TPR, 0x20);
    icr(0, 7, LOGICAL | 0x100 | 0x61);
    assert_int_equal(who_took(0x61), 2);
    icr(0, 5, LOGICAL | 0x100 | 0x61);
    assert_int_equal(who_took(0x61), 4);
    apic_write(2, APIC_SVR, 0xff); /* does not take part */
    icr(0, 5, LOGICAL | 0x100 | 0x61);
    assert_int_equal(who_took(0x61), 1);
    pc_stop();
}

static void smi_remote_read_and_reserved_kinds_are_ignored(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    icr(0, 1, 0x200 | 0x41);
    icr(0, 1, 0x300 | 0x41);
    icr(0, 1, 0x700 | 0x41);
    assert_int_equal(who_took(0x41), 0);
    assert_int_equal(guest[1].nmis + guest[1].turned_off + guest[1].powered_on, 0);
    pc_stop();
}

/* --- NMI, INIT, STARTUP --- */

static void nmis_pass_priorities_and_if(void **unused)
{
    (void)unused;
    pc_start_enabled(3);
    guest[1].interrupts = false;
    apic_write(1, APIC_TPR, 0xff);
    icr(0, 1, NMI);
    assert_int_equal(guest[1].nmis, 1);
    icr(0, 0, OTHERS | NMI);
    assert_int_equal(guest[0].nmis, 0);
    assert_int_equal(guest[1].nmis, 2);
    assert_int_equal(guest[2].nmis, 1);
    pc_nmi(&vm); /* LINT1 leads to vCPU 0 until the guest says otherwise */
    settle();
    assert_int_equal(guest[0].nmis, 1);
    assert_int_equal(guest[1].nmis, 2);
    pc_stop();
}

static void startup_gives_a_page_to_start_at(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    icr(0, 0, OTHERS | INIT | ASSERTED | 0x8000);
    icr(0, 0, OTHERS | INIT | 0x8000); /* de-assert: nothing */
    assert_int_equal(guest[0].turned_off, 0);
    assert_int_equal(guest[1].turned_off, 1);
    assert_int_equal(guest[3].turned_off, 1);
    icr(0, 2, STARTUP | 0x9a);
    assert_int_equal(guest[1].powered_on, 0);
    assert_int_equal(guest[2].powered_on, 1);
    assert_int_equal(guest[2].start.entry, 0x9a000);
    assert_int_equal(guest[2].start.mode, HV_MODE_STARTUP);
    assert_int_equal(vm_ends, 0);
    pc_stop();
}

static void init_of_the_boot_cpu_resets_the_machine(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    icr(1, 0, INIT | ASSERTED);
    assert_int_equal(vm_ends, 1);
    assert_int_equal(vm_end_reason, VM_END_RESET);
    assert_int_equal(guest[0].turned_off, 0);
    pc_stop();
}

static void a_restarted_apic_is_new_but_keeps_its_mode(void **unused)
{
    uint64_t value;

    (void)unused;
    pc_start_enabled(2);
    enter_x2(2);
    guest[1].interrupts = false;
    assert_true(msr_write(0, X2(APIC_ICR), 1ull << 32 | 0x44));
    assert_true(guest[1].window);
    virqchip_reset_vcpu(&vm.vcpus[1]);
    guest[1].window = false; /* as the backend's reset does */
    guest[1].interrupts = true;
    settle();
    assert_int_equal(taken(1), NOTHING);
    assert_true(msr_read(1, X2(APIC_SVR), &value));
    assert_int_equal(value, 0xff);
    assert_true(msr_read(1, X2(APIC_LDR), &value));
    assert_int_equal(value, 2);
    virqchip_reset(&vm);
    assert_int_equal(apic_read(1, APIC_ID), 1u << 24); /* power-on: xAPIC */
    pc_stop();
}

static void what_is_pending_is_asked_for_again_when_loaded(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    virqchip_put(&vm.vcpus[1]);
    vlapic_accept(lapic(1), APIC_FIXED, 0x44, false);
    vm.vcpus[1].requests = 0; /* a park forgets it */
    virqchip_load(&vm.vcpus[1]);
    assert_int_equal(taken(1), 0x44);
    pc_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_self_ipi_is_taken_and_ended),
        cmocka_unit_test(a_higher_class_nests_and_a_lower_one_waits),
        cmocka_unit_test(tpr_holds_back_until_it_is_lowered),
        cmocka_unit_test(what_cannot_be_taken_waits_for_a_window),
        cmocka_unit_test(the_same_vector_twice_is_pending_once_and_in_service_once),
        cmocka_unit_test(ipis_reach_whom_they_name),
        cmocka_unit_test(logical_destinations_flat_and_clustered),
        cmocka_unit_test(x2apic_destinations_are_wide),
        cmocka_unit_test(lowest_priority_goes_to_the_least_busy),
        cmocka_unit_test(smi_remote_read_and_reserved_kinds_are_ignored),
        cmocka_unit_test(nmis_pass_priorities_and_if),
        cmocka_unit_test(startup_gives_a_page_to_start_at),
        cmocka_unit_test(init_of_the_boot_cpu_resets_the_machine),
        cmocka_unit_test(a_restarted_apic_is_new_but_keeps_its_mode),
        cmocka_unit_test(what_is_pending_is_asked_for_again_when_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
