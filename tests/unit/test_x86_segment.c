/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated accesses: segments in each mode, 16-bit addresses, the stack. */
#include "tests/unit/x86_emulate_test.h"

#include <string.h>

#include "arch/x86/emulate/walk.h"

#define MOV_EAX_FROM_RBX "\x8b\x03" /* mov (%rbx),%eax */
#define MOV_EAX_TO_RBX "\x89\x03"   /* mov %eax,(%rbx) */

static void real_mode_adds_the_segments_base_and_wraps_offsets(void **state)
{
    (void)state;
    fake_real_mode();
    guest.segment[SEG_ES].base = FAKE_DATA + 0x3000;
    guest.vcpu.gpr[GPR_RBX] = 0xfff0;
    guest.vcpu.gpr[GPR_RSI] = 0x0120;
    assert_int_equal(EMULATE("\x26\x8b\x08"), OK); /* mov %es:(%bx,%si),%cx */
    assert_done(3);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x3110);
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], fake_memory(FAKE_DATA + 0x3110, 2));
}

static void real_modes_limit_has_faults_without_error_codes(void **state)
{
    (void)state;
    fake_real_mode();
    assert_int_equal(EMULATE("\x8b\x0e\xff\xff"), OK); /* mov 0xffff,%cx */
    assert_fault(VECTOR_GP, -1);
    guest.vector = -1;
    guest.vcpu.gpr[GPR_RBP] = 0xffff;
    assert_int_equal(EMULATE("\x8b\x4e\x00"), OK); /* mov (%bp),%cx */
    assert_fault(VECTOR_SS, -1);
    guest.vector = -1;
    assert_int_equal(EMULATE("\x8a\x0e\xff\xff"), OK); /* mov 0xffff,%cl */
    assert_done(4);
}

static void code_ends_with_its_segment(void **state)
{
    (void)state;
    fake_real_mode();
    guest.segment[SEG_CS].limit = FAKE_CODE + 2;
    assert_int_equal(EMULATE("\x8b\x0e\xfe\xff"), OK);
    assert_fault(VECTOR_GP, -1);
    guest.vector = -1;
    guest.reg[REG_RIP] = 0x10000;
    assert_int_equal(x86_emulate(&guest.vcpu, &exit_of_test, &fake_bus), OK);
    assert_int_equal(guest.vector, VECTOR_GP);
}

static void each_addressing_form_of_16_bits_is_right(void **state)
{
    static const uint16_t want[] = {
        0x1300, 0x1500, 0x2300, 0x2500, 0x0300, 0x0500, 0x2000, 0x1000
    };

    (void)state;
    for (unsigned rm = 0; rm < 8; rm++) {
        const char load[] = { '\x8a', (char)(0x40 | rm), '\x10' }; /* mov 16(...),%al */

        fake_real_mode();
        guest.segment[SEG_SS].base = FAKE_DATA + 0x4000;
        guest.vcpu.gpr[GPR_RBX] = 0x1000;
        guest.vcpu.gpr[GPR_RBP] = 0x2000;
        guest.vcpu.gpr[GPR_RSI] = 0x0300;
        guest.vcpu.gpr[GPR_RDI] = 0x0500;
        assert_int_equal(emulate(load, sizeof(load)), OK);
        assert_int_equal(guest.note[0].address,
                         FAKE_DATA + (want[rm] >= 0x2000 ? 0x4000u : 0u) + want[rm] + 16);
    }
}

static status_t access_data(uint16_t attributes, uint32_t limit, uint64_t offset, bool write)
{
    fake_protected_mode(32);
    guest.segment[SEG_DS] = (struct x86_segment_state){
        .base = FAKE_DATA,
        .limit = limit,
        .attributes = attributes,
    };
    guest.vcpu.gpr[GPR_RBX] = offset;
    return write ? EMULATE(MOV_EAX_TO_RBX) : EMULATE(MOV_EAX_FROM_RBX);
}

