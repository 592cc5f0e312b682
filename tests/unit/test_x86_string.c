/* SPDX-License-Identifier: BSD-2-Clause */
/* String instructions with REP: pages, faults in the midst, bounds, ports, real mode. */
#include "tests/unit/x86_emulate_test.h"

#include <string.h>

#include "arch/x86/emulate/walk.h"

#define FROM 0x500000ULL
#define TO 0x600000ULL
#define FROM_PAGE 0x20000u /* its second page is 8 pages further */
#define TO_PAGE 0x30000u

#define REP "\xf3"
#define REPNE "\xf2"
#define MOVSB "\xa4"
#define MOVSL "\xa5"
#define CMPSB "\xa6"
#define STOSB "\xaa"
#define STOSL "\xab"
#define SCASB "\xae"
#define INSB "\x6c"
#define INSL "\x6d"
#define OUTSB "\x6e"
#define OUTSL "\x6f"

static void set_strings(uint64_t from, uint64_t to, uint64_t count)
{
    guest.vcpu.gpr[GPR_RSI] = from;
    guest.vcpu.gpr[GPR_RDI] = to;
    guest.vcpu.gpr[GPR_RCX] = count;
}

static void assert_strings(uint64_t from, uint64_t to, uint64_t count)
{
    assert_int_equal(guest.vcpu.gpr[GPR_RSI], from);
    assert_int_equal(guest.vcpu.gpr[GPR_RDI], to);
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], count);
}

static void port_exit(uint16_t port, uint8_t size, bool write)
{
    exit_of_test = (struct vm_exit){ .reason = VM_EXIT_PIO,
                                     .pio = { .port = port, .size = size, .write = write } };
    guest.vcpu.gpr[GPR_RDX] = port;
}

static int set_up(void **state)
{
    (void)state;
    exit_of_test = (struct vm_exit){ .reason = VM_EXIT_MEMORY };
    fake_long_mode();
    fake_map(FROM, FROM_PAGE, SUPERVISOR);
    fake_map(FROM + PAGE_SIZE, FROM_PAGE + 0x8000, SUPERVISOR);
    fake_map(TO, TO_PAGE, SUPERVISOR);
    fake_map(TO + PAGE_SIZE, TO_PAGE + 0x8000, SUPERVISOR);
    return 0;
}

static void a_string_crosses_pages_that_are_not_adjacent(void **state)
{
    (void)state;
    set_strings(FROM + 0xff0, TO + 0xffa, 16);
    assert_int_equal(EMULATE(REP MOVSL), OK);
    assert_done(2);
    assert_strings(FROM + 0x1030, TO + 0x103a, 0);
    assert_memory_equal(guest.memory + TO_PAGE + 0xffa, guest.memory + FROM_PAGE + 0xff0, 6);
    assert_memory_equal(guest.memory + TO_PAGE + 0x8000, guest.memory + FROM_PAGE + 0xff6, 10);
    assert_memory_equal(guest.memory + TO_PAGE + 0x800a, guest.memory + FROM_PAGE + 0x8000, 48);
}

static void a_page_is_walked_once(void **state)
{
    (void)state;
    set_strings(FROM, TO, 500);
    assert_int_equal(EMULATE(REP MOVSL), OK);
    assert_done(2);
    assert_int_equal(guest.table_reads, 3 * 4); /* code, source, target */
    assert_int_equal(guest.accesses, 1000);
}

static void backwards_it_goes_down_through_a_page(void **state)
{
    (void)state;
    guest.reg[REG_RFLAGS] |= RFLAGS_DF;
    set_strings(FROM + 0x1002, TO + 0x1002, 5);
    assert_int_equal(EMULATE(REP MOVSB), OK);
    assert_done(2);
    assert_strings(FROM + 0xffd, TO + 0xffd, 0);
    assert_memory_equal(guest.memory + TO_PAGE + 0xffe, guest.memory + FROM_PAGE + 0xffe, 2);
    assert_memory_equal(guest.memory + TO_PAGE + 0x8000, guest.memory + FROM_PAGE + 0x8000, 3);
}

