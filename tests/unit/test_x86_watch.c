/* SPDX-License-Identifier: BSD-2-Clause */
/* Breakpoints on what emulated instructions touch: kinds, lengths, strings, ports, none. */
#include "tests/unit/x86_emulate_test.h"

#define AGAIN(bytes) (again(), EMULATE(bytes))

#define LOAD "\x8b\x03"       /* mov (%ebx), %eax */
#define STORE "\x89\x03"      /* mov %eax, (%ebx) */
#define CHANGE "\x83\x0b\x01" /* orl $1, (%ebx) */
#define POP "\x8f\x03"        /* pop (%ebx) */
#define REP_MOVSB "\xf3\xa4"
#define REPE_CMPSB "\xf3\xa6"
#define REP_INSB "\xf3\x6c"
#define OUTSB "\x6e"

enum { WRITES = 1, PORTS = 2, ALL = 3 };
enum { ONE = 0, TWO = 1, EIGHT = 2, FOUR = 3 };

static void again(void)
{
    guest.reg[REG_RIP] = FAKE_CODE;
    guest.retired = 0;
    guest.met = 0;
}

static int set_up(void **state)
{
    (void)state;
    exit_of_test = (struct vm_exit){ .reason = VM_EXIT_MEMORY };
    fake_protected_mode(32);
    guest.vcpu.gpr[GPR_RBX] = FAKE_DATA + 0x100;
    guest.vcpu.gpr[GPR_RSI] = FAKE_DATA + 0x200;
    guest.vcpu.gpr[GPR_RDI] = FAKE_DATA + 0x300;
    guest.vcpu.gpr[GPR_RCX] = 4;
    guest.vcpu.gpr[GPR_RDX] = 0x60;
    return 0;
}

/* The breakpoint is on, for its task or for all. */
static void watch(unsigned n, uint64_t address, unsigned what, unsigned length)
{
    guest.breakpoint[n] = address;
    guest.reg[REG_DR7] |= BIT(2 * n + n % 2) | (uint64_t)(what | length << 2) << (16 + 4 * n);
}

static void assert_met(uint64_t met)
{
    assert_int_equal(guest.retired, 1);
    assert_int_equal(guest.met, met);
    assert_int_equal(guest.vector, -1);
}

static void one_that_is_off_is_not_met(void **state)
{
    (void)state;
    watch(1, FAKE_DATA + 0x100, ALL, FOUR);
    guest.reg[REG_DR7] &= ~0xffULL;
    assert_int_equal(AGAIN(STORE), OK);
    assert_met(0);
    watch(2, FAKE_DATA, ALL, FOUR); /* another is on */
    assert_int_equal(AGAIN(STORE), OK);
    assert_met(0);
}

static void loads_and_stores_are_told_apart(void **state)
{
    (void)state;
    watch(0, FAKE_DATA + 0x100, WRITES, FOUR);
    watch(3, FAKE_DATA + 0x102, ALL, TWO);
    assert_int_equal(AGAIN(LOAD), OK);
    assert_met(BIT(3));
    assert_int_equal(AGAIN(STORE), OK);
    assert_met(BIT(0) | BIT(3));
    assert_int_equal(AGAIN(CHANGE), OK);
    assert_met(BIT(0) | BIT(3));
}

static void an_access_of_code_or_of_a_port_is_none(void **state)
{
    (void)state;
    guest.reg[REG_CR4] |= CR4_DE;
    watch(0, FAKE_DATA + 0x100, 0, ONE);
    watch(1, FAKE_DATA + 0x100, PORTS, ONE);
    assert_int_equal(AGAIN(CHANGE), OK);
    assert_met(0);
}

static void a_byte_in_common_is_enough(void **state)
{
    static const unsigned bytes[] = { [ONE] = 1, [TWO] = 2, [FOUR] = 4, [EIGHT] = 8 };

    for (unsigned length = ONE; length <= FOUR; length++) {
        for (uint64_t at = FAKE_DATA + 0xf0; at < FAKE_DATA + 0x110; at++) {
            const uint64_t first = ALIGN_DOWN(at, bytes[length]);

            set_up(state);
            watch(0, at, WRITES, length);
            assert_int_equal(AGAIN(STORE), OK);
            assert_met(first < FAKE_DATA + 0x104 && first + bytes[length] > FAKE_DATA + 0x100);
        }
    }
}

