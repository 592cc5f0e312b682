/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM: exits on their way out. */
#include "tests/unit/x86_svm_test.h"

#include "tests/unit/random.h"

/* --- exits --- */

static void a_port_write_has_its_value(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RAX] = 0x1122334455667788;
    assert_true(leave(SVM_EXIT_IOIO, 0x3f8u << 16 | 1u << 5, RIP + 1));
    assert_int_equal(vm_exit.reason, VM_EXIT_PIO);
    assert_int_equal(vm_exit.pio.port, 0x3f8);
    assert_int_equal(vm_exit.pio.size, 2);
    assert_int_equal(vm_exit.pio.value & 0xffff, 0x7788);
    assert_true(vm_exit.pio.write);
    assert_true(vm_exit.pio.decoded);
    svm_finish_write(&vcpu, &vm_exit);
    assert_int_equal(vmcb->rip, RIP + 1);
}

static void a_port_read_fills_its_part_of_rax(void **state)
{
    static const struct {
        uint64_t size, rax;
    } cases[] = { { 1, 0x11223344556677ff }, { 2, 0x112233445566ffff }, { 4, 0xffffffff } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        vcpu.gpr[GPR_RAX] = 0x1122334455667788;
        assert_true(leave(SVM_EXIT_IOIO, 0x60u << 16 | cases[i].size << 4 | 1, RIP + 2));
        assert_false(vm_exit.pio.write);
        svm_finish_read(&vcpu, &vm_exit, UINT64_MAX);
        assert_int_equal(vcpu.gpr[GPR_RAX], cases[i].rax);
    }
}

static void string_ports_want_the_emulator(void **state)
{
    (void)state;
    assert_true(leave(SVM_EXIT_IOIO, 0x1f0u << 16 | 1u << 5 | 0xd, RIP + 2));
    assert_false(vm_exit.pio.decoded);
    assert_int_equal(vmcb->rip, RIP);
}