static void a_fault_in_the_midst_shows_what_is_done(void **state)
{
    (void)state;
    *fake_entry(TO + PAGE_SIZE) = 0;
    set_strings(FROM, TO + 0xff8, 10);
    assert_int_equal(EMULATE(REP MOVSL), OK);
    assert_int_equal(guest.vector, VECTOR_PF);
    assert_int_equal(guest.error, PF_WRITE);
    assert_int_equal(guest.fault_address, TO + 0x1000);
    assert_unmoved();
    assert_strings(FROM + 8, TO + 0x1000, 8);
    assert_int_equal(guest.accesses, 4);

    *fake_entry(TO + PAGE_SIZE) = (TO_PAGE + 0x8000) | SUPERVISOR; /* and on */
    guest.vector = -1;
    assert_int_equal(EMULATE(REP MOVSL), OK);
    assert_done(2);
    assert_strings(FROM + 40, TO + 0x1020, 0);
}

static void a_fault_leaves_the_flags_of_the_elements_before(void **state)
{
    (void)state;
    *fake_entry(FROM + PAGE_SIZE) = 0;
    memcpy(guest.memory + TO_PAGE, guest.memory + FROM_PAGE + 0xffc, 4);
    set_strings(FROM + 0xffc, TO, 10);
    assert_int_equal(EMULATE(REP CMPSB), OK);
    assert_int_equal(guest.vector, VECTOR_PF);
    assert_strings(FROM + 0x1000, TO + 4, 6);
    assert_int_equal(guest.reg[REG_RFLAGS], RFLAGS_FIXED | RFLAGS_RF);
}

static void a_long_string_lets_interrupts_in(void **state)
{
    (void)state;
    fake_protected_mode(32);
    guest.vcpu.gpr[GPR_RAX] = 0x5c;
    set_strings(0, FAKE_DATA, 2 * X86_STRING_BOUND + 3);
    assert_int_equal(EMULATE(REP STOSB), OK);
    assert_unmoved();
    assert_int_equal(guest.vector, -1);
    assert_strings(0, FAKE_DATA + X86_STRING_BOUND, X86_STRING_BOUND + 3);
    assert_int_equal(EMULATE(REP STOSB), OK);
    assert_int_equal(EMULATE(REP STOSB), OK);
    assert_done(2);
    assert_strings(0, FAKE_DATA + 2 * X86_STRING_BOUND + 3, 0);
    for (unsigned i = 0; i < 2 * X86_STRING_BOUND + 3; i++)
        assert_int_equal(guest.memory[FAKE_DATA + i], 0x5c);
}

static void a_count_of_zero_touches_nothing(void **state)
{
    (void)state;
    set_strings(0xdead0000, 0xdead0000, 0);
    assert_int_equal(EMULATE(REP MOVSB), OK);
    assert_done(2);
    assert_int_equal(guest.accesses, 0);
}

static void a_comparison_ends_where_it_says(void **state)
{
    (void)state;
    memset(guest.memory + TO_PAGE, 0, 32);
    guest.memory[TO_PAGE + 9] = 0x41;
    guest.vcpu.gpr[GPR_RAX] = 0x41;
    set_strings(0, TO, 32);
    assert_int_equal(EMULATE(REPNE SCASB), OK);
    assert_done(2);
    assert_strings(0, TO + 10, 22);
    assert_true(guest.reg[REG_RFLAGS] & RFLAGS_ZF);
    guest.vcpu.gpr[GPR_RAX] = 0;
    guest.reg[REG_RIP] = FAKE_CODE;
    set_strings(0, TO, 32);
    assert_int_equal(EMULATE(REP SCASB), OK);
    assert_strings(0, TO + 10, 22);
    assert_false(guest.reg[REG_RFLAGS] & RFLAGS_ZF);
}

