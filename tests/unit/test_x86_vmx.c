/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX: exits on their way out. */
#include "tests/unit/x86_vmx_test.h"

#include "tests/unit/random.h"

/* --- instructions --- */

static void a_port_write_has_its_value(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RAX] = 0x1122334455667788;
    assert_true(leave(VMX_EXIT_IO, 0x3f8u << 16 | 1));
    assert_int_equal(vm_exit.reason, VM_EXIT_PIO);
    assert_int_equal(vm_exit.pio.port, 0x3f8);
    assert_int_equal(vm_exit.pio.size, 2);
    assert_int_equal(vm_exit.pio.value & 0xffff, 0x7788);
    assert_true(vm_exit.pio.write);
    assert_true(vm_exit.pio.decoded);
    vmx_finish_write(&vcpu, &vm_exit);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + LENGTH);
}

static void a_port_read_fills_its_part_of_rax(void **state)
{
    static const struct {
        uint64_t size, rax;
    } cases[] = { { 1, 0x11223344556677ff }, { 2, 0x112233445566ffff }, { 4, 0xffffffff } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        vcpu.gpr[GPR_RAX] = 0x1122334455667788;
        assert_true(leave(VMX_EXIT_IO, 0x60u << 16 | IO_IN | (cases[i].size - 1)));
        assert_false(vm_exit.pio.write);
        vmx_finish_read(&vcpu, &vm_exit, UINT64_MAX);
        assert_int_equal(vcpu.gpr[GPR_RAX], cases[i].rax);
    }
}

static void string_ports_want_the_emulator(void **state)
{
    (void)state;
    assert_true(leave(VMX_EXIT_IO, 0x1f0u << 16 | IO_IN | IO_STRING | BIT(5) | 1));
    assert_false(vm_exit.pio.decoded);
    assert_int_equal(vm_exit.pio.size, 2);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
}

