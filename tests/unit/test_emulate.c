/* SPDX-License-Identifier: BSD-2-Clause */
/* What arm64 emulates: each form of load and store, and any instruction. */
#include "tests/unit/emulate_test.h"

static void a_pair_is_loaded(void **state)
{
    (void)state;
    guest.vcpu.x[3] = DATA;
    assert_int_equal(emulate(LDP_X1_X2_X3_16), OK);
    assert_int_equal(guest.vcpu.x[1], memory_at(16));
    assert_int_equal(guest.vcpu.x[2], memory_at(24));
    assert_int_equal(guest.vcpu.x[3], DATA);
    assert_int_equal(guest.accesses, 2);
    assert_done();
}

static void a_pair_is_stored_through_each_stack_pointer(void **state)
{
    (void)state;
    sysreg_write(sp_el1, DATA + 0x110);
    sysreg_write(sp_el0, DATA + 0x210);
    assert_int_equal(emulate(STP_X1_XZR_SP_PRE_16), OK);
    assert_int_equal(memory_at(0x100), guest.vcpu.x[1]);
    assert_int_equal(memory_at(0x108), 0);
    assert_int_equal(sysreg_read(sp_el1), DATA + 0x100);
    assert_int_equal(sysreg_read(sp_el0), DATA + 0x210);
    assert_done();

    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate &= ~PSTATE_SP;
    assert_int_equal(emulate(STP_X1_XZR_SP_PRE_16), OK);
    assert_int_equal(memory_at(0x200), guest.vcpu.x[1]);
    assert_int_equal(sysreg_read(sp_el0), DATA + 0x200);
    assert_int_equal(sysreg_read(sp_el1), DATA + 0x100);
}

static void words_of_a_pair_are_sign_extended(void **state)
{
    static const uint32_t words[] = { 0x80000001, 0x7fffffff };

    (void)state;
    guest.vcpu.x[3] = DATA;
    memcpy(guest.memory + 4, words, sizeof(words));
    assert_int_equal(emulate(LDPSW_X1_X2_X3_PRE_4), OK);
    assert_int_equal(guest.vcpu.x[1], 0xffffffff80000001);
    assert_int_equal(guest.vcpu.x[2], 0x7fffffff);
    assert_int_equal(guest.vcpu.x[3], DATA + 4);
    assert_done();
}

static void sign_extension_stops_at_the_registers_width(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    memset(guest.memory, 0xfe, 16);
    assert_int_equal(emulate(LDRSB_W1_X2_POST_1), OK);
    assert_int_equal(guest.vcpu.x[1], 0xfffffffe);
    assert_int_equal(guest.vcpu.x[2], DATA + 1);
    guest.vcpu.pc = CODE + 0x10;
    assert_int_equal(emulate(LDRSH_X1_X2_POST_2), OK);
    assert_int_equal(guest.vcpu.x[1], 0xfffffffffffffefe);
    assert_int_equal(guest.vcpu.x[2], DATA + 3);
}

static void an_index_is_extended_and_shifted(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 0x40;
    guest.vcpu.x[3] = 0x12345678fffffffe; /* as a word: -2 */
    assert_int_equal(emulate(LDR_X1_X2_W3_SXTW_3), OK);
    assert_int_equal(guest.vcpu.x[1], memory_at(0x30));
}

static void simd_registers_are_loaded_and_stored(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 0x20;
    assert_int_equal(emulate(LDR_Q1_X2), OK);
    assert_memory_equal(guest.simd[1], guest.memory + 0x20, 16);
    assert_int_equal(guest.accesses, 2);
    assert_done();

    guest.vcpu.pc = CODE + 0x10;
    memset(guest.simd[1], 0x5c, 16);
    assert_int_equal(emulate(STR_Q1_X2_POST_16), OK);
    assert_memory_equal(guest.simd[1], guest.memory + 0x20, 16);
    assert_int_equal(guest.vcpu.x[2], DATA + 0x30);
}

static void a_short_simd_load_clears_the_rest_of_the_register(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LDR_S1_X2), OK);
    assert_memory_equal(guest.simd[1], guest.memory, 4);
    for (unsigned i = 4; i < 16; i++)
        assert_int_equal(guest.simd[1][i], 0);
}

static void a_lane_load_leaves_the_other_lanes(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 4;
    assert_int_equal(emulate(LD1_V1_S_3_X2), OK);
    assert_memory_equal(guest.simd[1] + 12, guest.memory + 4, 4);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(guest.simd[1][i], 0x81);
}

