/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX: what the CPU is told of the guest's local APIC, by what it can. */
#include "tests/unit/x86_vmx_test.h"

#include <arch/layout.h>

#define MAY(bits) ((uint64_t)(bits) << 32)
#define CR8_EXITS (PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE)

static uint32_t registers[PAGE_SIZE / sizeof(uint32_t)] __attribute__((aligned(4096)));

static int set_up_apic(void **state)
{
    set_up(state);
    vmx_cpu.control[VMX_PRIMARY] = MAY(UINT32_MAX);
    vmx_intercept(&vcpu, CR8_EXITS, true);
    fake_vmcs[VMCS_TPR_THRESHOLD] = 9;
    vmx_reset_apic();
    return 0;
}

static void prepare(enum hv_apic how)
{
    vmx_set_apic(&vcpu, how, registers);
    assert_true(vcpu.pending & PENDING_APIC);
    assert_int_equal(vcpu.apic, how);
    vmx_prepare_apic(&vcpu);
}

static void cr8_is_in_the_models_page(void **state)
{
    (void)state;
    assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 0);
    for (enum hv_apic how = HV_APIC_OFF; how <= HV_APIC_MSRS; how++) {
        prepare(how);
        assert_int_equal(fake_vmcs[VMCS_VIRTUAL_APIC], virt_to_phys(registers).raw);
        assert_true(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_TPR_SHADOW);
        assert_false(fake_vmcs[VMCS_PRIMARY_CONTROLS] & CR8_EXITS);
    }
}

static void a_priority_that_falls_ends_the_wait(void **state)
{
    (void)state;
    prepare(HV_APIC_PAGE);
    vmx_watch_priority(&vcpu, 5);
    assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 5);
    assert_true(leave(VMX_EXIT_TPR_BELOW_THRESHOLD, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_WINDOW);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP); /* behind the instruction already */
    vmx_watch_priority(&vcpu, 0);
    assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 0);
}

/* And one that has it, but cannot do without the exits, has not. */
static void a_cpu_without_it_exits_at_cr8(void **state)
{
    const uint64_t words[] = { MAY(~PRIMARY_TPR_SHADOW), MAY(UINT32_MAX) | PRIMARY_CR8_STORE };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        vmx_cpu.control[VMX_PRIMARY] = words[i];
        prepare(HV_APIC_PAGE);
        vmx_watch_priority(&vcpu, 5); /* a field that it does not have */
        assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 0);
        assert_false(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_TPR_SHADOW);
        assert_int_equal(fake_vmcs[VMCS_PRIMARY_CONTROLS] & CR8_EXITS, CR8_EXITS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cr8_is_in_the_models_page, set_up_apic),
        cmocka_unit_test_setup(a_priority_that_falls_ends_the_wait, set_up_apic),
        cmocka_unit_test_setup(a_cpu_without_it_exits_at_cr8, set_up_apic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