static void skipping_ends_shadows_and_steps(void **state)
{
    (void)state;
    fake_vmcs[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_STI | BLOCKED_BY_NMI;
    fake_vmcs[VMCS_GUEST_RFLAGS] |= RFLAGS_RF;
    assert_true(leave(VMX_EXIT_HLT, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_HALT);
    assert_int_equal(fake_vmcs[VMCS_INTERRUPTIBILITY], BLOCKED_BY_NMI);
    assert_false(fake_vmcs[VMCS_GUEST_RFLAGS] & RFLAGS_RF);
    assert_int_equal(fake_vmcs[VMCS_PENDING_DEBUG], 0);
    fake_vmcs[VMCS_GUEST_RFLAGS] |= RFLAGS_TF;
    assert_true(leave(VMX_EXIT_PAUSE, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_YIELD);
    assert_int_equal(fake_vmcs[VMCS_PENDING_DEBUG], DEBUG_BS);
}

static void a_breakpoint_that_was_met_is_pending(void **state)
{
    (void)state;
    vmx_guest_ops.retired(&vcpu, 0);
    assert_int_equal(fake_vmcs[VMCS_PENDING_DEBUG], 0);
    fake_vmcs[VMCS_GUEST_RFLAGS] |= RFLAGS_TF;
    vmx_guest_ops.retired(&vcpu, BIT(2));
    assert_int_equal(fake_vmcs[VMCS_PENDING_DEBUG], DEBUG_BS | DEBUG_ENABLED | BIT(2));
}

static void rip_wraps_where_it_is_narrow(void **state)
{
    (void)state;
    fake_vmcs[VMCS_GUEST_RIP] = 0xfffffffe;
    assert_true(leave(VMX_EXIT_HLT, 0));
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], 1);
}

static void hypercalls_are_the_kernels(void **state)
{
    (void)state;
    assert_true(leave(VMX_EXIT_VMCALL, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_HYPERCALL);
    vmx_skip(&vcpu);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + LENGTH);
    vmx_guest_ops.set(&vcpu, REG_CPL, 3);
    assert_false(leave(VMX_EXIT_VMCALL, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(6));
}

static void vmx_instructions_are_undefined(void **state)
{
    static const uint8_t reasons[] = {
        VMX_EXIT_VMCLEAR, VMX_EXIT_VMLAUNCH, VMX_EXIT_VMPTRLD, VMX_EXIT_VMPTRST,
        VMX_EXIT_VMREAD,  VMX_EXIT_VMRESUME, VMX_EXIT_VMWRITE, VMX_EXIT_VMXOFF,
        VMX_EXIT_VMXON,   VMX_EXIT_INVEPT,   VMX_EXIT_INVVPID, VMX_EXIT_VMFUNC,
        VMX_EXIT_GETSEC,  VMX_EXIT_MONITOR,  VMX_EXIT_MWAIT,   VMX_EXIT_RSM,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        assert_false(leave(reasons[i], 0));
        assert_int_equal(enter(), EXCEPTION_EVENT(6));
        assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
    }
}

static void an_unknown_msr_is_a_fault(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RCX] = 0xffffffff00000048;
    assert_false(leave(VMX_EXIT_RDMSR, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
}

static void the_apics_msrs_are_exits(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RCX] = 0x830;
    vcpu.gpr[GPR_RAX] = 0xaaaaaaaa000000fd;
    vcpu.gpr[GPR_RDX] = 3;
    assert_true(leave(VMX_EXIT_WRMSR, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_MSR);
    assert_int_equal(vm_exit.msr.index, 0x830);
    assert_int_equal(vm_exit.msr.value, 0x3000000fd);
    assert_true(vm_exit.msr.write);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP);
    assert_true(leave(VMX_EXIT_RDMSR, 0));
    vmx_finish_read(&vcpu, &vm_exit, 0x1234567890abcdef);
    assert_int_equal(vcpu.gpr[GPR_RAX], 0x90abcdef);
    assert_int_equal(vcpu.gpr[GPR_RDX], 0x12345678);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + LENGTH);
}

static void a_task_switch_is_refused(void **state)
{
    (void)state;
    assert_false(leave(VMX_EXIT_TASK_SWITCH, 0));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    fake_vmcs[VMCS_INTERRUPTED_EVENT] = EXCEPTION_EVENT(13);
    assert_true(leave(VMX_EXIT_TASK_SWITCH, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
}

/* --- control registers --- */

static void bits_that_the_guest_does_not_own_are_shadowed(void **state)
{
    (void)state;
    vmx_guest_ops.set(&vcpu, REG_CR0, CR0_PE | CR0_CD | CR0_NW | CR0_ET);
    assert_int_equal(vmx_guest_ops.get(&vcpu, REG_CR0), CR0_PE | CR0_CD | CR0_NW | CR0_ET);
    assert_int_equal(fake_vmcs[VMCS_GUEST_CR0], CR0_PE | CR0_ET | CR0_NE);
    fake_vmcs[VMCS_GUEST_CR0] |= CR0_TS | CR0_PG; /* as the guest may, without an exit */
    assert_int_equal(vmx_guest_ops.get(&vcpu, REG_CR0),
                     CR0_PE | CR0_CD | CR0_NW | CR0_ET | CR0_TS | CR0_PG);
    vmx_guest_ops.set(&vcpu, REG_CR4, CR4_PAE);
    assert_int_equal(fake_vmcs[VMCS_GUEST_CR4], CR4_PAE | CR4_VMXE | CR4_MCE);
    assert_int_equal(vmx_guest_ops.get(&vcpu, REG_CR4), CR4_PAE);
    assert_true(fake_vmcs[VMCS_CR4_MASK] & CR4_SMEP); /* hidden: an exit */
    assert_false(fake_vmcs[VMCS_CR4_MASK] & CR4_PGE);
}

static void long_mode_is_an_entry_control(void **state)
{
    (void)state;
    vmx_guest_ops.set(&vcpu, REG_EFER, EFER_LME | EFER_LMA);
    assert_true(fake_vmcs[VMCS_ENTRY_CONTROLS] & ENTRY_IA32E);
    assert_true(vcpu.pending & PENDING_FLUSH);
    vmx_guest_ops.set(&vcpu, REG_EFER, EFER_LME);
    assert_false(fake_vmcs[VMCS_ENTRY_CONTROLS] & ENTRY_IA32E);
}

static void a_hidden_bit_of_cr4_is_a_fault(void **state)
{
    (void)state;
    vcpu.gpr[GPR_RBX] = CR4_SMEP;
    assert_false(leave(VMX_EXIT_CR, CR_INFO(4, CR_MOV_TO, GPR_RBX)));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    vcpu.gpr[GPR_RBX] = 0xffffffff00000000 | CR4_MCE; /* 32 bits count outside of 64-bit code */
    assert_false(leave(VMX_EXIT_CR, CR_INFO(4, CR_MOV_TO, GPR_RBX)));
    assert_int_equal(enter(), 0);
    assert_int_equal(vmx_guest_ops.get(&vcpu, REG_CR4), CR4_MCE);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + LENGTH);
}

static void pae_pointers_are_loaded_and_checked(void **state)
{
    (void)state;
    vmx_guest_ops.set(&vcpu, REG_CR4, CR4_PAE);
    vmx_guest_ops.set(&vcpu, REG_CR3, 0x2020);
    pdpte[1] = 0x123001;
    pdpte[2] = 0x1e6; /* not present: anything goes */
    vcpu.gpr[GPR_RAX] = CR0_PE | CR0_PG | CR0_CD;
    assert_false(leave(VMX_EXIT_CR, CR_INFO(0, CR_MOV_TO, GPR_RAX)));
    assert_int_equal(enter(), 0);
    assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE + 2], 0x123001);
    assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE + 4], 0x1e6);
    pdpte[1] = 0x123003;
    assert_false(leave(VMX_EXIT_CR, CR_INFO(0, CR_MOV_TO, GPR_RAX)));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    pdpte[1] = BIT(40) | 1;
    assert_false(leave(VMX_EXIT_CR, CR_INFO(0, CR_MOV_TO, GPR_RAX)));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE + 2], 0x123001);
    pdpte_status = ERR_NOT_FOUND; /* memory that was never written */
    assert_false(leave(VMX_EXIT_CR, CR_INFO(0, CR_MOV_TO, GPR_RAX)));
    assert_int_equal(enter(), 0);
    assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE + 2], 0);
}