static void a_short_address_counts_and_wraps_in_its_width(void **state)
{
    (void)state;
    fake_real_mode();
    set_strings(0xabc0ffff, 0x5550000, 0x30002);
    assert_int_equal(EMULATE(REP MOVSB), OK);
    assert_done(2);
    assert_strings(0xabc00001, 0x5550002, 0x30000);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0xffff);
    assert_int_equal(guest.note[2].address, FAKE_DATA);
}

static void a_word_across_real_modes_end_is_a_protection_fault(void **state)
{
    (void)state;
    fake_real_mode();
    set_strings(0xfffd, 0, 3);
    assert_int_equal(EMULATE(REP MOVSL), OK); /* words here */
    assert_int_equal(guest.vector, VECTOR_GP);
    assert_int_equal(guest.error, -1);
    assert_strings(0xffff, 2, 2);
}

static void an_override_is_for_the_source_only(void **state)
{
    (void)state;
    fake_real_mode();
    guest.segment[SEG_FS].base = FAKE_DATA + 0x8000;
    guest.segment[SEG_ES].base = FAKE_DATA + 0x4000;
    set_strings(0x10, 0x20, 1);
    assert_int_equal(EMULATE("\x64" MOVSB), OK);
    assert_done(2);
    assert_strings(0x11, 0x21, 1);
    assert_int_equal(guest.note[0].address, FAKE_DATA + 0x8010);
    assert_int_equal(guest.note[1].address, FAKE_DATA + 0x4020);
}

static void the_bus_ends_a_string_where_it_fails(void **state)
{
    (void)state;
    guest.fail_at = 6; /* the third element's write */
    set_strings(FROM, TO, 10);
    assert_int_equal(EMULATE(REP MOVSL), ERR_NOT_FOUND);
    assert_unmoved();
    assert_strings(FROM + 8, TO + 8, 8);
}

/* --- ports --- */

static void ports_are_written_from_memory(void **state)
{
    (void)state;
    port_exit(0x3f8, 1, true);
    set_strings(FROM + 0xffe, 0, 4);
    assert_int_equal(EMULATE(REP OUTSB), OK);
    assert_done(2);
    assert_strings(FROM + 0x1002, 0, 0);
    assert_int_equal(guest.accesses, 8);
    assert_true(guest.note[1].port && guest.note[1].write);
    assert_int_equal(guest.note[1].address, 0x3f8);
    assert_int_equal(guest.port_value, guest.memory[FROM_PAGE + 0x8001]);
}

static void ports_are_read_into_memory(void **state)
{
    (void)state;
    guest.port_value = 0x11223344;
    port_exit(0x1f0, 4, false);
    set_strings(0, TO + 0xffc, 2);
    assert_int_equal(EMULATE("\xf3\x48" INSL), OK); /* REX.W: 4 bytes all the same */
    assert_done(3);
    assert_int_equal(fake_memory(TO_PAGE + 0xffc, 4), 0x11223344);
    assert_int_equal(fake_memory(TO_PAGE + 0x8000, 4), 0x11223345);
}

static void a_page_that_is_absent_loses_nothing_of_the_port(void **state)
{
    (void)state;
    *fake_entry(TO) = 0;
    port_exit(0x1f0, 1, false);
    set_strings(0, TO, 2);
    assert_int_equal(EMULATE(REP INSB), OK);
    assert_int_equal(guest.vector, VECTOR_PF);
    assert_int_equal(guest.accesses, 0);
    assert_strings(0, TO, 2);
}

