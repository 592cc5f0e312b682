/* SPDX-License-Identifier: BSD-2-Clause */
/* The GIC's registers at every width. */
#include "tests/unit/vgic_machine.h"

static void a_v3_distributor_identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(gicd_read(0x0, 4), 0x53);           /* DS, ARE, both groups */
    assert_int_equal(gicd_read(0x4, 4) & 0x1f, 8);       /* 288 interrupts */
    assert_int_equal(gicd_read(0x4, 4) >> 19 & 0x1f, 9); /* of 10 bits */
    assert_int_equal(gicd_read(0x4, 4) >> 10 & 1, 0);    /* one security state */
    assert_int_equal(gicd_read(0xffe8, 4), 0x3b);
    assert_int_equal(gicd_read(0xfffc, 4), 0xb1);
    assert_int_equal(gicd_read(0x8, 4) & 0xfff, 0x43b);
    assert_int_equal(gicd_read(0xc, 4), 0);
    gicd_write(0x4, 4, ~0u);
    gicd_write(0x0, 4, ~0u);
    assert_int_equal(gicd_read(0x0, 4), 0x53);
}

static void redistributors_identify_themselves(void **state)
{
    (void)state;
    assert_int_equal(gicr_read(0, 0x8, 8), 0);
    assert_true(gicr_read(1, 0x8, 8) == (BIT(32) | BIT(8) | BIT(4)));
    assert_int_equal(gicr_read(1, 0x8, 4), BIT(8) | BIT(4));
    assert_int_equal(gicr_read(1, 0xc, 4), 1);
    assert_int_equal(gicr_read(1, 0xffe8, 4), 0x3b);
    assert_int_equal(gicr_read(2, 0x8, 8), 0); /* past the last */
    assert_int_equal(gicr_read(0, 0x14, 4), 6);
    gicr_write(0, 0x14, 4, 0);
    assert_int_equal(gicr_read(0, 0x14, 4), 0);
    gicr_write(0, 0x14, 4, ~0u);
    assert_int_equal(gicr_read(0, 0x14, 4), 6);
    for (uint32_t offset = 0x40; offset < 0x100; offset += 8) {
        gicr_write(0, offset, 8, ~0ull);
        assert_int_equal(gicr_read(0, offset, 8), 0);
    }
}

static void a_v3_distributor_has_no_private_interrupts(void **state)
{
    static const uint32_t words[] = { IGROUPR, ISENABLER, ISPENDR, ISACTIVER, IPRIORITYR, ITARGETSR,
                                      ICFGR,   ICFGR + 4, IROUTER, 0xf00,     0xf10 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        gicd_write(words[i], 4, ~0u);
        assert_int_equal(gicd_read(words[i], 4), 0);
    }
}

static void priorities_are_accessed_by_byte_halfword_and_word(void **state)
{
    (void)state;
    gicd_write(IPRIORITYR + 40, 4, 0xffb07f21);
    assert_int_equal(gicd_read(IPRIORITYR + 40, 4), 0xf8b07820);
    assert_int_equal(gicd_read(IPRIORITYR + 42, 2), 0xf8b0);
    assert_int_equal(gicd_read(IPRIORITYR + 41, 1), 0x78);
    gicd_write(IPRIORITYR + 41, 1, 0xffff08);
    gicd_write(IPRIORITYR + 42, 2, 0x1018);
    assert_int_equal(gicd_read(IPRIORITYR + 40, 4), 0x10180820);
    assert_int_equal(gicd_read(IPRIORITYR + 41, 2), 0); /* misaligned */
    assert_int_equal(gicd_read(IPRIORITYR + 40, 8), 0); /* not at this width */
    gicr_write(1, SGI_FRAME + IPRIORITYR + 27, 1, 0xa7);
    assert_int_equal(gicr_read(1, SGI_FRAME + IPRIORITYR + 24, 4), 0xa0000000);
    assert_int_equal(gicr_read(0, SGI_FRAME + IPRIORITYR + 24, 4), 0);
}

static void routes_are_written_whole_or_in_halves(void **state)
{
    (void)state;
    gicd_write(IROUTER + 8 * 40, 8, ~0ull);
    assert_int_equal(gicd_read(IROUTER + 8 * 40, 8), 0xffffff); /* no Aff3, no 1 of N */
    gicd_write(IROUTER + 8 * 40, 4, 1);
    gicd_write(IROUTER + 8 * 40 + 4, 4, ~0u);
    assert_int_equal(gicd_read(IROUTER + 8 * 40, 8), 1);
    assert_int_equal(gicd_read(IROUTER + 8 * 40, 4), 1);
    assert_int_equal(gicd_read(IROUTER + 8 * 40 + 4, 4), 0);
    gicd_write(IROUTER + 8 * VGIC_INTIDS, 8, 1);
    assert_int_equal(gicd_read(IROUTER + 8 * VGIC_INTIDS, 8), 0);
}

