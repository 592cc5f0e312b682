/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM: events on their way into the guest, and what one is in the way of another. */
#include "tests/unit/x86_svm_test.h"

/* --- interrupts --- */

static void an_interrupt_waits_for_if_and_the_shadow(void **state)
{
    (void)state;
    assert_false(svm_irq_ready(&vcpu));
    vmcb->rflags |= RFLAGS_IF;
    assert_true(svm_irq_ready(&vcpu));
    vmcb->interrupt_shadow = 1;
    assert_false(svm_irq_ready(&vcpu));
    vmcb->interrupt_shadow = 0;
    svm_inject_irq(&vcpu, 0x30);
    assert_false(svm_irq_ready(&vcpu));
    assert_int_equal(enter(), IRQ_EVENT(0x30));
    assert_true(svm_irq_ready(&vcpu));
}

static void a_window_is_a_virtual_interrupt_that_tells(void **state)
{
    (void)state;
    svm_ask_window(&vcpu, true);
    assert_true(vmcb->virtual_interrupt & V_IRQ);
    assert_true(vmcb->intercept[INTERCEPT_1] & INTERCEPT_VINTR);
    assert_false(vmcb->clean & (CLEAN_TPR | CLEAN_INTERCEPTS));
    assert_true(leave(SVM_EXIT_VINTR, 0, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_WINDOW);
    assert_false(vmcb->virtual_interrupt & V_IRQ);
    assert_int_equal(vcpu.pending, 0);
    svm_ask_window(&vcpu, true);
    svm_ask_window(&vcpu, false);
    assert_false(vmcb->virtual_interrupt & V_IRQ);
    assert_false(vmcb->intercept[INTERCEPT_1] & INTERCEPT_VINTR);
}

static void real_mode_exceptions_have_no_error_code(void **state)
{
    (void)state;
    vmcb->cr0 = 0;
    svm_inject_exception(&vcpu, 13, 0);
    assert_int_equal(enter(), EXCEPTION_EVENT(13));
}

static void an_interrupted_delivery_is_repeated(void **state)
{
    (void)state;
    vmcb->rflags |= RFLAGS_IF;
    vmcb->exit_event = IRQ_EVENT(0x40);
    svm_requeue_event(&vcpu, vmcb);
    assert_int_equal(forgotten, RIP); /* what is at RIP did not exit */
    assert_false(svm_irq_ready(&vcpu));
    assert_int_equal(enter(), IRQ_EVENT(0x40));
    assert_int_equal(enter(), 0);
}

static void software_events_are_repeated_by_their_instruction(void **state)
{
    static const uint64_t events[] = { EVENT_VALID | 4u << 8 | 0x80, EXCEPTION_EVENT(3),
                                       EXCEPTION_EVENT(4) };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        vmcb->exit_event = events[i];
        svm_requeue_event(&vcpu, vmcb);
        assert_int_equal(enter(), 0);
    }
}

static void an_exception_goes_before_an_interrupt(void **state)
{
    (void)state;
    vmcb->rflags |= RFLAGS_IF;
    svm_inject_irq(&vcpu, 0x50);
    svm_inject_exception(&vcpu, VECTOR_GP, 0);
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    assert_true(vmcb->virtual_interrupt & V_IRQ); /* as soon as it can be taken */
    vmcb->rflags &= ~RFLAGS_IF;
    assert_int_equal(enter(), 0);
    vmcb->rflags |= RFLAGS_IF;
    assert_false(leave(SVM_EXIT_VINTR, 0, 0)); /* nobody's window but ours */
    assert_int_equal(enter(), IRQ_EVENT(0x50));
    assert_int_equal(enter(), 0);
}

/* --- NMIs --- */

static void nmis_do_not_nest(void **state)
{
    (void)state;
    svm_inject_nmi(&vcpu);
    assert_int_equal(enter(), EVENT_VALID | 2u << 8 | 2);
    assert_true(vmcb->intercept[INTERCEPT_1] & INTERCEPT_IRET);
    svm_inject_nmi(&vcpu);
    assert_int_equal(enter(), 0);
    assert_false(leave(SVM_EXIT_IRET, 0, 0));
    assert_false(vmcb->intercept[INTERCEPT_1] & INTERCEPT_IRET);
    assert_true(vmcb->rflags & RFLAGS_TF); /* IRET alone, first */
    assert_int_equal(enter(), 0);
    vmcb->rflags = RFLAGS_FIXED; /* popped */
    vmcb->dr6 = BIT(14);
    assert_false(leave(SVM_EXIT_EXCEPTION + VECTOR_DB, 0, 0));
    assert_int_equal(vmcb->dr6, 0);
    assert_int_equal(enter(), EVENT_VALID | 2u << 8 | 2);
    assert_false(leave(SVM_EXIT_IRET, 0, 0));
    assert_false(vmcb->rflags & RFLAGS_TF);
    assert_int_equal(enter(), 0);
}