static void both_operands_count(void **state)
{
    (void)state;
    guest.reg[REG_RSP] = FAKE_DATA + 0x400;
    watch(0, FAKE_DATA + 0x400, ALL, FOUR);
    watch(1, FAKE_DATA + 0x100, WRITES, FOUR);
    assert_int_equal(AGAIN(POP), OK);
    assert_met(BIT(0) | BIT(1));
}

static void what_faults_meets_none(void **state)
{
    (void)state;
    watch(0, FAKE_DATA + 0x200, ALL, ONE);
    guest.segment[SEG_ES].limit = FAKE_DATA;
    assert_int_equal(AGAIN(REP_MOVSB), OK);
    assert_int_equal(guest.vector, VECTOR_GP);
    assert_int_equal(guest.retired, 0);
}

static void a_string_stops_behind_the_element(void **state)
{
    (void)state;
    watch(2, FAKE_DATA + 0x301, WRITES, ONE);
    assert_int_equal(AGAIN(REP_MOVSB), OK);
    assert_met(BIT(2));
    assert_int_equal(guest.reg[REG_RIP], FAKE_CODE);
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], 2);
    assert_int_equal(guest.reg[REG_RFLAGS] & RFLAGS_RF, RFLAGS_RF);
    assert_int_equal(AGAIN(REP_MOVSB), OK);
    assert_met(0);
    assert_int_equal(guest.reg[REG_RIP], FAKE_CODE + 2);
    assert_int_equal(guest.reg[REG_RFLAGS] & RFLAGS_RF, 0);
}

static void behind_the_last_element_it_is_done(void **state)
{
    (void)state;
    watch(2, FAKE_DATA + 0x303, WRITES, ONE);
    assert_int_equal(AGAIN(REP_MOVSB), OK);
    assert_met(BIT(2));
    assert_int_equal(guest.reg[REG_RIP], FAKE_CODE + 2);
}

static void a_comparison_keeps_its_flags(void **state)
{
    (void)state;
    fake_store(FAKE_DATA + 0x300, 4, fake_memory(FAKE_DATA + 0x200, 4));
    watch(2, FAKE_DATA + 0x300, ALL, ONE);
    assert_int_equal(AGAIN(REPE_CMPSB), OK);
    assert_met(BIT(2));
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], 3);
    assert_int_equal(guest.reg[REG_RFLAGS] & RFLAGS_ZF, RFLAGS_ZF);
}

static void a_single_step_is_over_one_element(void **state)
{
    (void)state;
    guest.reg[REG_RFLAGS] |= RFLAGS_TF;
    assert_int_equal(AGAIN(REP_MOVSB), OK);
    assert_met(0);
    assert_int_equal(guest.reg[REG_RIP], FAKE_CODE);
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], 3);
}

static void ports_are_watched_where_cr4_says_so(void **state)
{
    (void)state;
    exit_of_test.reason = VM_EXIT_PIO;
    exit_of_test.pio.port = 0x60;
    exit_of_test.pio.size = 1;
    watch(1, 0x60, PORTS, ONE);
    assert_int_equal(AGAIN(REP_INSB), OK);
    assert_met(0);
    guest.reg[REG_CR4] |= CR4_DE;
    guest.vcpu.gpr[GPR_RCX] = 4;
    assert_int_equal(AGAIN(REP_INSB), OK);
    assert_met(BIT(1));
    assert_int_equal(guest.vcpu.gpr[GPR_RCX], 3);
    assert_int_equal(AGAIN(OUTSB), OK);
    assert_met(BIT(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_that_is_off_is_not_met, set_up),
        cmocka_unit_test_setup(loads_and_stores_are_told_apart, set_up),
        cmocka_unit_test_setup(an_access_of_code_or_of_a_port_is_none, set_up),
        cmocka_unit_test_setup(a_byte_in_common_is_enough, set_up),
        cmocka_unit_test_setup(both_operands_count, set_up),
        cmocka_unit_test_setup(what_faults_meets_none, set_up),
        cmocka_unit_test_setup(a_string_stops_behind_the_element, set_up),
        cmocka_unit_test_setup(behind_the_last_element_it_is_done, set_up),
        cmocka_unit_test_setup(a_comparison_keeps_its_flags, set_up),
        cmocka_unit_test_setup(a_single_step_is_over_one_element, set_up),
        cmocka_unit_test_setup(ports_are_watched_where_cr4_says_so, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
