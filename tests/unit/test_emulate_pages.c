/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated accesses of arm64: pages, faults, whose rights count. */
#include "tests/unit/emulate_test.h"

static void an_access_across_pages_is_made_of_bytes_of_both(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 0xffd;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(memory_at(0xffd), guest.vcpu.x[1]);
    assert_int_equal(guest.accesses, 8);
    assert_int_equal(guest.vcpu.x[2], DATA + 0x1005);
    assert_done();
}

static void aligned_elements_in_two_pages_stay_whole(void **state)
{
    (void)state;
    guest.vcpu.x[3] = DATA + 0x1000 - 24;
    assert_int_equal(emulate(LDP_X1_X2_X3_16), OK);
    assert_int_equal(guest.vcpu.x[1], memory_at(0xff8));
    assert_int_equal(guest.vcpu.x[2], memory_at(0x1000));
    assert_int_equal(guest.accesses, 2);
}

static void an_error_of_the_bus_changes_no_register(void **state)
{
    static const uint32_t loads[] = { LDPSW_X1_X2_X3_PRE_4, LD2_V1_V2_8H_X2, LDR_Q1_X2,
                                      STR_X1_X2_POST_8, STR_Q1_X2_POST_16 };

    for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
        struct hv_vcpu before;

        set_up(state);
        guest.vcpu.x[2] = guest.vcpu.x[3] = DATA;
        guest.fail_at = i == 3 ? 1 : 2;
        before = guest.vcpu;
        assert_int_equal(emulate(loads[i]), ERR_NOT_FOUND);
        assert_memory_equal(&guest.vcpu, &before, sizeof(before));
        assert_int_equal(guest.simd[1][0], 0x81);
    }
}

static void an_unmapped_second_page_is_the_guests_fault(void **state)
{
    (void)state;
    guest.unmapped[2] = true;
    guest.vcpu.x[2] = DATA + 0xffc;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.accesses, 0);
    assert_int_equal(guest.vcpu.x[2], DATA + 0xffc);
    assert_int_equal(guest.vcpu.pc, VBAR + 0x200);
    assert_int_equal(sysreg_read(elr_el1), CODE + 0x10);
    assert_int_equal(sysreg_read(far_el1), DATA + 0x1000);
    assert_int_equal(sysreg_read(esr_el1), 0x96000047);
}

static void what_faults_at_stage_2_is_tried_again(void **state)
{
    (void)state;
    guest.unmapped[1] = guest.stage2 = true;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.vcpu.pc, CODE + 0x10);
    guest.unmapped[0] = true;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.vcpu.pc, CODE + 0x10);
    assert_int_equal(guest.accesses, 0);
}

static void a_second_page_that_faults_at_stage_2_does_not_trap_for_ever(void **state)
{
    (void)state;
    guest.unmapped[2] = guest.stage2 = true;
    guest.vcpu.x[2] = DATA + 0xffc;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.vcpu.pc, VBAR + 0x200);
}

static void translation_is_asked_with_the_rights_of_the_access(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LDTR_W1_X2), OK);
    assert_int_equal(guest.translations[AT_EL0_READ], 1);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate |= PSTATE_UAO;
    assert_int_equal(emulate(LDTR_W1_X2), OK);
    assert_int_equal(guest.translations[AT_EL1_READ], 1);
    guest.vcpu.pc = CODE + 0x10;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.translations[AT_EL1_WRITE], 1);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate = 0;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.translations[AT_EL0_WRITE], 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_access_across_pages_is_made_of_bytes_of_both),
        TEST(aligned_elements_in_two_pages_stay_whole),
        TEST(an_error_of_the_bus_changes_no_register),
        TEST(an_unmapped_second_page_is_the_guests_fault),
        TEST(what_faults_at_stage_2_is_tried_again),
        TEST(a_second_page_that_faults_at_stage_2_does_not_trap_for_ever),
        TEST(translation_is_asked_with_the_rights_of_the_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