static void a_segments_rights_and_limit_are_checked(void **state)
{
    enum { WRITABLE = 0x93, READ_ONLY = 0x91, CODE = 0x9b, CODE_ONLY = 0x99, DOWN = 0x97 };
    static const struct {
        uint16_t attributes;
        uint32_t limit, offset;
        bool write, fine;
    } cases[] = {
        { WRITABLE, 0xfff, 0xffc, true, true },
        { WRITABLE, 0xfff, 0xffd, true, false },
        { WRITABLE, 0xfff, 0xffffffff, true, false },
        { READ_ONLY, 0xfff, 0, false, true },
        { READ_ONLY, 0xfff, 0, true, false },
        { CODE, 0xfff, 0, false, true },
        { CODE, 0xfff, 0, true, false },
        { CODE_ONLY, 0xfff, 0, false, false },
        { DOWN, 0xfff, 0xfff, true, false },
        { DOWN, 0xfff, 0x1000, true, true },
        { DOWN, 0xfff, 0xfffd, true, false },
        { DOWN | 0x400, 0xfff, 0xfffd, true, true },
        { WRITABLE & ~0x80, 0xfff, 0, false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(
            access_data(cases[i].attributes, cases[i].limit, cases[i].offset, cases[i].write), OK);
        if (cases[i].fine)
            assert_done(2);
        else
            assert_fault(VECTOR_GP, 0);
    }
}

static void virtual_8086_mode_has_real_modes_segments_and_error_codes(void **state)
{
    (void)state;
    fake_real_mode();
    guest.reg[REG_CR0] |= CR0_PE;
    guest.reg[REG_RFLAGS] |= RFLAGS_VM;
    guest.reg[REG_CPL] = 3;
    guest.segment[SEG_DS].attributes = 0;
    assert_int_equal(EMULATE("\x8b\x0e\xfe\xff"), OK);
    assert_done(4);
    guest.reg[REG_RIP] = FAKE_CODE;
    guest.retired = guest.accesses = 0;
    assert_int_equal(EMULATE("\x8b\x0e\xff\xff"), OK);
    assert_fault(VECTOR_GP, 0);
}

/* --- the stack --- */

static void push_and_pop_move_memory_and_the_stack_pointer(void **state)
{
    (void)state;
    guest.reg[REG_RSP] = LINEAR + 0x1008;
    assert_int_equal(EMULATE("\xff\x33"), OK); /* push (%rbx) */
    assert_done(2);
    assert_int_equal(guest.reg[REG_RSP], LINEAR + 0x1000);
    assert_int_equal(fake_memory(FAKE_DATA + 0x8000, 8), fake_memory(FAKE_DATA + 0x100, 8));
    guest.reg[REG_RIP] = FAKE_CODE;
    guest.retired = 0;
    assert_int_equal(EMULATE("\x66\x8f\x44\x24\x10"), OK); /* popw 16(%rsp) */
    assert_done(5);
    assert_int_equal(guest.reg[REG_RSP], LINEAR + 0x1002);
    assert_int_equal(fake_memory(FAKE_DATA + 0x8012, 2), fake_memory(FAKE_DATA + 0x8000, 2));
}

static void a_push_that_faults_leaves_the_stack_pointer(void **state)
{
    (void)state;
    guest.reg[REG_RSP] = LINEAR;
    assert_int_equal(EMULATE("\xff\x33"), OK);
    assert_fault(VECTOR_PF, PF_WRITE);
    assert_int_equal(guest.fault_address, LINEAR - 8);
    assert_int_equal(guest.reg[REG_RSP], LINEAR);
}

static void a_16_bit_stack_wraps(void **state)
{
    (void)state;
    fake_real_mode();
    guest.reg[REG_RSP] = 0x50000;
    assert_int_equal(EMULATE("\xff\x36\x00\x02"), OK); /* pushw 0x200 */
    assert_done(4);
    assert_int_equal(guest.reg[REG_RSP], 0x5fffe);
    assert_int_equal(guest.note[1].address, FAKE_DATA + 0xfffe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(real_mode_adds_the_segments_base_and_wraps_offsets,
                               set_up_long_mode),
        cmocka_unit_test_setup(real_modes_limit_has_faults_without_error_codes, set_up_long_mode),
        cmocka_unit_test_setup(code_ends_with_its_segment, set_up_long_mode),
        cmocka_unit_test_setup(each_addressing_form_of_16_bits_is_right, set_up_long_mode),
        cmocka_unit_test_setup(a_segments_rights_and_limit_are_checked, set_up_long_mode),
        cmocka_unit_test_setup(virtual_8086_mode_has_real_modes_segments_and_error_codes,
                               set_up_long_mode),
        cmocka_unit_test_setup(push_and_pop_move_memory_and_the_stack_pointer, set_up_long_mode),
        cmocka_unit_test_setup(a_push_that_faults_leaves_the_stack_pointer, set_up_long_mode),
        cmocka_unit_test_setup(a_16_bit_stack_wraps, set_up_long_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
