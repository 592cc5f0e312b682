/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated accesses of two registers' width: parts, alignment, faults and failures between them. */
#include "arch/x86/emulate/emulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86/exception.h"
#include "tests/unit/x86_fake_guest.h"

#define LINEAR 0xffffc90000000000ULL
#define SUPERVISOR (ENTRY_P | ENTRY_W)
#define SECOND (FAKE_DATA + 0x8000)
#define EMULATE(bytes) emulate(bytes, sizeof(bytes) - 1)

#define MOVUPS_TO_RBX "\x0f\x11\x0b" /* %xmm1 */
#define MOVUPS_FROM_RBX "\x0f\x10\x0b"
#define MOVAPS_TO_RBX "\x0f\x29\x0b"
#define CMPXCHG16B "\x48\x0f\xc7\x0b"
#define CMPXCHG8B "\x0f\xc7\x0b"

static status_t emulate(const char *bytes, size_t count)
{
    static const struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

    fake_code(bytes, count);
    guest.reg[REG_RIP] = FAKE_CODE;
    return x86_emulate(&guest.vcpu, &exit, &fake_bus);
}

static int set_up(void **state)
{
    (void)state;
    fake_long_mode();
    fake_map(LINEAR, FAKE_DATA, SUPERVISOR);
    fake_map(LINEAR + PAGE_SIZE, SECOND, SUPERVISOR);
    guest.vcpu.gpr[GPR_RBX] = LINEAR + 0x100;
    guest.xmm[1][0] = 0x1111111122222222;
    guest.xmm[1][1] = 0x3333333344444444;
    return 0;
}

static void assert_fault(enum x86_vector vector, unsigned accesses)
{
    assert_int_equal(guest.vector, vector);
    assert_int_equal(guest.retired, 0);
    assert_int_equal(guest.accesses, accesses);
}

static void sixteen_bytes_are_two_accesses_in_order(void **state)
{
    (void)state;
    assert_int_equal(EMULATE(MOVUPS_TO_RBX), OK);
    assert_int_equal(guest.accesses, 2);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x100);
    assert_int_equal(guest.note[1].address, FAKE_DATA + 0x108);
    assert_int_equal(guest.note[1].size, 8);
    assert_int_equal(fake_memory(FAKE_DATA + 0x108, 8), 0x3333333344444444);
    memset(guest.xmm, 0, sizeof(guest.xmm));
    assert_int_equal(EMULATE(MOVUPS_FROM_RBX), OK);
    assert_int_equal(guest.xmm[1][0], 0x1111111122222222);
    assert_int_equal(guest.xmm[1][1], 0x3333333344444444);
    assert_int_equal(guest.retired, 2);
}

static void each_way_over_a_page_boundary_is_whole(void **state)
{
    (void)state;
    for (unsigned before = 1; before < 16; before++) {
        set_up(state);
        guest.vcpu.gpr[GPR_RBX] = LINEAR + PAGE_SIZE - before;
        assert_int_equal(EMULATE(MOVUPS_TO_RBX), OK);
        for (unsigned i = 0; i < 16; i++) {
            const uint64_t at =
                i < before ? FAKE_DATA + PAGE_SIZE - before + i : SECOND + i - before;

            assert_int_equal(guest.memory[at], ((const uint8_t *)guest.xmm[1])[i]);
        }
        memset(guest.xmm, 0, sizeof(guest.xmm));
        assert_int_equal(EMULATE(MOVUPS_FROM_RBX), OK);
        assert_int_equal(guest.xmm[1][0], 0x1111111122222222);
        assert_int_equal(guest.xmm[1][1], 0x3333333344444444);
    }
}

static void a_second_page_that_is_absent_faults_before_anything(void **state)
{
    (void)state;
    *fake_entry(LINEAR + PAGE_SIZE) = 0;
    guest.vcpu.gpr[GPR_RBX] = LINEAR + PAGE_SIZE - 8;
    assert_int_equal(EMULATE(MOVUPS_TO_RBX), OK);
    assert_fault(VECTOR_PF, 0);
    assert_int_equal(guest.fault_address, LINEAR + PAGE_SIZE);
    assert_int_equal(guest.error & 7, 2);
}

