/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs: what a guest's accesses do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/msr.h"
#include "tests/unit/random.h"
#include "tests/unit/x86_fake_guest.h"

#define ALL_WRITE_BACK 0x0606060606060606u

static int set_up(void **state)
{
    (void)state;
    fake_long_mode();
    fake_tsc = 1000;
    fake_msr = 0;
    fake_cpuid_reset();
    fake_cpuid(0x80000000, 0, (struct cpuid){ 0x80000008, 0, 0, 0 });
    fake_cpuid(0x80000001, 0, (struct cpuid){ 0, 0, 0, ~0u });
    fake_cpuid(0x80000008, 0, (struct cpuid){ 0x3028, 0, 0, 0 });
    x86_cpuid_init();
    guest.vcpu.tsc_offset = 0;
    x86_msr_reset(&guest.vcpu);
    return 0;
}

static uint64_t read_msr(uint32_t index)
{
    uint64_t value = ~0ull;

    assert_int_equal(x86_msr_read(&guest.vcpu, index, &value), MSR_DONE);
    return value;
}

static enum x86_msr_result write_msr(uint32_t index, uint64_t value)
{
    return x86_msr_write(&guest.vcpu, index, value);
}

static void msrs_without_a_line_are_faults(void **state)
{
    static const uint32_t unknown[] = { 0x48,  0x49,       0x10a,      0xe7,       0xe8,
                                        0x3b1, 0x480,      0x400,      0xc0000104, 0xc0010114,
                                        0x210, 0xc0010117, 0x40000000, 0xffffffff, X86_MSR_CR8,
                                        0xd90, 0x900,      0x7ff };
    uint64_t value;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        assert_int_equal(x86_msr_read(&guest.vcpu, unknown[i], &value), MSR_FAULT);
        assert_int_equal(value, 0);
        assert_int_equal(write_msr(unknown[i], 0), MSR_FAULT);
    }
}

static void the_apics_go_to_the_model(void **state)
{
    static const uint32_t models[] = { MSR_APIC_BASE, MSR_TSC_DEADLINE, MSR_X2APIC_FIRST, 0x830,
                                       MSR_X2APIC_LAST };
    uint64_t value;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
        assert_int_equal(x86_msr_read(&guest.vcpu, models[i], &value), MSR_MODEL);
        assert_int_equal(write_msr(models[i], ~0ull), MSR_MODEL);
    }
}

static void passed_ranges_are_those_that_the_hardware_switches(void **state)
{
    struct x86_msr_range range;

    (void)state;
    assert_true(x86_msr_passed(0, &range));
    assert_int_equal(range.first, 0x174);
    assert_int_equal(range.last, 0x176);
    assert_true(x86_msr_passed(1, &range));
    assert_int_equal(range.first, 0xc0000081);
    assert_int_equal(range.last, 0xc0000084);
    assert_true(x86_msr_passed(2, &range));
    assert_int_equal(range.first, 0xc0000100);
    assert_int_equal(range.last, 0xc0000103);
    assert_false(x86_msr_passed(3, &range));
    x86_features.has_rdtscp = false;
    assert_true(x86_msr_passed(2, &range));
    assert_int_equal(range.last, 0xc0000102);
}

static void the_tsc_is_the_hosts_plus_an_offset(void **state)
{
    (void)state;
    assert_int_equal(read_msr(MSR_TSC), 1000);
    assert_int_equal(write_msr(MSR_TSC, 5000), MSR_DONE);
    assert_int_equal(read_msr(MSR_TSC), 5000);
    assert_int_equal(read_msr(MSR_TSC_ADJUST), 4000);
    assert_int_equal(guest.vcpu.tsc_offset, 4000);
    assert_int_equal(guest.reg[REG_TSC_OFFSET], 4000);
    fake_tsc = 1500;
    assert_int_equal(write_msr(MSR_TSC_ADJUST, 0), MSR_DONE);
    assert_int_equal(read_msr(MSR_TSC), 1500);
    assert_int_equal(write_msr(MSR_TSC_ADJUST, (uint64_t)-500), MSR_DONE);
    assert_int_equal(read_msr(MSR_TSC), 1000);
}

