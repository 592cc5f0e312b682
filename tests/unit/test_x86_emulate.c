/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated accesses in 64-bit mode: pages, faults, what is refused; hostile code in each mode. */
#include "tests/unit/x86_emulate_test.h"

#include <string.h>

#include "arch/x86/emulate/walk.h"
#include "tests/unit/random.h"

#define ALL (ENTRY_P | ENTRY_W | ENTRY_U)

#define MOV_EAX_FROM_RBX "\x8b\x03"     /* mov (%rbx),%eax */
#define MOV_EAX_TO_RBX "\x89\x03"       /* mov %eax,(%rbx) */
#define MOV_RAX_TO_RBX "\x48\x89\x03"   /* mov %rax,(%rbx) */
#define OR_1_TO_RBX "\x83\x0b\x01"      /* orl $1,(%rbx) */
#define MOV_EAX_FROM_RBP "\x8b\x45\x00" /* mov (%rbp),%eax */

static void a_load_reads_the_bus_once(void **state)
{
    (void)state;
    guest.vcpu.gpr[GPR_RAX] = ~0ULL;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_int_equal(guest.vcpu.gpr[GPR_RAX], fake_memory(FAKE_DATA + 0x100, 4));
    assert_int_equal(guest.accesses, 1);
    assert_int_equal(guest.note[0].size, 4);
    assert_done(2);
}

static void an_access_across_pages_is_made_of_bytes(void **state)
{
    (void)state;
    guest.vcpu.gpr[GPR_RBX] = LINEAR + 0xffd;
    guest.vcpu.gpr[GPR_RAX] = 0x8877665544332211;
    assert_int_equal(EMULATE(MOV_RAX_TO_RBX), OK);
    assert_int_equal(guest.accesses, 8);
    assert_int_equal(fake_memory(FAKE_DATA + 0xffd, 3), 0x332211);
    assert_int_equal(fake_memory(FAKE_DATA + 0x8000, 5), 0x8877665544);
    assert_done(3);
}

static void the_exits_address_saves_a_walk(void **state)
{
    (void)state;
    exit_of_test.memory.gpa = gpa(FAKE_DATA + 0x100);
    exit_of_test.memory.access = VM_ACCESS_READ;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_int_equal(guest.table_reads, 4);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x100);
    assert_done(2);
}

static void an_address_that_is_not_the_exits_is_walked(void **state)
{
    (void)state;
    exit_of_test.memory.gpa = gpa(0x77104);
    exit_of_test.memory.access = VM_ACCESS_WRITE;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x100);

    set_up_long_mode(NULL); /* a read exited; this would write */
    exit_of_test.memory.gpa = gpa(0x77100);
    exit_of_test.memory.access = VM_ACCESS_READ;
    assert_int_equal(EMULATE(MOV_EAX_TO_RBX), OK);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x100);
}

static void a_page_that_is_absent_is_the_guests_page_fault(void **state)
{
    (void)state;
    *fake_entry(LINEAR) = 0;
    assert_int_equal(EMULATE(MOV_EAX_TO_RBX), OK);
    assert_fault(VECTOR_PF, PF_WRITE);
    assert_int_equal(guest.fault_address, LINEAR + 0x100);
}

static void the_second_page_faults_before_the_first_is_written(void **state)
{
    (void)state;
    *fake_entry(LINEAR + PAGE_SIZE) = 0;
    guest.vcpu.gpr[GPR_RBX] = LINEAR + 0xffe;
    assert_int_equal(EMULATE(MOV_EAX_TO_RBX), OK);
    assert_fault(VECTOR_PF, PF_WRITE);
    assert_int_equal(guest.fault_address, LINEAR + 0x1000);
}

static void a_read_modify_write_faults_as_a_write(void **state)
{
    (void)state;
    *fake_entry(LINEAR) = FAKE_DATA | ENTRY_P;
    assert_int_equal(EMULATE(OR_1_TO_RBX), OK);
    assert_fault(VECTOR_PF, PF_PRESENT | PF_WRITE);
}

