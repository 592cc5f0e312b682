/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APICs: registers in both modes, and a guest that accesses anything. */
#include "tests/unit/vlapic_test.h"

/* --- registers --- */

static void registers_have_their_reset_values(void **unused)
{
    uint64_t base;

    (void)unused;
    pc_start(2);
    assert_int_equal(apic_read(1, APIC_ID), 1u << 24);
    assert_int_equal(apic_read(0, APIC_VERSION), VLAPIC_VERSION);
    assert_int_equal(apic_read(0, APIC_DFR), UINT32_MAX);
    assert_int_equal(apic_read(0, APIC_SVR), 0xff);
    assert_int_equal(apic_read(0, APIC_LVT_LINT0), 0x700); /* virtual wire */
    assert_int_equal(apic_read(1, APIC_LVT_LINT0), APIC_MASKED);
    assert_int_equal(apic_read(0, APIC_LVT_TIMER), APIC_MASKED);
    assert_int_equal(apic_read(0, APIC_PPR), 0);
    assert_true(msr_read(0, MSR_APIC_BASE, &base));
    assert_int_equal(base, VLAPIC_BASE | 0x900);
    assert_true(msr_read(1, MSR_APIC_BASE, &base));
    assert_int_equal(base, VLAPIC_BASE | 0x800);
    pc_stop();
}

static void registers_keep_their_writable_bits_only(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_TPR, 0xffffff35);
    assert_int_equal(apic_read(0, APIC_TPR), 0x35);
    apic_write(0, APIC_LDR, 0x12345678);
    assert_int_equal(apic_read(0, APIC_LDR), 0x12000000);
    apic_write(0, APIC_DFR, 0);
    assert_int_equal(apic_read(0, APIC_DFR), 0x0fffffff);
    apic_write(0, APIC_LVT_ERROR, UINT32_MAX);
    assert_int_equal(apic_read(0, APIC_LVT_ERROR), 0x100ff);
    apic_write(0, APIC_TDCR, UINT32_MAX);
    assert_int_equal(apic_read(0, APIC_TDCR), 0xb);
    apic_write(0, APIC_ID, 0x55000000);
    assert_int_equal(apic_read(0, APIC_ID), 0);
    mmio_write(0, VLAPIC_BASE + 16 * APIC_TPR, 1, 0x77); /* only whole registers */
    mmio_write(0, VLAPIC_BASE + 16 * APIC_TPR + 4, 4, 0x77);
    assert_int_equal(apic_read(0, APIC_TPR), 0x35);
    assert_int_equal(mmio_read(0, VLAPIC_BASE + 16 * APIC_LDR + 3, 1), 0x12);
    pc_stop();
}

static void an_apic_disabled_by_software_masks_its_table(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_LVT_PERF, 0x40);
    assert_int_equal(apic_read(0, APIC_LVT_PERF), 0x40);
    apic_write(0, APIC_SVR, 0xff);
    assert_int_equal(apic_read(0, APIC_LVT_PERF), 0x10040);
    apic_write(0, APIC_LVT_PERF, 0x41);
    assert_int_equal(apic_read(0, APIC_LVT_PERF), 0x10041);
    icr(0, 0, SELF | 0x50);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void a_wrong_register_is_noted_in_esr(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_LVT_ERROR, 0xfe);
    apic_read(0, (enum vlapic_reg)0x3a);
    assert_int_equal(apic_read(0, APIC_ESR), 0); /* latched by a write */
    assert_int_equal(taken(0), 0xfe);
    apic_eoi(0);
    apic_write(0, APIC_ESR, 0);
    assert_int_equal(apic_read(0, APIC_ESR), ESR_REGISTER);
    apic_write(0, APIC_ESR, 0);
    assert_int_equal(apic_read(0, APIC_ESR), 0);
    pc_stop();
}