static void what_is_to_be_aligned_faults_where_it_is_not(void **state)
{
    static const char *const moves[] = { "\x66\x0f\x6f\x0b", "\x66\x0f\x7f\x0b", "\x0f\x28\x0b",
                                         "\x0f\x29\x0b",     "\x0f\x2b\x0b",     "\x66\x0f\xe7\x0b",
                                         CMPXCHG16B };

    for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
        set_up(state);
        guest.vcpu.gpr[GPR_RBX] += 8;
        assert_int_equal(emulate(moves[i], strlen(moves[i])), OK);
        assert_fault(VECTOR_GP, 0);
        assert_int_equal(guest.error, 0);
    }
    set_up(state);
    guest.vcpu.gpr[GPR_RBX] += 3;
    assert_int_equal(EMULATE(CMPXCHG8B), OK); /* does not have to be */
    assert_int_equal(guest.retired, 1);
}

static void a_failure_between_the_parts_changes_no_register(void **state)
{
    (void)state;
    guest.fail_at = 2;
    assert_int_equal(EMULATE(MOVUPS_FROM_RBX), ERR_NOT_FOUND);
    assert_int_equal(guest.xmm[1][0], 0x1111111122222222);
    assert_int_equal(guest.retired, 0);
    set_up(state);
    guest.fail_at = 4; /* the second write */
    guest.vcpu.gpr[GPR_RAX] = 5;
    assert_int_equal(EMULATE(CMPXCHG16B), ERR_NOT_FOUND);
    assert_int_equal(guest.vcpu.gpr[GPR_RAX], 5);
    assert_int_equal(guest.retired, 0);
}

static void a_pair_that_is_expected_is_exchanged(void **state)
{
    (void)state;
    fake_store(FAKE_DATA + 0x100, 8, 7);
    fake_store(FAKE_DATA + 0x108, 8, 8);
    guest.vcpu.gpr[GPR_RAX] = 7;
    guest.vcpu.gpr[GPR_RDX] = 8;
    guest.vcpu.gpr[GPR_RCX] = 0xcc;
    assert_int_equal(EMULATE("\xf0" CMPXCHG16B), OK);
    assert_true(guest.reg[REG_RFLAGS] & RFLAGS_ZF);
    assert_int_equal(fake_memory(FAKE_DATA + 0x100, 8), LINEAR + 0x100);
    assert_int_equal(fake_memory(FAKE_DATA + 0x108, 8), 0xcc);
    assert_int_equal(EMULATE("\xf0" CMPXCHG16B), OK);
    assert_false(guest.reg[REG_RFLAGS] & RFLAGS_ZF);
    assert_int_equal(guest.vcpu.gpr[GPR_RAX], LINEAR + 0x100);
    assert_int_equal(guest.vcpu.gpr[GPR_RDX], 0xcc);
}

static void a_wrong_lock_is_an_undefined_opcode(void **state)
{
    (void)state;
    assert_int_equal(EMULATE("\xf0" MOVUPS_TO_RBX), OK);
    assert_fault(VECTOR_UD, 0);
    set_up(state);
    assert_int_equal(EMULATE("\xf0\xc1\x23\x01"), OK); /* lock shll $1,(%rbx) */
    assert_fault(VECTOR_UD, 0);
    set_up(state);
    assert_int_equal(EMULATE("\xf0\x0f\x94\x03"), OK); /* lock sete (%rbx) */
    assert_fault(VECTOR_UD, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sixteen_bytes_are_two_accesses_in_order, set_up),
        cmocka_unit_test_setup(each_way_over_a_page_boundary_is_whole, set_up),
        cmocka_unit_test_setup(a_second_page_that_is_absent_faults_before_anything, set_up),
        cmocka_unit_test_setup(what_is_to_be_aligned_faults_where_it_is_not, set_up),
        cmocka_unit_test_setup(a_failure_between_the_parts_changes_no_register, set_up),
        cmocka_unit_test_setup(a_pair_that_is_expected_is_exchanged, set_up),
        cmocka_unit_test_setup(a_wrong_lock_is_an_undefined_opcode, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
