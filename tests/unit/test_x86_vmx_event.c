/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX: events on their way into the guest, and what one is in the way of another. */
#include "tests/unit/x86_vmx_test.h"

/* --- interrupts --- */

static void an_interrupt_waits_for_if_and_the_shadow(void **state)
{
    (void)state;
    assert_false(vmx_irq_ready(&vcpu));
    fake_vmcs[VMCS_GUEST_RFLAGS] |= RFLAGS_IF;
    assert_true(vmx_irq_ready(&vcpu));
    fake_vmcs[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_STI;
    assert_false(vmx_irq_ready(&vcpu));
    fake_vmcs[VMCS_INTERRUPTIBILITY] = 0;
    vmx_inject_irq(&vcpu, 0x30);
    assert_false(vmx_irq_ready(&vcpu));
    assert_int_equal(enter(), IRQ_EVENT(0x30));
    assert_true(vmx_irq_ready(&vcpu));
}

static void the_hosts_interrupts_are_recorded(void **state)
{
    (void)state;
    fake_vmcs[VMCS_EXIT_EVENT] = IRQ_EVENT(253);
    assert_true(leave(VMX_EXIT_INTERRUPT, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_IRQ);
    assert_int_equal(recorded, 253);
}

/* Some emulators keep the host's from a guest that masks its own. */
static void a_guest_that_runs_long_lets_the_hosts_interrupts_in(void **state)
{
    (void)state;
    assert_true(leave(VMX_EXIT_PREEMPTION_TIMER, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_IRQ);
    assert_int_equal(fake_vmcs[VMCS_PREEMPTION_TIMER], WOUND);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
}

static void a_window_is_asked_for_and_told(void **state)
{
    (void)state;
    vmx_ask_window(&vcpu, true);
    assert_true(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
    assert_true(leave(VMX_EXIT_INTERRUPT_WINDOW, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_WINDOW);
    assert_false(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
    assert_int_equal(vcpu.pending, 0);
    vmx_ask_window(&vcpu, true);
    vmx_ask_window(&vcpu, false);
    assert_false(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
}

static void an_interrupted_delivery_is_repeated(void **state)
{
    (void)state;
    fake_vmcs[VMCS_INTERRUPTED_EVENT] = EXCEPTION_EVENT(14) | EVENT_HAS_ERROR | BIT(12);
    fake_vmcs[VMCS_INTERRUPTED_ERROR_CODE] = 6;
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, 0));
    assert_int_equal(forgotten, RIP); /* what is at RIP did not exit */
    assert_false(vmx_irq_ready(&vcpu));
    assert_int_equal(enter(), EXCEPTION_EVENT(14) | EVENT_HAS_ERROR);
    assert_int_equal(fake_vmcs[VMCS_ENTRY_ERROR_CODE], 6);
    assert_int_equal(enter(), 0);
}

static void real_mode_gets_no_error_code(void **state)
{
    (void)state;
    vmx_guest_ops.set(&vcpu, REG_CR0, CR0_ET);
    vcpu.pending = 0;
    fake_vmcs[VMCS_INTERRUPTED_EVENT] = EXCEPTION_EVENT(13) | EVENT_HAS_ERROR;
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(13));
    vmx_inject_exception(&vcpu, VECTOR_GP, 0);
    assert_int_equal(enter(), EXCEPTION_EVENT(13));
}

static void software_events_are_repeated_by_their_instruction(void **state)
{
    static const uint64_t types[] = { 4, 5, 6 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        fake_vmcs[VMCS_INTERRUPTED_EVENT] = EVENT_VALID | types[i] << 8 | 3;
        assert_true(leave(VMX_EXIT_EPT_VIOLATION, 0));
        assert_int_equal(enter(), 0);
    }
}

static void an_exception_goes_before_an_interrupt(void **state)
{
    (void)state;
    fake_vmcs[VMCS_GUEST_RFLAGS] |= RFLAGS_IF;
    vmx_inject_irq(&vcpu, 0x50);
    vmx_inject_exception(&vcpu, VECTOR_GP, 0);
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    assert_true(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
    fake_vmcs[VMCS_GUEST_RFLAGS] &= ~RFLAGS_IF;
    assert_int_equal(enter(), 0);
    fake_vmcs[VMCS_GUEST_RFLAGS] |= RFLAGS_IF;
    assert_false(leave(VMX_EXIT_INTERRUPT_WINDOW, 0)); /* nobody's window but ours */
    assert_int_equal(enter(), IRQ_EVENT(0x50));
    assert_int_equal(enter(), 0);
}

/* --- NMIs --- */

static void nmis_do_not_nest(void **state)
{
    (void)state;
    vmx_inject_nmi(&vcpu);
    assert_int_equal(enter(), NMI_EVENT);
    vmx_inject_nmi(&vcpu);
    assert_int_equal(enter(), 0);
    assert_true(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_NMI_WINDOW);
    fake_vmcs[VMCS_INTERRUPTIBILITY] = 0; /* IRET */
    assert_false(leave(VMX_EXIT_NMI_WINDOW, 0));
    assert_false(fake_vmcs[VMCS_PRIMARY_CONTROLS] & PRIMARY_NMI_WINDOW);
    assert_int_equal(enter(), NMI_EVENT);
}

static void an_nmi_whose_delivery_was_interrupted_comes_again(void **state)
{
    (void)state;
    fake_vmcs[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_NMI;
    fake_vmcs[VMCS_INTERRUPTED_EVENT] = NMI_EVENT;
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, EPT_NMI_UNBLOCKED));
    assert_int_equal(enter(), NMI_EVENT);
}

static void an_iret_that_faults_leaves_nmis_blocked(void **state)
{
    (void)state;
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, EPT_NMI_UNBLOCKED));
    assert_int_equal(fake_vmcs[VMCS_INTERRUPTIBILITY], BLOCKED_BY_NMI);
}

static void an_nmi_ends_the_shadow_of_sti_but_waits_for_mov_ss(void **state)
{
    (void)state;
    vmx_inject_nmi(&vcpu);
    fake_vmcs[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_MOV_SS;
    assert_int_equal(enter(), 0);
    fake_vmcs[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_STI;
    assert_int_equal(enter(), NMI_EVENT);
    assert_int_equal(fake_vmcs[VMCS_INTERRUPTIBILITY], BLOCKED_BY_NMI);
}

static void the_hosts_nmi_goes_to_the_host(void **state)
{
    (void)state;
    fake_vmcs[VMCS_EXIT_EVENT] = NMI_EVENT;
    assert_true(leave(VMX_EXIT_EXCEPTION, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_IRQ);
    assert_int_equal(fake_nmis, 1);
}

/* --- exceptions --- */

static void nested_faults_end_in_reset(void **state)
{
    (void)state;
    fake_vmcs[VMCS_INTERRUPTED_EVENT] = EXCEPTION_EVENT(14) | EVENT_HAS_ERROR;
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, 0));
    vmx_inject_exception(&vcpu, VECTOR_GP, 0);
    assert_int_equal(fake_vmcs[VMCS_ENTRY_EVENT], EXCEPTION_EVENT(8) | EVENT_HAS_ERROR);
    vmx_inject_exception(&vcpu, VECTOR_NP, 0x18);
    assert_true(vcpu.pending & PENDING_RESET);
    assert_int_equal(fake_vmcs[VMCS_ENTRY_EVENT], 0);
}

static void real_mode_has_no_error_codes(void **state)
{
    (void)state;
    vmx_guest_ops.set(&vcpu, REG_CR0, CR0_ET);
    vmx_inject_exception(&vcpu, VECTOR_GP, 0);
    assert_int_equal(enter(), EXCEPTION_EVENT(13));
}

static void an_exception_ends_the_shadow(void **state)
{
    (void)state;
    fake_vmcs[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_MOV_SS;
    vmx_inject_exception(&vcpu, VECTOR_UD, -1);
    assert_int_equal(fake_vmcs[VMCS_INTERRUPTIBILITY], 0);
    assert_int_equal(enter(), EXCEPTION_EVENT(6));
}

static void a_debug_exception_sets_dr6_and_clears_gd(void **state)
{
    (void)state;
    fake_dr6 = 0xffff0ff2;
    fake_vmcs[VMCS_GUEST_DR7] = 0x2402;
    fake_vmcs[VMCS_EXIT_EVENT] = EXCEPTION_EVENT(1);
    assert_false(leave(VMX_EXIT_EXCEPTION, DEBUG_BS | DEBUG_BD | 1 | BIT(12)));
    assert_int_equal(fake_dr6, 0xffff6ff1);
    assert_int_equal(fake_vmcs[VMCS_GUEST_DR7], 0x402);
    assert_int_equal(enter(), EXCEPTION_EVENT(1));
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
}

static void int1_is_a_debug_exception_behind_it(void **state)
{
    (void)state;
    fake_vmcs[VMCS_EXIT_EVENT] = EVENT_VALID | 5u << 8 | 1;
    assert_false(leave(VMX_EXIT_EXCEPTION, 0));
    assert_int_equal(fake_dr6, 0xffff0ff0);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + LENGTH);
    assert_int_equal(enter(), EXCEPTION_EVENT(1));
}

static void an_alignment_check_has_an_error_code(void **state)
{
    (void)state;
    fake_vmcs[VMCS_EXIT_EVENT] = EXCEPTION_EVENT(17);
    assert_false(leave(VMX_EXIT_EXCEPTION, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(17) | EVENT_HAS_ERROR);
    fake_vmcs[VMCS_EXIT_EVENT] = EXCEPTION_EVENT(18);
    assert_true(leave(VMX_EXIT_EXCEPTION, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_interrupt_waits_for_if_and_the_shadow, set_up),
        cmocka_unit_test_setup(the_hosts_interrupts_are_recorded, set_up),
        cmocka_unit_test_setup(a_guest_that_runs_long_lets_the_hosts_interrupts_in, set_up),
        cmocka_unit_test_setup(a_window_is_asked_for_and_told, set_up),
        cmocka_unit_test_setup(an_interrupted_delivery_is_repeated, set_up),
        cmocka_unit_test_setup(real_mode_gets_no_error_code, set_up),
        cmocka_unit_test_setup(software_events_are_repeated_by_their_instruction, set_up),
        cmocka_unit_test_setup(an_exception_goes_before_an_interrupt, set_up),
        cmocka_unit_test_setup(nmis_do_not_nest, set_up),
        cmocka_unit_test_setup(an_nmi_whose_delivery_was_interrupted_comes_again, set_up),
        cmocka_unit_test_setup(an_iret_that_faults_leaves_nmis_blocked, set_up),
        cmocka_unit_test_setup(an_nmi_ends_the_shadow_of_sti_but_waits_for_mov_ss, set_up),
        cmocka_unit_test_setup(the_hosts_nmi_goes_to_the_host, set_up),
        cmocka_unit_test_setup(nested_faults_end_in_reset, set_up),
        cmocka_unit_test_setup(real_mode_has_no_error_codes, set_up),
        cmocka_unit_test_setup(an_exception_ends_the_shadow, set_up),
        cmocka_unit_test_setup(a_debug_exception_sets_dr6_and_clears_gd, set_up),
        cmocka_unit_test_setup(int1_is_a_debug_exception_behind_it, set_up),
        cmocka_unit_test_setup(an_alignment_check_has_an_error_code, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