static void cr8_is_the_task_priority(void **state)
{
    (void)state;
    use_long_mode();
    fake_vmcs[VMCS_GUEST_RSP] = 9;
    assert_true(leave(VMX_EXIT_CR, CR_INFO(8, CR_MOV_TO, GPR_RSP)));
    assert_int_equal(vm_exit.reason, VM_EXIT_MSR);
    assert_int_equal(vm_exit.msr.index, X86_MSR_CR8);
    assert_int_equal(vm_exit.msr.value, 9);
    vmx_finish_write(&vcpu, &vm_exit);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + LENGTH);
    fake_vmcs[VMCS_GUEST_RSP] = 0x10;
    assert_false(leave(VMX_EXIT_CR, CR_INFO(8, CR_MOV_TO, GPR_RSP)));
    assert_int_equal(enter(), EXCEPTION_EVENT(13) | EVENT_HAS_ERROR);
    assert_true(leave(VMX_EXIT_CR, CR_INFO(8, CR_MOV_FROM, GPR_R9)));
    vmx_finish_read(&vcpu, &vm_exit, 7);
    assert_int_equal(vcpu.gpr[GPR_R9], 7);
    assert_true(leave(VMX_EXIT_CR, CR_INFO(8, CR_MOV_FROM, GPR_RSP)));
    vmx_finish_read(&vcpu, &vm_exit, 5);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RSP], 5);
}

static void segments_go_in_as_they_come_out(void **state)
{
    static const struct x86_segment_state cases[] = {
        { 0x12345000, 0xffffffff, 0x10, 0x0a9b },
        { 0xffff0000, 0xffff, 0xf000, 0x009b },
        { 0, 0, 0, 0x0013 }, /* not present */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned which = SEG_ES; which < SEG_COUNT; which++) {
            struct x86_segment_state out;

            vmx_guest_ops.set_segment(&vcpu, which, &cases[i]);
            out = vmx_guest_ops.segment(&vcpu, which);
            assert_memory_equal(&out, &cases[i], sizeof(out));
        }
    }
    assert_int_equal(fake_vmcs[VMCS_GUEST_CS_RIGHTS], RIGHTS_UNUSABLE | 0x13);
    vmx_guest_ops.set_segment(&vcpu, SEG_CS, &cases[0]);
    assert_int_equal(fake_vmcs[VMCS_GUEST_CS_RIGHTS], CODE_64_RIGHTS);
}

/* --- memory --- */

static void an_ept_violation_says_what_was_wanted(void **state)
{
    (void)state;
    fake_vmcs[VMCS_GUEST_PHYSICAL_ADDRESS] = 0x1234;
    fake_vmcs[VMCS_GUEST_LINEAR_ADDRESS] = 0x5678;
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, EPT_WRITES | BIT(3) | EPT_LINEAR_VALID | BIT(8)));
    assert_int_equal(vm_exit.reason, VM_EXIT_MEMORY);
    assert_int_equal(vm_exit.memory.gpa.raw, 0x1234);
    assert_int_equal(vm_exit.memory.gva, 0x5678);
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_WRITE);
    assert_true(vm_exit.memory.permission);
    assert_false(vm_exit.memory.table_walk || vm_exit.memory.decoded || vm_exit.memory.external);
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, EPT_FETCHES));
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_EXEC);
    assert_int_equal(vm_exit.memory.gva, 0);
    assert_false(vm_exit.memory.permission);
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, 1 | EPT_LINEAR_VALID));
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_READ);
    assert_true(vm_exit.memory.table_walk);
}

