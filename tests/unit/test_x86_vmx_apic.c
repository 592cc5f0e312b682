/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX: what the CPU is told of the guest's local APIC, by what it can. */
#include "tests/unit/x86_vmx_test.h"

#include <arch/layout.h>

#define MAY(bits) ((uint64_t)(bits) << 32)
#define CR8_EXITS (PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE)

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
    /* Only a page shows all that changes without the guest. */
    assert_int_equal(vmx_set_apic(&vcpu, how, apic_registers),
                     how == HV_APIC_PAGE && vmx_apic_controls(&vmx_cpu, how) != 0);
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
        assert_int_equal(fake_vmcs[VMCS_VIRTUAL_APIC], virt_to_phys(apic_registers).raw);
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

/* --- registers in memory --- */

static void let_it_have_registers(void)
{
    vmx_cpu.control[VMX_SECONDARY] = MAY(UINT32_MAX);
    fake_vmcs[VMCS_SECONDARY_CONTROLS] = SECONDARY_EPT | SECONDARY_VPID;
    vmx_reset_apic();
}

static void the_mode_chooses_the_controls(void **state)
{
    static const uint32_t wanted[] = {
        [HV_APIC_OFF] = 0,
        [HV_APIC_PAGE] = SECONDARY_APIC_ACCESSES | SECONDARY_APIC_REGISTERS,
        [HV_APIC_MSRS] = SECONDARY_X2APIC | SECONDARY_APIC_REGISTERS,
    };
    static const enum hv_apic ways[] = { HV_APIC_PAGE, HV_APIC_MSRS, HV_APIC_OFF, HV_APIC_MSRS,
                                         HV_APIC_PAGE, HV_APIC_OFF,  HV_APIC_PAGE };
    paddr_t page;

    (void)state;
    let_it_have_registers();
    assert_true(vmx_apic_place(&page));
    assert_int_equal(page.raw & PAGE_MASK, 0);
    assert_int_equal(fake_vmcs[VMCS_APIC_ACCESS], page.raw);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        prepare(ways[i]);
        assert_int_equal(fake_vmcs[VMCS_SECONDARY_CONTROLS],
                         SECONDARY_EPT | SECONDARY_VPID | wanted[ways[i]]);
        assert_int_equal(x2apic_allowed, ways[i] == HV_APIC_MSRS);
        assert_true(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_TPR_SHADOW);
    }
}

/* All of them, and the TPR shadow; else none. */
static void a_cpu_without_one_part_has_no_registers(void **state)
{
    static const uint32_t parts[] = { SECONDARY_APIC_ACCESSES, SECONDARY_X2APIC,
                                      SECONDARY_APIC_REGISTERS };
    paddr_t page;

    (void)state;
    for (size_t i = 0; i <= ARRAY_SIZE(parts); i++) {
        let_it_have_registers();
        if (i < ARRAY_SIZE(parts))
            vmx_cpu.control[VMX_SECONDARY] = MAY(~parts[i]);
        else
            vmx_cpu.control[VMX_PRIMARY] = MAY(~PRIMARY_TPR_SHADOW);
        for (enum hv_apic how = HV_APIC_OFF; how <= HV_APIC_MSRS; how++) {
            assert_int_equal(vmx_apic_controls(&vmx_cpu, how), 0);
            x2apic_allowed = false;
            prepare(how);
            assert_int_equal(fake_vmcs[VMCS_SECONDARY_CONTROLS], SECONDARY_EPT | SECONDARY_VPID);
            assert_false(x2apic_allowed);
        }
        assert_false(vmx_apic_place(&page));
    }
}

static void an_access_says_what_was_wanted(void **state)
{
    static const struct {
        enum vmx_apic_access type;
        uint8_t access;
        bool walk;
    } cases[] = {
        { APIC_READ, VM_ACCESS_READ, false },         { APIC_WRITE, VM_ACCESS_WRITE, false },
        { APIC_FETCH, VM_ACCESS_EXEC, false },        { APIC_DELIVERY, VM_ACCESS_READ, false },
        { APIC_DELIVERY_WALK, VM_ACCESS_READ, true }, { APIC_WALK, VM_ACCESS_READ, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_true(leave(VMX_EXIT_APIC_ACCESS, 0x391 | (uint64_t)cases[i].type << 12));
        assert_int_equal(vm_exit.reason, VM_EXIT_MEMORY);
        assert_int_equal(vm_exit.memory.gpa.raw, 0xfee00391);
        assert_int_equal(vm_exit.memory.access, cases[i].access);
        assert_int_equal(vm_exit.memory.table_walk, cases[i].walk);
        assert_false(vm_exit.memory.decoded || vm_exit.memory.external);
        assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
    }
    use_long_mode();
    assert_true(leave(VMX_EXIT_APIC_ACCESS, 0x390));
    assert_true(vm_exit.memory.decoded);
}

static void a_write_is_over_when_it_is_told(void **state)
{
    (void)state;
    for (uint64_t part = 0; part < 4; part++) {
        apic_registers[0x320 / 4] = 0x12345670;
        assert_true(leave(VMX_EXIT_APIC_WRITE, 0x320 + part));
        assert_int_equal(vm_exit.reason, VM_EXIT_MEMORY);
        assert_int_equal(vm_exit.memory.gpa.raw, 0xfee00320);
        assert_int_equal(vm_exit.memory.size, 4);
        assert_int_equal(vm_exit.memory.value, 0x12345670);
        assert_int_equal(vm_exit.memory.access, VM_ACCESS_WRITE);
        assert_true(vm_exit.memory.decoded);
        vmx_finish_write(&vcpu, &vm_exit);
        assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cr8_is_in_the_models_page, set_up_apic),
        cmocka_unit_test_setup(a_priority_that_falls_ends_the_wait, set_up_apic),
        cmocka_unit_test_setup(a_cpu_without_it_exits_at_cr8, set_up_apic),
        cmocka_unit_test_setup(the_mode_chooses_the_controls, set_up_apic),
        cmocka_unit_test_setup(a_cpu_without_one_part_has_no_registers, set_up_apic),
        cmocka_unit_test_setup(an_access_says_what_was_wanted, set_up_apic),
        cmocka_unit_test_setup(a_write_is_over_when_it_is_told, set_up_apic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