static void bit_registers_are_words_only(void **state)
{
    (void)state;
    gicd_write(ISENABLER + 4, 1, 0xff);
    gicd_write(ISENABLER + 4, 2, 0xffff);
    gicd_write(ISENABLER, 8, ~0ull);
    assert_int_equal(gicd_read(ISENABLER + 4, 4), 0);
    gicd_write(ISENABLER + 4, 4, 0x105);
    gicd_write(ICENABLER + 4, 4, 0x4);
    assert_int_equal(gicd_read(ISENABLER + 4, 4), 0x101);
    assert_int_equal(gicd_read(ICENABLER + 4, 4), 0x101);
    assert_int_equal(gicd_read(ICENABLER + 4, 2), 0);
    gicd_write(ISENABLER + VGIC_INTIDS / 8, 4, ~0u);
    assert_int_equal(gicd_read(ISENABLER + VGIC_INTIDS / 8, 4), 0);
}

static void configuration_is_fixed_for_sgis_and_timers(void **state)
{
    (void)state;
    assert_int_equal(gicr_read(0, SGI_FRAME + ICFGR, 4), 0xaaaaaaaa);
    gicr_write(0, SGI_FRAME + ICFGR, 4, 0);
    assert_int_equal(gicr_read(0, SGI_FRAME + ICFGR, 4), 0xaaaaaaaa);
    gicr_write(0, SGI_FRAME + ICFGR + 4, 4, ~0u);
    assert_int_equal(gicr_read(0, SGI_FRAME + ICFGR + 4, 4), 0x8a2aaaaa);
    gicd_write(ICFGR + 8, 4, 0xdeadbeef);
    assert_int_equal(gicd_read(ICFGR + 8, 4), 0xdeadbeef & 0xaaaaaaaa);
}

static void a_v2_distributor_identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(gicd_read(0x0, 4), 3);
    assert_int_equal(gicd_read(0x4, 4), 8 | 1 << 5);
    assert_int_equal(gicd_read(0xfe8, 4), 0x2b);
    assert_int_equal(gicd_read(0xffc, 4), 0xb1);
    assert_int_equal(gicd_read(0x1004, 4), 0);
    assert_int_equal(gicd_read(0xffe8, 4), 0);
}

static void v2_targets_are_banked_and_masked(void **state)
{
    (void)state;
    assert_int_equal(gicd_read(ITARGETSR, 4), 0x01010101);
    gicd_write(ITARGETSR, 4, 0);
    on(1);
    assert_int_equal(gicd_read(ITARGETSR + 28, 4), 0x02020202);
    gicd_write(ITARGETSR + 40, 4, 0xff020300);
    assert_int_equal(gicd_read(ITARGETSR + 40, 4), 0x03020300);
    gicd_write(ITARGETSR + 42, 2, 0x0101);
    gicd_write(ITARGETSR + 41, 1, 0x02);
    assert_int_equal(gicd_read(ITARGETSR + 40, 4), 0x01010200);
}

static void v2_private_interrupts_are_banked(void **state)
{
    (void)state;
    gicd_write(ISENABLER, 4, BIT(27));
    assert_int_equal(gicd_read(ISENABLER, 4), 0xffff | BIT(27));
    on(1);
    assert_int_equal(gicd_read(ISENABLER, 4), 0xffff);
    gicd_write(IPRIORITYR + 3, 1, 0x88);
    on(0);
    assert_int_equal(gicd_read(IPRIORITYR + 3, 1), 0);
}

#define v3(test) cmocka_unit_test_setup_teardown(test, machine_setup_v3, machine_teardown)
#define v2(test) cmocka_unit_test_setup_teardown(test, machine_setup_v2, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        v3(a_v3_distributor_identifies_itself),
        v3(redistributors_identify_themselves),
        v3(a_v3_distributor_has_no_private_interrupts),
        v3(priorities_are_accessed_by_byte_halfword_and_word),
        v3(routes_are_written_whole_or_in_halves),
        v3(bit_registers_are_words_only),
        v3(configuration_is_fixed_for_sgis_and_timers),
        v2(a_v2_distributor_identifies_itself),
        v2(v2_targets_are_banked_and_masked),
        v2(v2_private_interrupts_are_banked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