static void the_user_cannot_reach_the_supervisors_page(void **state)
{
    (void)state;
    guest.reg[REG_CPL] = 3;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_fault(VECTOR_PF, PF_PRESENT | PF_USER);
}

static void smap_keeps_the_supervisor_from_the_users_page(void **state)
{
    (void)state;
    guest.reg[REG_CR4] |= CR4_SMAP;
    *fake_entry(FAKE_CODE) &= ~(uint64_t)ENTRY_U;
    *fake_entry(LINEAR) = FAKE_DATA | ALL;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_fault(VECTOR_PF, PF_PRESENT);
    guest.vector = -1;
    guest.reg[REG_RFLAGS] = RFLAGS_FIXED | RFLAGS_AC;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_done(2);
}

static void code_may_cross_into_a_distant_page(void **state)
{
    (void)state;
    fake_map(0x2000, 0x9000, ALL);
    guest.reg[REG_RIP] = 0x1fff;
    fake_store(0x1fff, 1, 0x8b);
    fake_store(0x9000, 1, 0x03);
    assert_int_equal(x86_emulate(&guest.vcpu, &exit_of_test, &fake_bus), OK);
    assert_int_equal(guest.reg[REG_RIP], 0x2001);
    assert_int_equal(guest.accesses, 1);
}

static void the_page_behind_is_fetched_only_if_code_goes_on_there(void **state)
{
    (void)state;
    guest.reg[REG_RIP] = 0x1ffe;
    fake_store(0x1ffe, 2, 0x038b);
    assert_int_equal(x86_emulate(&guest.vcpu, &exit_of_test, &fake_bus), OK);
    assert_int_equal(guest.reg[REG_RIP], 0x2000);

    guest.reg[REG_RIP] = 0x1fff;
    fake_store(0x1fff, 1, 0x8b);
    assert_int_equal(x86_emulate(&guest.vcpu, &exit_of_test, &fake_bus), OK);
    assert_int_equal(guest.vector, VECTOR_PF);
    assert_int_equal(guest.error, PF_FETCH);
    assert_int_equal(guest.fault_address, 0x2000);
}

static void what_is_not_canonical_is_a_protection_or_a_stack_fault(void **state)
{
    (void)state;
    guest.vcpu.gpr[GPR_RBX] = 0x00007ffffffffffd;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_fault(VECTOR_GP, 0);
    guest.vector = -1;
    guest.vcpu.gpr[GPR_RBP] = 0x8000000000000000;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBP), OK);
    assert_fault(VECTOR_SS, 0);
}

static void only_fs_and_gs_have_a_base_in_64_bit_mode(void **state)
{
    (void)state;
    guest.segment[SEG_DS].base = guest.segment[SEG_GS].base = LINEAR;
    guest.vcpu.gpr[GPR_RBX] = 0x200;
    assert_int_equal(EMULATE("\x65" MOV_EAX_FROM_RBX), OK);
    assert_done(3);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x200);
    guest.reg[REG_RIP] = FAKE_CODE;
    assert_int_equal(EMULATE("\x3e" MOV_EAX_FROM_RBX), OK);
    assert_int_equal(guest.vector, VECTOR_PF);
    assert_int_equal(guest.fault_address, 0x200);
}

static void an_unaligned_access_of_the_user_is_checked_if_asked_for(void **state)
{
    (void)state;
    guest.reg[REG_CR0] |= CR0_AM;
    guest.reg[REG_RFLAGS] |= RFLAGS_AC;
    guest.reg[REG_CPL] = 3;
    *fake_entry(LINEAR) |= ENTRY_U;
    guest.vcpu.gpr[GPR_RBX] = LINEAR + 2;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_fault(VECTOR_AC, 0);
}