static void efer_takes_what_cpuid_announced(void **state)
{
    (void)state;
    assert_int_equal(read_msr(MSR_EFER) & EFER_LMA, EFER_LMA);
    assert_int_equal(write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE | EFER_NXE), MSR_DONE);
    assert_int_equal(write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SVME), MSR_FAULT);
    assert_int_equal(write_msr(MSR_EFER, 0), MSR_FAULT); /* long mode is on */
}

static void memory_types_are_checked(void **state)
{
    (void)state;
    assert_int_equal(read_msr(MSR_PAT), PAT_RESET);
    assert_int_equal(write_msr(MSR_PAT, 0x0407050600070106), MSR_DONE);
    assert_int_equal(read_msr(MSR_PAT), 0x0407050600070106);
    assert_int_equal(write_msr(MSR_PAT, 2), MSR_FAULT);
    assert_int_equal(write_msr(MSR_PAT, 3ull << 56), MSR_FAULT);
    assert_int_equal(write_msr(MSR_PAT, 8), MSR_FAULT);
    assert_int_equal(write_msr(0x250, 7), MSR_FAULT); /* UC- is PAT's alone */
    assert_int_equal(write_msr(MSR_MTRR_DEFAULT, 0xc02), MSR_FAULT);
    assert_int_equal(write_msr(MSR_MTRR_DEFAULT, 0x1c06), MSR_FAULT);
    assert_int_equal(write_msr(MSR_MTRR_VARIABLE, 2), MSR_FAULT);
    assert_int_equal(read_msr(MSR_PAT), 0x0407050600070106);
}

static void memory_types_are_as_firmware_leaves_them(void **state)
{
    (void)state;
    assert_int_equal(read_msr(MSR_MTRRCAP), 0x508);
    assert_int_equal(read_msr(MSR_MTRR_DEFAULT), 0xc06);
    assert_int_equal(read_msr(0x250), ALL_WRITE_BACK);
    assert_int_equal(read_msr(0x258), ALL_WRITE_BACK);
    assert_int_equal(read_msr(0x259), 0); /* 0xa0000: VGA */
    assert_int_equal(read_msr(0x268), ALL_WRITE_BACK);
    assert_int_equal(write_msr(MSR_MTRRCAP, 0), MSR_FAULT);
}

static void each_mtrr_keeps_its_own(void **state)
{
    static const uint32_t fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                      0x26b, 0x26c, 0x26d, 0x26e, 0x26f };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        assert_int_equal(write_msr(fixed[i], i & 1 ? 0x06 : 0x05ull << 8 * (i / 2)), MSR_DONE);
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        assert_int_equal(read_msr(fixed[i]), i & 1 ? 0x06 : 0x05ull << 8 * (i / 2));
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(write_msr(MSR_MTRR_VARIABLE + 2 * i, (uint64_t)i << 20 | 6), MSR_DONE);
        assert_int_equal(write_msr(MSR_MTRR_VARIABLE + 2 * i + 1, (uint64_t)i << 21 | 0x800),
                         MSR_DONE);
    }
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(read_msr(MSR_MTRR_VARIABLE + 2 * i), (uint64_t)i << 20 | 6);
        assert_int_equal(read_msr(MSR_MTRR_VARIABLE + 2 * i + 1), (uint64_t)i << 21 | 0x800);
    }
    assert_int_equal(write_msr(MSR_MTRR_VARIABLE + 1, BIT(40) | 0x800), MSR_FAULT);
    assert_int_equal(write_msr(MSR_MTRR_VARIABLE + 1, 0x1800), MSR_DONE);
    assert_int_equal(write_msr(MSR_MTRR_VARIABLE, BIT(40) | 6), MSR_FAULT);
}

static void there_are_no_machine_check_banks(void **state)
{
    (void)state;
    assert_int_equal(read_msr(MSR_MCG_CAP), 0);
    assert_int_equal(read_msr(MSR_MCG_CAP + 1), 0);
    assert_int_equal(write_msr(MSR_MCG_CAP + 1, 0), MSR_DONE);
}