/* The CPU looked at the TSS's bitmap for what exited, not for what code is there by now. */
static void the_user_gets_no_other_port_than_the_exits(void **state)
{
    (void)state;
    *fake_entry(FROM) |= ENTRY_U;
    guest.reg[REG_CPL] = 3;
    port_exit(0x80, 1, true);
    set_strings(FROM, 0, 1);
    assert_int_equal(EMULATE(OUTSL), OK);
    guest.vcpu.gpr[GPR_RDX] = 0xcf9;
    assert_int_equal(EMULATE(OUTSB), OK);
    guest.vcpu.gpr[GPR_RDX] = 0x80;
    assert_int_equal(EMULATE(INSB), OK);
    exit_of_test.reason = VM_EXIT_MEMORY;
    assert_int_equal(EMULATE(OUTSB), OK);
    assert_unmoved();
    assert_int_equal(guest.accesses, 0);
    guest.reg[REG_RFLAGS] |= RFLAGS_IOPL;
    assert_int_equal(EMULATE(OUTSB), OK);
    assert_done(1);
}

static void without_ports_their_strings_are_refused(void **state)
{
    struct hv_bus bus = fake_bus;

    (void)state;
    bus.port_read = NULL;
    bus.port_write = NULL;
    fake_code(OUTSB, 1);
    assert_int_equal(x86_emulate(&guest.vcpu, &exit_of_test, &bus), ERR_UNSUPPORTED);
}

/* Left to the CPU, it would exit again, for ever. */
static void a_place_whose_tables_are_not_in_ram_is_refused(void **state)
{
    (void)state;
    port_exit(0x80, 1, false);
    set_strings(0, BIT(40), 0);
    ((uint64_t *)(guest.memory + guest.reg[REG_CR3]))[BIT(40) >> 39] = FAKE_MEMORY | 7;
    assert_int_equal(EMULATE(INSB), ERR_UNSUPPORTED);
    assert_int_equal(guest.retired, 0);
    assert_int_equal(guest.accesses, 0);
}

static void one_that_was_written_over_is_left_to_the_cpu(void **state)
{
    (void)state;
    port_exit(0x80, 2, false);
    assert_int_equal(EMULATE("\x4b\x90"), OK); /* nop */
    assert_int_equal(EMULATE("\x0f\x04"), OK);
    assert_int_equal(guest.retired, 0);
    assert_int_equal(guest.vector, -1);
    assert_int_equal(guest.accesses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_string_crosses_pages_that_are_not_adjacent, set_up),
        cmocka_unit_test_setup(a_page_is_walked_once, set_up),
        cmocka_unit_test_setup(backwards_it_goes_down_through_a_page, set_up),
        cmocka_unit_test_setup(a_fault_in_the_midst_shows_what_is_done, set_up),
        cmocka_unit_test_setup(a_fault_leaves_the_flags_of_the_elements_before, set_up),
        cmocka_unit_test_setup(a_long_string_lets_interrupts_in, set_up),
        cmocka_unit_test_setup(a_count_of_zero_touches_nothing, set_up),
        cmocka_unit_test_setup(a_comparison_ends_where_it_says, set_up),
        cmocka_unit_test_setup(a_short_address_counts_and_wraps_in_its_width, set_up),
        cmocka_unit_test_setup(a_word_across_real_modes_end_is_a_protection_fault, set_up),
        cmocka_unit_test_setup(an_override_is_for_the_source_only, set_up),
        cmocka_unit_test_setup(the_bus_ends_a_string_where_it_fails, set_up),
        cmocka_unit_test_setup(ports_are_written_from_memory, set_up),
        cmocka_unit_test_setup(ports_are_read_into_memory, set_up),
        cmocka_unit_test_setup(a_page_that_is_absent_loses_nothing_of_the_port, set_up),
        cmocka_unit_test_setup(the_user_gets_no_other_port_than_the_exits, set_up),
        cmocka_unit_test_setup(without_ports_their_strings_are_refused, set_up),
        cmocka_unit_test_setup(a_place_whose_tables_are_not_in_ram_is_refused, set_up),
        cmocka_unit_test_setup(one_that_was_written_over_is_left_to_the_cpu, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