static void known_instructions_are_recalled_in_64_bit_code(void **state)
{
    static const struct x86_mmio known = { .length = 7, .reg = GPR_RCX, .register_size = 4 };

    (void)state;
    use_long_mode();
    assert_true(leave(VMX_EXIT_EPT_VIOLATION, 1 | EPT_LINEAR_VALID | EPT_TRANSLATED));
    assert_true(vm_exit.memory.decoded);
    vcpu.mmio = &known;
    vcpu.gpr[GPR_RCX] = UINT64_MAX;
    vm_exit.memory.size = 1;
    vmx_finish_read(&vcpu, &vm_exit, 0x1ab);
    assert_int_equal(vcpu.gpr[GPR_RCX], 0xab);
    assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], RIP + 7);
}

/* --- failures --- */

static void a_failed_entry_is_told_in_words(void **state)
{
    (void)state;
    assert_true(leave(EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_STATE, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
    assert_non_null(strstr(vm_exit.fatal.what, "registers contradict each other"));
    assert_true(leave(EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_STATE, 2));
    assert_non_null(strstr(vm_exit.fatal.what, "page-directory pointers"));
    assert_true(leave(EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_STATE, 99));
    assert_true(leave(EXIT_REASON_ENTRY_FAILED | 77, 0));
    assert_int_equal(vm_exit.fatal.syndrome, EXIT_REASON_ENTRY_FAILED | 77);
    for (uint64_t error = 0; error < 40; error++) {
        fake_vmcs[VMCS_INSTRUCTION_ERROR] = error;
        vmx_enter_failed(&vm_exit);
        assert_int_equal(vm_exit.reason, VM_EXIT_FATAL);
        assert_non_null(vm_exit.fatal.what);
        assert_int_equal(vm_exit.fatal.syndrome, error);
    }
}

static void any_exit_is_answered(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        set_up(NULL);
        pdpte_status = ERR_NOT_FOUND;
        vmx_guest_ops.set(&vcpu, REG_CR3, 0x2020);
        vcpu.gpr[GPR_RCX] = random_next(&random);
        vcpu.gpr[GPR_RAX] = random_next(&random);
        fake_vmcs[VMCS_EXIT_EVENT] = (uint32_t)random_next(&random);
        fake_vmcs[VMCS_INTERRUPTED_EVENT] = (uint32_t)random_next(&random);
        if (leave(random_below(&random, 80), random_next(&random)))
            assert_true(vm_exit.reason < VM_EXIT_REASONS);
        if (vm_exit.reason == VM_EXIT_FATAL)
            assert_non_null(vm_exit.fatal.what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_port_write_has_its_value, set_up),
        cmocka_unit_test_setup(a_port_read_fills_its_part_of_rax, set_up),
        cmocka_unit_test_setup(string_ports_want_the_emulator, set_up),
        cmocka_unit_test_setup(skipping_ends_shadows_and_steps, set_up),
        cmocka_unit_test_setup(a_breakpoint_that_was_met_is_pending, set_up),
        cmocka_unit_test_setup(rip_wraps_where_it_is_narrow, set_up),
        cmocka_unit_test_setup(hypercalls_are_the_kernels, set_up),
        cmocka_unit_test_setup(vmx_instructions_are_undefined, set_up),
        cmocka_unit_test_setup(an_unknown_msr_is_a_fault, set_up),
        cmocka_unit_test_setup(the_apics_msrs_are_exits, set_up),
        cmocka_unit_test_setup(a_task_switch_is_refused, set_up),
        cmocka_unit_test_setup(bits_that_the_guest_does_not_own_are_shadowed, set_up),
        cmocka_unit_test_setup(long_mode_is_an_entry_control, set_up),
        cmocka_unit_test_setup(a_hidden_bit_of_cr4_is_a_fault, set_up),
        cmocka_unit_test_setup(pae_pointers_are_loaded_and_checked, set_up),
        cmocka_unit_test_setup(cr8_is_the_task_priority, set_up),
        cmocka_unit_test_setup(segments_go_in_as_they_come_out, set_up),
        cmocka_unit_test_setup(an_ept_violation_says_what_was_wanted, set_up),
        cmocka_unit_test_setup(known_instructions_are_recalled_in_64_bit_code, set_up),
        cmocka_unit_test_setup(a_failed_entry_is_told_in_words, set_up),
        cmocka_unit_test_setup(any_exit_is_answered, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
