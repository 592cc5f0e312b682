/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APICs whose page hardware shows to the guest, and writes: what stands there is what the
 * model's reads give, whatever has happened.
 */
#include "tests/unit/vdev_record.h"
#include "tests/unit/vlapic_test.h"

#define RECORD_BYTES 1024

/* --- the hardware, SDM 3C 29.4 and 29.5 --- */

static bool is_vector_set(unsigned reg)
{
    return reg >= APIC_ISR && reg < APIC_IRR + 8;
}

/* Written by the hardware, then told to the model, but for the first two. */
static const uint8_t written[] = {
    APIC_TPR,       APIC_ICR2,      APIC_ID,        APIC_EOI,       APIC_LDR,      APIC_DFR,
    APIC_SVR,       APIC_ESR,       APIC_ICR,       APIC_LVT_TIMER, APIC_LVT_PERF, APIC_LVT_THERMAL,
    APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_LVT_ERROR, APIC_TMICT,     APIC_TDCR,
};

static bool page_has(unsigned reg)
{
    bool has = reg == APIC_VERSION || is_vector_set(reg);

    for (size_t i = 0; i < ARRAY_SIZE(written); i++)
        has |= reg == written[i];
    return has;
}

/* PPR, the vectors, ICR and the count exit. */
static bool msr_is_shown(unsigned reg)
{
    return (page_has(reg) || reg == APIC_LVT_CMCI) && !is_vector_set(reg) && reg != APIC_EOI &&
           reg != APIC_ICR && reg != APIC_ICR2 && reg != APIC_DFR;
}

static void hardware_writes(unsigned cpu, unsigned reg, uint32_t value)
{
    if (lapic(cpu)->vcpu->hv.apic != HV_APIC_PAGE)
        return;
    if (reg == APIC_TPR)
        value &= 0xff;
    if (reg == APIC_ICR2)
        value &= 0xff000000;
    vlapic_set_reg(lapic(cpu), reg, value);
    if (reg == APIC_TPR && value >> 4 < guest[cpu].watched)
        vlapic_window(lapic(cpu));
    if (reg != APIC_TPR && reg != APIC_ICR2)
        apic_write(cpu, reg, value);
    settle();
}

static void check_page(unsigned cpu)
{
    const enum hv_apic how = lapic(cpu)->vcpu->hv.apic;
    uint64_t value = 0;

    for (unsigned reg = 0; reg < VLAPIC_REGS; reg++) {
        const uint32_t shown = vlapic_reg(lapic(cpu), reg);

        if (how == HV_APIC_PAGE && page_has(reg))
            assert_int_equal(shown, apic_read(cpu, reg));
        if (how == HV_APIC_MSRS && msr_is_shown(reg)) {
            assert_true(msr_read(cpu, X2(reg), &value));
            assert_int_equal(shown, value);
        }
        for (unsigned i = 1; i < 4; i++) /* an MSR's upper half, and what is nothing's */
            assert_int_equal(lapic(cpu)->page[4 * reg + i], 0);
    }
}

static void check_pages(void)
{
    for (unsigned cpu = 0; cpu < vm.config.cpus; cpu++)
        check_page(cpu);
}

/* --- one by one --- */

static void it_is_right_from_the_start(void **unused)
{
    (void)unused;
    pc_start(2);
    assert_true(covered);
    check_pages();
    pc_stop();
}

static void what_hardware_wrote_becomes_what_is_kept(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
        hardware_writes(1, written[i], UINT32_MAX);
        check_page(1);
        hardware_writes(1, written[i], 0);
        check_page(1);
    }
    assert_int_equal(apic_read(1, APIC_ID), 1u << 24);
    pc_stop();
}

/* A count is not restarted by a write that it ignores, nor its mode taken from one that is new. */
static void the_timer_keeps_what_hardware_overwrites(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    hardware_writes(0, APIC_LVT_TIMER, 0x40051); /* deadline */
    hardware_writes(0, APIC_TMICT, 1000);
    assert_int_equal(apic_read(0, APIC_TMICT), 0);
    check_page(0);
    assert_true(msr_write(0, MSR_TSC_DEADLINE, arch_counter() + 100000));
    hardware_writes(0, APIC_LVT_TIMER, 0x51); /* another mode: it stops */
    counter_to(arch_counter() + 200000);
    assert_int_equal(taken(0), NOTHING);
    hardware_writes(0, APIC_LVT_TIMER, 0x20051); /* periodic */
    hardware_writes(0, APIC_TMICT, 1000);
    vlapic_set_reg(lapic(0), APIC_TMICT, 0); /* and not told yet */
    counter_to(arch_counter() + 1000000);
    assert_int_equal(taken(0), 0x51);
    hardware_writes(0, APIC_TMICT, 0);
    check_page(0);
    pc_stop();
}