static void virtualization_is_locked_off(void **state)
{
    (void)state;
    assert_int_equal(read_msr(MSR_FEATURE_CONTROL), 1);
    assert_int_equal(write_msr(MSR_FEATURE_CONTROL, 5), MSR_FAULT);
}

static void misc_enable_keeps_what_is_not_there_off(void **state)
{
    const uint64_t before = read_msr(MSR_MISC_ENABLE);

    (void)state;
    assert_int_equal(before, BIT(0) | BIT(11) | BIT(12));
    assert_int_equal(write_msr(MSR_MISC_ENABLE, ~0ull), MSR_DONE);
    assert_int_equal(read_msr(MSR_MISC_ENABLE), before | BIT(22) | BIT(34));
    assert_int_equal(write_msr(MSR_MISC_ENABLE, 0), MSR_DONE);
    assert_int_equal(read_msr(MSR_MISC_ENABLE), BIT(11) | BIT(12));
}

static void microcode_is_the_hosts_and_stays(void **state)
{
    (void)state;
    fake_msr = 0x1234;
    assert_int_equal(read_msr(MSR_BIOS_SIGN), 0x1234);
    assert_int_equal(write_msr(MSR_BIOS_SIGN, 0), MSR_DONE);
    assert_int_equal(write_msr(0x79, 0x1000), MSR_DONE);
    assert_int_equal(read_msr(MSR_BIOS_SIGN), 0x1234);
}

static void knobs_swallow_writes(void **state)
{
    static const uint32_t knobs[] = { 0x1d9, 0x1a4, 0xc0010000, 0xc0010007, 0xc0011022, 0x199 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
        assert_int_equal(write_msr(knobs[i], ~0ull), MSR_DONE);
        assert_int_equal(read_msr(knobs[i]), 0);
    }
    assert_int_equal(write_msr(0xc0010015, 0), MSR_DONE);
    assert_int_equal(read_msr(0xc0010015), BIT(24));
    assert_int_equal(read_msr(0xc0011029), BIT(1));
}

static void any_access_is_answered(void **state)
{
    static const uint32_t bases[] = { 0, 0x200, 0xc0000000, 0xc0010000, 0xc0011000 };
    uint64_t seed = 1, value;

    (void)state;
    for (unsigned i = 0; i < 500000; i++) {
        const uint64_t r = random_next(&seed);
        const uint32_t index = bases[r % ARRAY_SIZE(bases)] + (uint32_t)(r >> 32 & 0x7ff);

        x86_msr_write(&guest.vcpu, index, random_next(&seed));
        x86_msr_read(&guest.vcpu, index, &value);
    }
    assert_false(guest.reg[REG_EFER] & EFER_SVME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(msrs_without_a_line_are_faults, set_up),
        cmocka_unit_test_setup(the_apics_go_to_the_model, set_up),
        cmocka_unit_test_setup(passed_ranges_are_those_that_the_hardware_switches, set_up),
        cmocka_unit_test_setup(the_tsc_is_the_hosts_plus_an_offset, set_up),
        cmocka_unit_test_setup(efer_takes_what_cpuid_announced, set_up),
        cmocka_unit_test_setup(memory_types_are_checked, set_up),
        cmocka_unit_test_setup(memory_types_are_as_firmware_leaves_them, set_up),
        cmocka_unit_test_setup(each_mtrr_keeps_its_own, set_up),
        cmocka_unit_test_setup(there_are_no_machine_check_banks, set_up),
        cmocka_unit_test_setup(virtualization_is_locked_off, set_up),
        cmocka_unit_test_setup(misc_enable_keeps_what_is_not_there_off, set_up),
        cmocka_unit_test_setup(microcode_is_the_hosts_and_stays, set_up),
        cmocka_unit_test_setup(knobs_swallow_writes, set_up),
        cmocka_unit_test_setup(any_access_is_answered, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
