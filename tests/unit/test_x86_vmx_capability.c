/* SPDX-License-Identifier: BSD-2-Clause */
/* What VMX needs of a CPU: control words, and a sentence for each CPU that will not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86/vmx/capability.h"
#include "arch/x86/vmx/vmcs.h"

#define MAY(bits) ((uint64_t)(bits) << 32)

static struct vmx_capability cpu;
static const char *why;

/* Everything may be, nothing must be. */
static int set_up(void **state)
{
    (void)state;
    cpu = (struct vmx_capability){
        .feature_control = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX,
        .misc = UINT64_MAX,
        .ept_vpid = UINT64_MAX,
    };
    for (unsigned i = 0; i < VMX_WORDS; i++)
        cpu.control[i] = MAY(UINT32_MAX);
    why = NULL;
    return 0;
}

static void a_control_is_wanted_or_required_and_allowed(void **state)
{
    (void)state;
    cpu.control[VMX_PIN] = MAY(0xff) | 0x16;
    assert_int_equal(vmx_control(&cpu, VMX_PIN, 0x129), 0x3f);
    assert_int_equal(vmx_control(&cpu, VMX_PIN, 0), 0x16);
    cpu.control[VMX_PIN] = 0;
    assert_int_equal(vmx_control(&cpu, VMX_PIN, UINT32_MAX), 0);
}

static void a_complete_cpu_is_accepted(void **state)
{
    (void)state;
    assert_true(vmx_check(&cpu, &why));
    assert_null(why);
    for (unsigned i = 0; i < VMX_WORDS; i++)
        assert_int_equal(vmx_control(&cpu, i, vmx_wanted[i]), vmx_wanted[i]);
}

static void vmx_locked_off_is_told(void **state)
{
    (void)state;
    cpu.feature_control = FEATURE_CONTROL_LOCKED;
    assert_false(vmx_check(&cpu, &why));
    assert_string_equal(why, "VMX is locked off by the firmware");
    cpu.feature_control = 0; /* ours to allow */
    assert_true(vmx_check(&cpu, &why));
}

static void no_ept_is_told(void **state)
{
    (void)state;
    cpu.control[VMX_SECONDARY] &= ~MAY(SECONDARY_EPT);
    assert_false(vmx_check(&cpu, &why));
    assert_string_equal(why, "this CPU has VMX but no EPT");
    cpu.control[VMX_PRIMARY] &= ~MAY(PRIMARY_SECONDARY);
    cpu.control[VMX_SECONDARY] = 0;
    cpu.ept_vpid = 0;
    assert_false(vmx_check(&cpu, &why));
    assert_string_equal(why, "this CPU has VMX but no EPT");
}

static void each_bit_that_is_wanted_is_also_checked(void **state)
{
    static const uint32_t optional_bits[VMX_WORDS] = {
        [VMX_PIN] = PIN_PREEMPTION_TIMER,
        [VMX_SECONDARY] = SECONDARY_WBINVD,
        [VMX_EXIT] = EXIT_SAVE_PREEMPTION_TIMER,
    };

    (void)state;
    for (unsigned word = 0; word < VMX_WORDS; word++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            const bool optional = optional_bits[word] & BIT(bit);

            if (!(vmx_wanted[word] & BIT(bit)) || optional)
                continue;
            set_up(NULL);
            cpu.control[word] &= ~MAY(BIT(bit));
            assert_false(vmx_check(&cpu, &why));
            assert_non_null(why);
        }
    }
}

static void bits_that_are_switched_off_may_not_be_required(void **state)
{
    static const struct {
        enum vmx_word word;
        uint32_t bit;
    } cases[] = {
        { VMX_PRIMARY, PRIMARY_PAUSE },     { VMX_PRIMARY, PRIMARY_CR3_LOAD },
        { VMX_PRIMARY, PRIMARY_CR3_STORE }, { VMX_PRIMARY, PRIMARY_INVLPG },
        { VMX_ENTRY, ENTRY_IA32E },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_up(NULL);
        cpu.control[cases[i].word] |= cases[i].bit;
        assert_false(vmx_check(&cpu, &why));
        assert_non_null(why);
    }
}

static void each_part_of_ept_is_checked(void **state)
{
    static const uint64_t parts[] = {
        EPT_WALK_4,
        EPT_WRITE_BACK,
        EPT_PAGES_2M,
        EPT_INVEPT,
        VPID_INVVPID,
        EPT_INVEPT_SINGLE | EPT_INVEPT_ALL,
        VPID_INVVPID_SINGLE | VPID_INVVPID_ALL,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        cpu.ept_vpid = ~parts[i];
        why = NULL;
        assert_false(vmx_check(&cpu, &why));
        assert_non_null(why);
    }
    set_up(NULL);
    cpu.misc = ~MISC_STORES_LMA;
    assert_false(vmx_check(&cpu, &why));
}

static void the_preemption_timer_is_used_where_there_is_one(void **state)
{
    (void)state;
    cpu.misc = 5; /* a tick is 32 of the TSC's */
    assert_int_equal(vmx_timer_ticks(&cpu, 3200), 101);
    assert_int_equal(vmx_timer_ticks(&cpu, 0), 1);
    assert_int_equal(vmx_timer_ticks(&cpu, UINT64_MAX), UINT32_MAX);
    cpu.control[VMX_EXIT] &= ~MAY(EXIT_SAVE_PREEMPTION_TIMER);
    assert_int_equal(vmx_timer_ticks(&cpu, 3200), 101);
    set_up(NULL);
    cpu.control[VMX_PIN] &= ~MAY(PIN_PREEMPTION_TIMER);
    assert_int_equal(vmx_timer_ticks(&cpu, 3200), 0);
    assert_int_equal(vmx_control(&cpu, VMX_EXIT, EXIT_SAVE_PREEMPTION_TIMER | EXIT_HOST_64),
                     EXIT_HOST_64);
}

static void the_narrowest_invalidation_is_chosen(void **state)
{
    (void)state;
    assert_int_equal(vmx_invept_type(&cpu), 1);
    assert_int_equal(vmx_invvpid_type(&cpu), 1);
    cpu.ept_vpid = ~(EPT_INVEPT_SINGLE | VPID_INVVPID_SINGLE);
    assert_true(vmx_check(&cpu, &why));
    assert_int_equal(vmx_invept_type(&cpu), 2);
    assert_int_equal(vmx_invvpid_type(&cpu), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_control_is_wanted_or_required_and_allowed, set_up),
        cmocka_unit_test_setup(a_complete_cpu_is_accepted, set_up),
        cmocka_unit_test_setup(vmx_locked_off_is_told, set_up),
        cmocka_unit_test_setup(no_ept_is_told, set_up),
        cmocka_unit_test_setup(each_bit_that_is_wanted_is_also_checked, set_up),
        cmocka_unit_test_setup(bits_that_are_switched_off_may_not_be_required, set_up),
        cmocka_unit_test_setup(each_part_of_ept_is_checked, set_up),
        cmocka_unit_test_setup(the_preemption_timer_is_used_where_there_is_one, set_up),
        cmocka_unit_test_setup(the_narrowest_invalidation_is_chosen, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