static void structures_are_taken_apart(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LD2_V1_V2_8H_X2), OK);
    for (unsigned i = 0; i < 8; i++) {
        assert_memory_equal(guest.simd[1] + 2 * i, guest.memory + 4 * i, 2);
        assert_memory_equal(guest.simd[2] + 2 * i, guest.memory + 4 * i + 2, 2);
    }
}

static void structures_are_put_together(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    guest.vcpu.x[5] = 0x1000;
    assert_int_equal(emulate(ST4_V1_16B_X2_POST_X5), OK);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(guest.memory[i], 0x81 + i % 4);
    assert_int_equal(guest.vcpu.x[2], DATA + 0x1000);
}

static void a_replicating_load_fills_the_lanes_of_its_width(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 6;
    assert_int_equal(emulate(LD1R_V1_4H_X2_POST), OK);
    for (unsigned i = 0; i < 4; i++)
        assert_memory_equal(guest.simd[1] + 2 * i, guest.memory + 6, 2);
    for (unsigned i = 8; i < 16; i++)
        assert_int_equal(guest.simd[1][i], 0);
    assert_int_equal(guest.accesses, 1);
    assert_int_equal(guest.vcpu.x[2], DATA + 8);
}

static void a_big_endian_guest_has_each_element_swapped(void **state)
{
    (void)state;
    sysreg_write(sctlr_el1, SCTLR_EE);
    guest.vcpu.x[3] = DATA;
    assert_int_equal(emulate(LDP_W1_W2_X3), OK);
    assert_int_equal(guest.vcpu.x[1], 0x00010203);
    assert_int_equal(guest.vcpu.x[2], 0x04050607);

    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.x[1] = 0x1122334455667788;
    guest.vcpu.x[2] = DATA + 8;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(memory_at(8), 0x8877665544332211);

    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.x[2] = DATA + 0x20;
    assert_int_equal(emulate(LDR_Q1_X2), OK);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(guest.simd[1][i], guest.memory[0x2f - i]);
}

static void el0_has_a_byte_order_of_its_own(void **state)
{
    (void)state;
    sysreg_write(sctlr_el1, SCTLR_E0E);
    guest.vcpu.x[3] = DATA;
    assert_int_equal(emulate(LDP_W1_W2_X3), OK);
    assert_int_equal(guest.vcpu.x[1], 0x03020100);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate = 0;
    assert_int_equal(emulate(LDP_W1_W2_X3), OK);
    assert_int_equal(guest.vcpu.x[1], 0x00010203);
}

static void exclusives_and_aarch32_are_refused(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LDXR_X1_X2), ERR_UNSUPPORTED);
    guest.vcpu.pstate = PSTATE_NRW;
    assert_int_equal(emulate(LDR_Q1_X2), ERR_UNSUPPORTED);
    assert_int_equal(guest.vcpu.pc, CODE + 0x10);
    assert_int_equal(guest.accesses, 0);
}

static void cache_maintenance_is_skipped(void **state)
{
    (void)state;
    guest.vcpu.esr = ISS_CM | ISS_WNR;
    assert_int_equal(emulate(0xd50b7a21), OK); /* dc cvac, x1 */
    assert_int_equal(guest.accesses, 0);
    assert_done();
}

/* The guest chooses instruction and registers: nothing may be overrun, whatever they are. */
static void any_instruction_is_carried_out_or_refused(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        for (unsigned r = 0; r < 31; r++)
            guest.vcpu.x[r] = r & 1 ? DATA + 0x1000 - r : seed >> 60;
        sysreg_write(sp_el1, DATA + 0xfc0 + (seed >> 58));
        guest.vcpu.pc = CODE + 0x10;
        guest.vcpu.pstate = PSTATE_EL1H;
        /* Bit 27 set, bit 25 clear: loads and stores. */
        emulate(((uint32_t)(seed >> 32) | 0x08000000) & ~0x02000000u);
    }
    assert_true(guest.accesses > 10000);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pair_is_loaded),
        TEST(a_pair_is_stored_through_each_stack_pointer),
        TEST(words_of_a_pair_are_sign_extended),
        TEST(sign_extension_stops_at_the_registers_width),
        TEST(an_index_is_extended_and_shifted),
        TEST(simd_registers_are_loaded_and_stored),
        TEST(a_short_simd_load_clears_the_rest_of_the_register),
        TEST(a_lane_load_leaves_the_other_lanes),
        TEST(structures_are_taken_apart),
        TEST(structures_are_put_together),
        TEST(a_replicating_load_fills_the_lanes_of_its_width),
        TEST(a_big_endian_guest_has_each_element_swapped),
        TEST(el0_has_a_byte_order_of_its_own),
        TEST(exclusives_and_aarch32_are_refused),
        TEST(cache_maintenance_is_skipped),
        TEST(any_instruction_is_carried_out_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
