/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVM backend without the hardware: events on their way in, exits on their way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/insn.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/svm/svm.h"
#include "tests/unit/random.h"

#define RIP 0x1000u
#define IRQ_EVENT(vector) (EVENT_VALID | (vector))
#define EXCEPTION_EVENT(vector) (EVENT_VALID | 3u << 8 | (vector))

static struct hv_vcpu vcpu;
static struct vmcb *const vmcb = (struct vmcb *)vcpu.page[SVM_PAGE_VMCB];
static struct vm_exit vm_exit;
static uint64_t forgotten; /* where accesses are no longer recalled */
static struct insn next_insn;

const struct x86_guest_ops *x86_guest = &svm_guest_ops;
struct svm_features svm_features;

/* --- what guest.c and mmio.c do --- */

void x86_guest_skip(struct hv_vcpu *which, unsigned plain)
{
    svm_advance(which, vmcb, vmcb->rip + plain);
}

uint64_t x86_guest_next(const struct hv_vcpu *which, unsigned length)
{
    (void)which;
    return vmcb->rip + length;
}

status_t x86_guest_decode(struct hv_vcpu *which, struct insn *out)
{
    (void)which;
    *out = next_insn;
    return OK;
}

bool x86_mmio_recall(struct hv_vcpu *which, uint64_t rip, uint64_t cr3, struct vm_exit *exit)
{
    (void)which;
    (void)rip;
    (void)cr3;
    (void)exit;
    return false;
}

void x86_mmio_forget(struct hv_vcpu *which, uint64_t rip)
{
    (void)which;
    forgotten = rip;
}

static int set_up(void **state)
{
    (void)state;
    forgotten = 0;
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&next_insn, 0, sizeof(next_insn));
    svm_features = (struct svm_features){ 0 };
    vmcb->rip = RIP;
    vmcb->rflags = RFLAGS_FIXED;
    vmcb->cr0 = CR0_PE;
    vmcb->clean = CLEAN_ALL;
    return 0;
}

static bool leave(uint64_t code, uint64_t info0, uint64_t info1)
{
    vmcb->exit_code = code;
    vmcb->exit_info[0] = info0;
    vmcb->exit_info[1] = info1;
    vm_exit.reason = VM_EXIT_REASONS;
    return svm_handle_exit(&vcpu, &vm_exit);
}

/* An entry as the hardware does it: the event is taken. */
static uint64_t enter(void)
{
    uint64_t event;

    if (vcpu.event | vcpu.pending)
        svm_prepare_event(&vcpu, vmcb);
    event = vmcb->event;
    vmcb->event = 0;
    return event;
}

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
        cmocka_unit_test_setup(a_port_write_has_its_value, set_up),
        cmocka_unit_test_setup(a_port_read_fills_its_part_of_rax, set_up),
        cmocka_unit_test_setup(string_ports_want_the_emulator, set_up),
        cmocka_unit_test_setup(skipping_ends_shadows_and_steps, set_up),
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
