/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of decoded accesses on arm64: a load's register, a store's value, the PC. */
#include "tests/unit/emulate_test.h"

static void a_read_extends_and_swaps_as_the_syndrome_says(void **state)
{
    static const struct {
        uint64_t esr, sctlr, value, expected;
    } cases[] = {
        { 2 << 22, 0, 0x1122334488776655, 0x88776655 },
        { 3 << 22 | ISS_SF, 0, 0x1122334488776655, 0x1122334488776655 },
        { 0 << 22, 0, 0x55f0, 0xf0 },
        { 1 << 22, 0, 0x1f0f0, 0xf0f0 },
        { ISS_SSE, 0, 0xf0, 0xfffffff0 },
        { ISS_SSE | ISS_SF, 0, 0xf0, 0xfffffffffffffff0 },
        { 2 << 22 | ISS_SSE | ISS_SF, 0, 0x80000000, 0xffffffff80000000 },
        { 2 << 22, SCTLR_EE, 0x11223344, 0x44332211 },
        { 1 << 22 | ISS_SSE, SCTLR_EE, 0x12f0, 0xfffff012 },
        { 2 << 22, SCTLR_E0E, 0x11223344, 0x11223344 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_up(state);
        sysreg_write(sctlr_el1, cases[i].sctlr);
        guest.vcpu.esr = cases[i].esr | FIELD_PREP(ISS_SRT, 5);
        hv_finish_read(&guest.vcpu, NULL, cases[i].value);
        assert_int_equal(guest.vcpu.x[5], cases[i].expected);
        assert_done();
    }
}

static void a_read_into_xzr_is_dropped(void **state)
{
    struct hv_vcpu before;

    (void)state;
    guest.vcpu.esr = 2 << 22 | FIELD_PREP(ISS_SRT, 31);
    before = guest.vcpu;
    hv_finish_read(&guest.vcpu, NULL, 0x1234);
    assert_memory_equal(guest.vcpu.x, before.x, sizeof(before.x));
    assert_done();
}

static void what_is_stored_has_the_syndromes_width(void **state)
{
    (void)state;
    guest.vcpu.x[5] = 0x1122334455667788;
    guest.vcpu.esr = 2 << 22 | FIELD_PREP(ISS_SRT, 5);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0x55667788);
    guest.vcpu.esr = 0 << 22 | FIELD_PREP(ISS_SRT, 5);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0x88);
    guest.vcpu.esr = 3 << 22 | FIELD_PREP(ISS_SRT, 31);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0);
    sysreg_write(sctlr_el1, SCTLR_EE);
    guest.vcpu.esr = 1 << 22 | FIELD_PREP(ISS_SRT, 5);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0x8877);
}

static void a_skip_in_aarch32_advances_the_it_block(void **state)
{
    static const uint8_t steps[] = { 0x0f, 0x1e, 0x1c, 0x18, 0x00 }; /* EQ EQ NE NE */

    (void)state;
    guest.vcpu.pstate = PSTATE_NRW | PSTATE32_T;
    for (size_t i = 0; i + 1 < ARRAY_SIZE(steps); i++) {
        uint64_t it = steps[i];

        guest.vcpu.pstate &= ~(PSTATE32_IT_HIGH | PSTATE32_IT_LOW);
        guest.vcpu.pstate |=
            FIELD_PREP(PSTATE32_IT_HIGH, it >> 2) | FIELD_PREP(PSTATE32_IT_LOW, it & 3);
        guest.vcpu.pc = 0x1000;
        guest.vcpu.esr = i & 1 ? ESR_IL : 0;
        guest.vcpu.esr |= 2 << 22 | FIELD_PREP(ISS_SRT, 31);
        hv_finish_read(&guest.vcpu, NULL, 0);
        assert_int_equal(guest.vcpu.pc, i & 1 ? 0x1004 : 0x1002);
        assert_int_equal(FIELD_GET(PSTATE32_IT_HIGH, guest.vcpu.pstate) << 2 |
                             FIELD_GET(PSTATE32_IT_LOW, guest.vcpu.pstate),
                         steps[i + 1]);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_read_extends_and_swaps_as_the_syndrome_says),
        TEST(a_read_into_xzr_is_dropped),
        TEST(what_is_stored_has_the_syndromes_width),
        TEST(a_skip_in_aarch32_advances_the_it_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