static void an_nmi_comes_after_what_is_delivered(void **state)
{
    (void)state;
    svm_inject_exception(&vcpu, VECTOR_UD, -1);
    svm_inject_nmi(&vcpu);
    assert_int_equal(enter(), EXCEPTION_EVENT(6));
    assert_int_equal(enter(), EVENT_VALID | 2u << 8 | 2);
}

/* --- exceptions --- */

static void exceptions_nest_as_the_manual_says(void **state)
{
    static const struct {
        uint8_t first, second;
        enum x86_nesting result;
    } cases[] = {
        { VECTOR_GP, VECTOR_GP, NESTING_DOUBLE_FAULT },
        { VECTOR_GP, VECTOR_PF, NESTING_SERIAL },
        { VECTOR_PF, VECTOR_GP, NESTING_DOUBLE_FAULT },
        { VECTOR_PF, VECTOR_PF, NESTING_DOUBLE_FAULT },
        { VECTOR_UD, VECTOR_GP, NESTING_SERIAL },
        { VECTOR_DB, VECTOR_PF, NESTING_SERIAL },
        { VECTOR_DF, VECTOR_GP, NESTING_SHUTDOWN },
        { VECTOR_DF, VECTOR_PF, NESTING_SHUTDOWN },
        { VECTOR_DF, VECTOR_UD, NESTING_SERIAL },
        { VECTOR_DE, VECTOR_NP, NESTING_DOUBLE_FAULT },
        { VECTOR_TS, VECTOR_UD, NESTING_SERIAL },
        { VECTOR_PF, VECTOR_UD, NESTING_SERIAL },
        { 200, VECTOR_GP, NESTING_SERIAL },
        { VECTOR_GP, 200, NESTING_SERIAL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(x86_exception_nesting(cases[i].first, cases[i].second), cases[i].result);
}

static void nested_faults_end_in_reset(void **state)
{
    (void)state;
    vmcb->exit_event = EXCEPTION_EVENT(14) | EVENT_HAS_ERROR | 7ull << 32;
    svm_requeue_event(&vcpu, vmcb);
    svm_inject_exception(&vcpu, VECTOR_GP, 0);
    assert_int_equal(vmcb->event, EXCEPTION_EVENT(8) | EVENT_HAS_ERROR);
    svm_inject_exception(&vcpu, VECTOR_NP, 0x18);
    assert_true(vcpu.pending & PENDING_RESET);
}

static void a_page_fault_tells_address_and_error(void **state)
{
    (void)state;
    x86_inject_page_fault(&vcpu, 0xdead000, 6);
    assert_int_equal(vmcb->cr2, 0xdead000);
    assert_false(vmcb->clean & CLEAN_CR2);
    assert_int_equal(enter(), EXCEPTION_EVENT(14) | EVENT_HAS_ERROR | 6ull << 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_interrupt_waits_for_if_and_the_shadow, set_up),
        cmocka_unit_test_setup(a_window_is_a_virtual_interrupt_that_tells, set_up),
        cmocka_unit_test_setup(real_mode_exceptions_have_no_error_code, set_up),
        cmocka_unit_test_setup(an_interrupted_delivery_is_repeated, set_up),
        cmocka_unit_test_setup(software_events_are_repeated_by_their_instruction, set_up),
        cmocka_unit_test_setup(an_exception_goes_before_an_interrupt, set_up),
        cmocka_unit_test_setup(nmis_do_not_nest, set_up),
        cmocka_unit_test_setup(an_nmi_comes_after_what_is_delivered, set_up),
        cmocka_unit_test_setup(exceptions_nest_as_the_manual_says, set_up),
        cmocka_unit_test_setup(nested_faults_end_in_reset, set_up),
        cmocka_unit_test_setup(a_page_fault_tells_address_and_error, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