static void illegal_vectors_are_errors_not_interrupts(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    apic_write(0, APIC_LVT_ERROR, 5); /* illegal itself: no endless loop */
    icr(0, 1, 0x0f);
    assert_int_equal(taken(0), NOTHING);
    apic_write(0, APIC_ESR, 0);
    assert_int_equal(apic_read(0, APIC_ESR), ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL);
    apic_write(1, APIC_ESR, 0);
    assert_int_equal(apic_read(1, APIC_ESR), 0);
    entry_write(5, 1ull << 56 | 0x05);
    gsi(5, true);
    apic_write(1, APIC_ESR, 0);
    assert_int_equal(apic_read(1, APIC_ESR), ESR_RECEIVE_ILLEGAL);
    pc_stop();
}

static void what_is_pending_already_wakes_nobody(void **unused)
{
    unsigned requested;

    (void)unused;
    pc_start_enabled(2);
    guest[1].interrupts = false;
    icr(0, 1, 0x40);
    requested = guest[1].requested;
    for (unsigned i = 0; i < 100; i++)
        icr(0, 1, 0x40);
    assert_int_equal(guest[1].requested, requested);
    icr(0, 1, 0x41);
    assert_int_equal(guest[1].requested, requested + 1);
    icr(0, 1, 0x400); /* an NMI, taken at once: so each is a new one */
    icr(0, 1, 0x400);
    assert_int_equal(guest[1].requested, requested + 3);
    assert_int_equal(guest[1].nmis, 2);
    guest[1].interrupts = true;
    assert_int_equal(taken(1), 0x41);
    assert_int_equal(taken(1), NOTHING); /* of the same class */
    apic_eoi(1);
    assert_int_equal(taken(1), 0x40);
    pc_stop();
}

/* --- modes --- */

static void apic_base_allows_the_manuals_transitions_only(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    assert_false(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x400)); /* x2 without enable */
    assert_false(msr_write(1, MSR_APIC_BASE, 0xfef00000u | 0x800)); /* elsewhere */
    assert_false(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x801)); /* reserved */
    assert_false(msr_write(1, MSR_APIC_BASE, 1ull << 52 | VLAPIC_BASE | 0x800));
    assert_true(msr_write(1, MSR_APIC_BASE, X2_BASE));
    assert_false(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x800)); /* back to xAPIC */
    assert_true(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE));
    assert_int_equal(lapic(1)->vcpu->hv.apic, HV_APIC_OFF);
    assert_false(msr_write(1, MSR_APIC_BASE, X2_BASE)); /* not at once */
    assert_true(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x800));
    assert_int_equal(lapic(1)->vcpu->hv.apic, HV_APIC_PAGE);
    assert_int_equal(apic_read(1, APIC_SVR), 0xff); /* as after power-on */
    pc_stop();
}

static void x2apic_has_msrs_and_no_page(void **unused)
{
    uint64_t value;

    (void)unused;
    pc_start_enabled(4);
    assert_false(msr_read(3, X2(APIC_ID), &value));
    assert_false(msr_write(3, X2(APIC_TPR), 0));
    enter_x2(4);
    assert_int_equal(apic_read(3, APIC_ID), UINT32_MAX);
    apic_write(3, APIC_TPR, 0x40);
    assert_true(msr_read(3, X2(APIC_TPR), &value));
    assert_int_equal(value, 0);
    assert_true(msr_read(3, X2(APIC_ID), &value));
    assert_int_equal(value, 3);
    assert_true(msr_read(3, X2(APIC_LDR), &value));
    assert_int_equal(value, 8);
    assert_true(msr_read(3, X2(APIC_SVR), &value));
    assert_int_equal(value, 0x1ff);
    pc_stop();
}