static void skipping_ends_shadows_and_steps(void **state)
{
    (void)state;
    vmcb->interrupt_shadow = 1;
    vmcb->rflags |= RFLAGS_RF;
    assert_true(leave(SVM_EXIT_HLT, 0, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_HALT);
    assert_int_equal(vmcb->rip, RIP + 1);
    assert_int_equal(vmcb->interrupt_shadow, 0);
    assert_false(vmcb->rflags & RFLAGS_RF);
    vmcb->rflags |= RFLAGS_TF;
    assert_true(leave(SVM_EXIT_HLT, 0, 0));
    assert_true(vmcb->dr6 & BIT(14));
    assert_int_equal(enter(), EXCEPTION_EVENT(1));
}

static void a_breakpoint_that_was_met_is_a_trap(void **state)
{
    (void)state;
    vmcb->dr6 = 0xffff0ff1;
    svm_guest_ops.retired(&vcpu, 0);
    assert_int_equal(enter(), 0);
    svm_guest_ops.retired(&vcpu, BIT(2));
    assert_int_equal(vmcb->dr6, 0xffff0ff4);
    assert_int_equal(enter(), EXCEPTION_EVENT(1));
    vmcb->rflags |= RFLAGS_TF;
    svm_guest_ops.retired(&vcpu, BIT(3));
    assert_int_equal(vmcb->dr6, 0xffff0ff8 | BIT(14));
    assert_int_equal(enter(), EXCEPTION_EVENT(1));
    assert_int_equal(enter(), 0);
}

static void hardware_that_tells_the_next_rip_is_believed(void **state)
{
    (void)state;
    svm_features.next_rip = true;
    vmcb->next_rip = RIP + 7;
    assert_true(leave(SVM_EXIT_HLT, 0, 0));
    assert_int_equal(vmcb->rip, RIP + 7);
}

static void hypercalls_are_the_kernels(void **state)
{
    (void)state;
    assert_true(leave(SVM_EXIT_VMMCALL, 0, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_HYPERCALL);
    svm_skip(&vcpu);
    assert_int_equal(vmcb->rip, RIP + 3);
    vmcb->cpl = 3;
    assert_false(leave(SVM_EXIT_VMMCALL, 0, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(6));
}

static void an_unknown_msr_is_a_fault(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RCX] = 0xffffffff00000048;
    assert_false(leave(SVM_EXIT_MSR, 0, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    assert_int_equal(vmcb->rip, RIP);
}

static void the_apics_msrs_are_exits(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RCX] = 0x830;
    vcpu.gpr[GPR_RAX] = 0xaaaaaaaa000000fd;
    vcpu.gpr[GPR_RDX] = 3;
    assert_true(leave(SVM_EXIT_MSR, 1, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_MSR);
    assert_int_equal(vm_exit.msr.index, 0x830);
    assert_int_equal(vm_exit.msr.value, 0x3000000fd);
    assert_true(vm_exit.msr.write);
    assert_int_equal(vmcb->rip, RIP);
    assert_true(leave(SVM_EXIT_MSR, 0, 0));
    svm_finish_read(&vcpu, &vm_exit, 0x1234567890abcdef);
    assert_int_equal(vcpu.gpr[GPR_RAX], 0x90abcdef);
    assert_int_equal(vcpu.gpr[GPR_RDX], 0x12345678);
    assert_int_equal(vmcb->rip, RIP + 2);
}

static void svme_is_kept_from_the_guest(void **state)
{
    (void)state;
    svm_guest_ops.set(&vcpu, REG_EFER, EFER_LME);
    assert_int_equal(vmcb->efer, EFER_LME | EFER_SVME);
    assert_int_equal(svm_guest_ops.get(&vcpu, REG_EFER), EFER_LME);
    assert_true(vcpu.pending & PENDING_FLUSH);
    assert_false(vmcb->clean & CLEAN_CR);
}

static void cr8_is_the_task_priority(void **state)
{
    (void)state;
    next_insn = (struct insn){ .op = INSN_MOV_TO_CR, .rm = GPR_RSP, .length = 4 };
    vmcb->rsp = 9;
    assert_true(leave(SVM_EXIT_CR8_WRITE, 0, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_MSR);
    assert_int_equal(vm_exit.msr.index, X86_MSR_CR8);
    assert_int_equal(vm_exit.msr.value, 9);
    svm_finish_write(&vcpu, &vm_exit);
    assert_int_equal(vmcb->rip, RIP + 4);
    vmcb->rsp = 0x10;
    assert_false(leave(SVM_EXIT_CR8_WRITE, 0, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    next_insn = (struct insn){ .op = INSN_MOV_FROM_CR, .rm = GPR_R9, .length = 4 };
    assert_true(leave(SVM_EXIT_CR8_READ, 0, 0));
    svm_finish_read(&vcpu, &vm_exit, 7);
    assert_int_equal(vcpu.gpr[GPR_R9], 7);
}

static void a_nested_page_fault_says_what_was_wanted(void **state)
{
    (void)state;
    assert_true(leave(SVM_EXIT_NPF, BIT(32) | NPF_WRITE | NPF_PRESENT, 0x1234));
    assert_int_equal(vm_exit.reason, VM_EXIT_MEMORY);
    assert_int_equal(vm_exit.memory.gpa.raw, 0x1234);
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_WRITE);
    assert_true(vm_exit.memory.permission);
    assert_false(vm_exit.memory.table_walk || vm_exit.memory.decoded || vm_exit.memory.external);
    assert_true(leave(SVM_EXIT_NPF, BIT(32) | NPF_FETCH, 0));
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_EXEC);
    assert_true(leave(SVM_EXIT_NPF, NPF_TABLE_WALK, 0));
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_READ);
    assert_true(vm_exit.memory.table_walk);
}

static void an_invalid_state_is_told_by_its_low_half(void **state)
{
    (void)state;
    assert_true(leave(0xffffffff, 0, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
    assert_true(leave(UINT64_MAX, 0, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
}

static void what_is_hidden_is_undefined(void **state)
{
    static const uint64_t codes[] = { SVM_EXIT_VMRUN, SVM_EXIT_VMLOAD,  SVM_EXIT_STGI,
                                      SVM_EXIT_CLGI,  SVM_EXIT_MONITOR, SVM_EXIT_MWAIT,
                                      SVM_EXIT_RDPRU, SVM_EXIT_SKINIT,  0xa0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        assert_false(leave(codes[i], 0, 0));
        assert_int_equal(enter(), EXCEPTION_EVENT(6));
        assert_int_equal(vmcb->rip, RIP);
    }
}

static void a_task_switch_is_refused(void **state)
{
    (void)state;
    assert_false(leave(SVM_EXIT_TASK_SWITCH, 0x28, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    vmcb->exit_event = EXCEPTION_EVENT(8);
    assert_true(leave(SVM_EXIT_TASK_SWITCH, 0x28, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
}

static void any_exit_is_answered(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        const uint64_t r = random_next(&seed);

        vcpu.gpr[GPR_RCX] = random_next(&seed);
        vmcb->exit_event = r & 1 ? random_next(&seed) : 0;
        if (vmcb->exit_event & EVENT_VALID)
            svm_requeue_event(&vcpu, vmcb);
        if (leave(r >> 32 & 0x4ff, random_next(&seed), random_next(&seed)))
            assert_true(vm_exit.reason < VM_EXIT_REASONS);
        enter();
        vcpu.pending &= ~(uint32_t)PENDING_RESET;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_port_write_has_its_value, set_up),
        cmocka_unit_test_setup(a_port_read_fills_its_part_of_rax, set_up),
        cmocka_unit_test_setup(string_ports_want_the_emulator, set_up),
        cmocka_unit_test_setup(skipping_ends_shadows_and_steps, set_up),
        cmocka_unit_test_setup(a_breakpoint_that_was_met_is_a_trap, set_up),
        cmocka_unit_test_setup(hardware_that_tells_the_next_rip_is_believed, set_up),
        cmocka_unit_test_setup(hypercalls_are_the_kernels, set_up),
        cmocka_unit_test_setup(an_unknown_msr_is_a_fault, set_up),
        cmocka_unit_test_setup(the_apics_msrs_are_exits, set_up),
        cmocka_unit_test_setup(svme_is_kept_from_the_guest, set_up),
        cmocka_unit_test_setup(cr8_is_the_task_priority, set_up),
        cmocka_unit_test_setup(a_nested_page_fault_says_what_was_wanted, set_up),
        cmocka_unit_test_setup(an_invalid_state_is_told_by_its_low_half, set_up),
        cmocka_unit_test_setup(what_is_hidden_is_undefined, set_up),
        cmocka_unit_test_setup(a_task_switch_is_refused, set_up),
        cmocka_unit_test_setup(any_exit_is_answered, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