static void an_entry_that_changes_meanwhile_is_tried_again(void **state)
{
    (void)state;
    guest.lost_races = 1;
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_unmoved();
    assert_int_equal(guest.vector, -1);
    assert_int_equal(EMULATE(MOV_EAX_FROM_RBX), OK);
    assert_done(2);
}

static void an_error_of_the_bus_is_passed_and_changes_nothing(void **state)
{
    (void)state;
    guest.fail_at = 2; /* the write */
    guest.vcpu.gpr[GPR_RCX] = 7;
    assert_int_equal(EMULATE("\xf0\x0f\xc1\x0b"), ERR_NOT_FOUND); /* lock xadd %ecx,(%rbx) */
    assert_unmoved();
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], 7);
    assert_int_equal(guest.reg[REG_RFLAGS], RFLAGS_FIXED);
    assert_int_equal(guest.vector, -1);
}

static void a_wrong_lock_is_an_undefined_opcode(void **state)
{
    (void)state;
    assert_int_equal(EMULATE("\xf0" MOV_EAX_TO_RBX), OK);
    assert_fault(VECTOR_UD, -1);
    guest.vector = -1;
    assert_int_equal(EMULATE("\xf0\x39\x03"), OK); /* lock cmp %eax,(%rbx) */
    assert_fault(VECTOR_UD, -1);
    guest.vector = -1;
    assert_int_equal(EMULATE("\xf0\xa4"), OK); /* lock movsb */
    assert_fault(VECTOR_UD, -1);
}

static void what_is_not_emulated_is_refused_untouched(void **state)
{
    (void)state;
    assert_int_equal(EMULATE("\x0f\x58\x03"), ERR_UNSUPPORTED); /* addps (%rbx),%xmm0 */
    assert_int_equal(EMULATE("\x0f\x04"), ERR_UNSUPPORTED);
    assert_int_equal(EMULATE("\x0f\x22\xc0"), ERR_UNSUPPORTED); /* mov %rax,%cr0 */
    assert_unmoved();
    assert_int_equal(guest.accesses, 0);
}

/* The CPU would touch it again, for ever. */
static void a_stack_in_a_device_is_refused(void **state)
{
    (void)state;
    assert_int_equal(EMULATE("\x8f\xc1"), ERR_UNSUPPORTED); /* pop %rcx, as with an address */
    assert_int_equal(EMULATE("\xff\xf0"), ERR_UNSUPPORTED); /* push %rax */
    assert_int_equal(EMULATE("\x59"), ERR_UNSUPPORTED);
    guest.delivering = true;
    assert_int_equal(EMULATE(MOV_EAX_TO_RBX), ERR_UNSUPPORTED);
    assert_int_equal(EMULATE("\x89\xc3"), ERR_UNSUPPORTED);
    assert_unmoved();
    assert_int_equal(guest.accesses, 0);
}

static void code_that_no_longer_touches_memory_is_left_to_the_cpu(void **state)
{
    (void)state;
    assert_int_equal(EMULATE("\x89\xc3"), OK); /* mov %eax,%ebx */
    assert_unmoved();
    assert_int_equal(guest.vcpu.gpr[GPR_RBX], LINEAR + 0x100);
}

static void more_than_15_bytes_are_a_protection_fault(void **state)
{
    (void)state;
    assert_int_equal(EMULATE("fffffffffffffff" MOV_EAX_TO_RBX), OK);
    assert_fault(VECTOR_GP, 0);
}

/* --- hostile --- */

static void start_hostile(unsigned mode, uint64_t *seed)
{
    switch (mode) {
    case 0: fake_real_mode(); break;
    case 1: fake_protected_mode(16); break;
    case 2: fake_protected_mode(32); break;
    default: set_up_long_mode(NULL); break;
    }
    for (unsigned i = 0; i < GPR_COUNT; i++)
        guest.vcpu.gpr[i] = random_next(seed) >> random_below(seed, 64);
    guest.vcpu.gpr[GPR_RBX] += LINEAR;
    guest.vcpu.gpr[GPR_RSI] &= 0x3ffff;
    guest.reg[REG_RSP] = random_next(seed) >> random_below(seed, 64);
    guest.reg[REG_RFLAGS] = random_next(seed) & 0x3fcff;
    guest.reg[REG_CPL] = random_below(seed, 2) * 3;
    guest.reg[REG_RIP] = FAKE_CODE + random_below(seed, 0x1000);
}