static void vectors_are_shown_as_they_move(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    guest[1].interrupts = false;
    icr(0, 1, 0x51);
    icr(0, 1, 0x93);
    assert_int_equal(vlapic_reg(lapic(1), APIC_IRR + 2), BIT(17));
    assert_int_equal(vlapic_reg(lapic(1), APIC_IRR + 4), BIT(19));
    guest[1].interrupts = true;
    assert_int_equal(taken(1), 0x93);
    assert_int_equal(vlapic_reg(lapic(1), APIC_IRR + 2), BIT(17));
    assert_int_equal(vlapic_reg(lapic(1), APIC_IRR + 4), 0);
    assert_int_equal(vlapic_reg(lapic(1), APIC_ISR + 4), BIT(19));
    hardware_writes(1, APIC_EOI, 0x1234);
    assert_int_equal(taken(1), 0x51);
    hardware_writes(1, APIC_EOI, 0);
    check_pages();
    entry_write(5, 1ull << 56 | 1u << 15 | 0x62); /* by level */
    gsi(5, true);
    assert_int_equal(vlapic_reg(lapic(1), APIC_TMR + 3), BIT(2));
    check_pages();
    gsi(5, false);
    pc_stop();
}

static void the_place_is_covered_while_all_are_xapics(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    assert_true(msr_write(1, MSR_APIC_BASE, X2_BASE));
    assert_false(covered);
    check_pages();
    assert_true(msr_write(0, MSR_APIC_BASE, VLAPIC_BASE | APIC_BASE_BSP));
    assert_true(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE));
    assert_true(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | APIC_BASE_ENABLE));
    assert_false(covered);
    assert_true(msr_write(0, MSR_APIC_BASE, VLAPIC_BASE | APIC_BASE_BSP | APIC_BASE_ENABLE));
    assert_true(covered);
    check_pages();
    enter_x2(2);
    virqchip_reset_vcpu(lapic(1)->vcpu); /* INIT: the mode stays */
    assert_false(covered);
    check_pages();
    virqchip_reset(&vm);
    assert_true(covered);
    check_pages();
    pc_stop();
}

static void a_snapshot_brings_its_page(void **unused)
{
    uint8_t record[RECORD_BYTES];
    size_t bytes;

    (void)unused;
    pc_start_enabled(2);
    guest[1].interrupts = false;
    hardware_writes(1, APIC_TPR, 0x33);
    icr(0, 1, 0x51);
    icr(0, 1, 0x21);
    hardware_writes(1, APIC_LVT_TIMER, 0x20052);
    hardware_writes(1, APIC_TMICT, 12345);
    bytes = vdev_save(device("lapic"), record, sizeof(record));
    enter_x2(2);
    assert_false(covered);
    assert_int_equal(vdev_restore(device("lapic"), record, bytes), OK);
    assert_true(covered);
    check_pages();
    assert_int_equal(vlapic_reg(lapic(1), APIC_IRR + 1), BIT(1));
    settle();
    pc_stop();
}

/* --- anything --- */

static void act(unsigned cpu, uint64_t *random)
{
    const uint64_t value = random_next(random) >> random_below(random, 64);
    const unsigned reg = (unsigned)random_below(random, VLAPIC_REGS);

    switch (random_below(random, 12)) {
    case 0: apic_write(cpu, reg, (uint32_t)value); break;
    case 1: msr_write(cpu, X2(reg), value); break;
    case 2: guest[cpu].interrupts = value & 1; break;
    case 3: gsi((uint32_t)random_below(random, 2) ? 5 : 11, value & 1); break;
    case 4:
        entry_write(value & 1 ? 5 : 11, (uint64_t)cpu << 56 | (random_next(random) & 0x80ff));
        break;
    case 5: hardware_writes(cpu, APIC_SVR, 0x1ff); break;
    case 6:
        if (value % 64 == 0)
            msr_write(cpu, MSR_APIC_BASE,
                      VLAPIC_BASE | (cpu == 0 ? APIC_BASE_BSP : 0) | random_below(random, 4) << 10);
        break;
    case 7: taken(cpu); break;
    case 8: hardware_writes(cpu, APIC_ICR, (uint32_t)value & 0xc00ff); break;
    default:
        hardware_writes(cpu, written[random_below(random, ARRAY_SIZE(written))], (uint32_t)value);
        break;
    }
}

static void the_page_is_what_reads_give(void **unused)
{
    uint64_t random = 11;

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        pc_start_enabled(PC_CPUS);
        for (unsigned i = 0; i < 2000; i++) {
            act((unsigned)random_below(&random, PC_CPUS), &random);
            counter_to(arch_counter() + random_below(&random, 10000));
            check_invariants();
            check_pages();
        }
        gsi(5, false);
        gsi(11, false);
        pc_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_right_from_the_start),
        cmocka_unit_test(what_hardware_wrote_becomes_what_is_kept),
        cmocka_unit_test(the_timer_keeps_what_hardware_overwrites),
        cmocka_unit_test(vectors_are_shown_as_they_move),
        cmocka_unit_test(the_place_is_covered_while_all_are_xapics),
        cmocka_unit_test(a_snapshot_brings_its_page),
        cmocka_unit_test(the_page_is_what_reads_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