static void x2apic_faults_on_what_it_has_not(void **unused)
{
    static const struct {
        uint32_t reg;
        uint64_t value;
    } refused[] = {
        { APIC_ID, 0 },
        { APIC_VERSION, 0 },
        { APIC_LDR, 0 },
        { APIC_DFR, 0 },
        { APIC_PPR, 0 },
        { APIC_ICR2, 0 },
        { APIC_TMCCT, 0 },
        { APIC_ISR, 0 },
        { APIC_APR, 0 },
        { APIC_RRD, 0 },
        { APIC_EOI, 1 },
        { APIC_ESR, 1 },
        { APIC_TPR, 0x100 },
        { APIC_SVR, 0x2000 },
        { APIC_TDCR, 4 },
        { APIC_SELF_IPI, 0x100 },
        { APIC_TMICT, 1ull << 32 },
        { APIC_ICR, 1u << 20 },
        { APIC_ICR, 1u << 13 },
        { APIC_LVT_TIMER, 1u << 19 },
        { APIC_LVT_LINT0, 1u << 17 },
        { 0x40, 0 },
        { 0xff, 0 },
    };
    static const uint32_t unreadable[] = { APIC_EOI, APIC_SELF_IPI, APIC_DFR, APIC_ICR2, APIC_APR,
                                           APIC_RRD, 0x00,          0x29,     0x3a,      0xc3 };
    uint64_t value;

    (void)unused;
    pc_start_enabled(1);
    enter_x2(1);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        assert_false(msr_write(0, X2(refused[i].reg), refused[i].value));
    for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++)
        assert_false(msr_read(0, X2(unreadable[i]), &value));
    assert_true(msr_write(0, X2(APIC_EOI), 0));
    assert_true(msr_write(0, X2(APIC_LVT_LINT0), 0x15700)); /* read-only bits are no fault */
    assert_true(msr_read(0, X2(APIC_LVT_LINT0), &value));
    assert_int_equal(value, 0x10700);
    pc_stop();
}

static void cr8_is_the_upper_half_of_tpr(void **unused)
{
    uint64_t value;

    (void)unused;
    pc_start_enabled(1);
    assert_true(msr_write(0, X86_MSR_CR8, 9));
    assert_int_equal(apic_read(0, APIC_TPR), 0x90);
    apic_write(0, APIC_TPR, 0x4f);
    assert_true(msr_read(0, X86_MSR_CR8, &value));
    assert_int_equal(value, 4);
    assert_false(msr_write(0, X86_MSR_CR8, 0x10));
    pc_stop();
}

/* --- hostile guests --- */

static void random_accesses_never_break_it(void **unused)
{
    uint64_t random = 1;

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        pc_start_enabled(PC_CPUS);
        for (unsigned i = 0; i < 3000; i++) {
            unsigned cpu = (unsigned)random_below(&random, PC_CPUS);
            uint64_t value = random_next(&random) >> random_below(&random, 64);
            uint64_t at = VLAPIC_BASE + random_below(&random, 0x400) *
                                            (random_below(&random, 4) != 0 ? 16 : 1) % 0x1000;
            unsigned size = 1u << random_below(&random, 4);

            switch (random_below(&random, 8)) {
            case 0: mmio_read(cpu, at & ~(size - 1ull), size); break;
            case 1:
            case 2: mmio_write(cpu, at & ~0xfull, 4, value); break;
            case 3:
                msr_write(cpu, MSR_X2APIC + (uint32_t)random_below(&random, 0x48), value);
                break;
            case 4:
                msr_read(cpu, MSR_X2APIC + (uint32_t)random_below(&random, 0x100), &value);
                break;
            case 5: guest[cpu].interrupts = value & 1; break;
            case 6: apic_write(cpu, APIC_SVR, 0x1ff); break;
            default:
                taken(cpu);
                apic_eoi(cpu);
                break;
            }
            if (i % 512 == 0)
                msr_write(cpu, MSR_APIC_BASE, VLAPIC_BASE | (value & 0xc00));
            counter_to(arch_counter() + random_below(&random, 10000));
            check_invariants();
        }
        pc_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_have_their_reset_values),
        cmocka_unit_test(registers_keep_their_writable_bits_only),
        cmocka_unit_test(an_apic_disabled_by_software_masks_its_table),
        cmocka_unit_test(a_wrong_register_is_noted_in_esr),
        cmocka_unit_test(illegal_vectors_are_errors_not_interrupts),
        cmocka_unit_test(what_is_pending_already_wakes_nobody),
        cmocka_unit_test(apic_base_allows_the_manuals_transitions_only),
        cmocka_unit_test(x2apic_has_msrs_and_no_page),
        cmocka_unit_test(x2apic_faults_on_what_it_has_not),
        cmocka_unit_test(cr8_is_the_upper_half_of_tpr),
        cmocka_unit_test(random_accesses_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