static void random_code_is_bounded_work_in_each_mode(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (unsigned round = 0; round < 24000; round++) {
        if (round % 60 == 0)
            start_hostile(round / 60 % 4, &seed);
        guest.vector = -1;
        guest.accesses = 0;
        for (unsigned i = 0; i < 15; i++)
            guest.memory[(guest.reg[REG_RIP] + i) % FAKE_DATA] = (uint8_t)random_next(&seed);
        if (random_below(&seed, 3) == 0)
            guest.memory[guest.reg[REG_RIP] % FAKE_DATA] = (uint8_t)(0xf2 + random_below(&seed, 2));
        exit_of_test.reason = random_below(&seed, 4) == 0 ? VM_EXIT_PIO : VM_EXIT_MEMORY;
        x86_emulate(&guest.vcpu, &exit_of_test, &fake_bus);
        assert_true(guest.accesses <= 2 * 8 * X86_STRING_BOUND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_load_reads_the_bus_once, set_up_long_mode),
        cmocka_unit_test_setup(an_access_across_pages_is_made_of_bytes, set_up_long_mode),
        cmocka_unit_test_setup(the_exits_address_saves_a_walk, set_up_long_mode),
        cmocka_unit_test_setup(an_address_that_is_not_the_exits_is_walked, set_up_long_mode),
        cmocka_unit_test_setup(a_page_that_is_absent_is_the_guests_page_fault, set_up_long_mode),
        cmocka_unit_test_setup(the_second_page_faults_before_the_first_is_written,
                               set_up_long_mode),
        cmocka_unit_test_setup(a_read_modify_write_faults_as_a_write, set_up_long_mode),
        cmocka_unit_test_setup(the_user_cannot_reach_the_supervisors_page, set_up_long_mode),
        cmocka_unit_test_setup(smap_keeps_the_supervisor_from_the_users_page, set_up_long_mode),
        cmocka_unit_test_setup(code_may_cross_into_a_distant_page, set_up_long_mode),
        cmocka_unit_test_setup(the_page_behind_is_fetched_only_if_code_goes_on_there,
                               set_up_long_mode),
        cmocka_unit_test_setup(what_is_not_canonical_is_a_protection_or_a_stack_fault,
                               set_up_long_mode),
        cmocka_unit_test_setup(only_fs_and_gs_have_a_base_in_64_bit_mode, set_up_long_mode),
        cmocka_unit_test_setup(an_unaligned_access_of_the_user_is_checked_if_asked_for,
                               set_up_long_mode),
        cmocka_unit_test_setup(an_entry_that_changes_meanwhile_is_tried_again, set_up_long_mode),
        cmocka_unit_test_setup(an_error_of_the_bus_is_passed_and_changes_nothing, set_up_long_mode),
        cmocka_unit_test_setup(a_wrong_lock_is_an_undefined_opcode, set_up_long_mode),
        cmocka_unit_test_setup(what_is_not_emulated_is_refused_untouched, set_up_long_mode),
        cmocka_unit_test_setup(a_stack_in_a_device_is_refused, set_up_long_mode),
        cmocka_unit_test_setup(code_that_no_longer_touches_memory_is_left_to_the_cpu,
                               set_up_long_mode),
        cmocka_unit_test_setup(more_than_15_bytes_are_a_protection_fault, set_up_long_mode),
        cmocka_unit_test_setup(random_code_is_bounded_work_in_each_mode, set_up_long_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
