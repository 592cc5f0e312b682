/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks of the guest's page tables in each paging mode: addresses, rights, error codes, A and D. */
#include "arch/x86/emulate/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/x86_fake_guest.h"

#define LINEAR 0xffff888012345678ULL
#define ALL (ENTRY_P | ENTRY_W | ENTRY_U)
#define SUPERVISOR (ENTRY_P | ENTRY_W)

static gpa_t found;
static uint32_t error;

static status_t walk(uint64_t linear, uint32_t access)
{
    const struct x86_paging paging = x86_paging_of(&guest.vcpu);

    return x86_walk(&paging, &fake_bus, linear, access, &found, &error);
}

static void assert_found(uint64_t linear, uint32_t access, uint64_t physical)
{
    assert_int_equal(walk(linear, access), OK);
    assert_int_equal(found.raw, physical);
}

static void assert_fault(uint64_t linear, uint32_t access, uint32_t code)
{
    assert_int_equal(walk(linear, access), ERR_NOT_FOUND);
    assert_int_equal(error, code);
}

static int set_up(void **state)
{
    (void)state;
    fake_long_mode();
    return 0;
}

static void without_paging_an_address_is_physical(void **state)
{
    (void)state;
    fake_protected_mode(32);
    assert_found(0xfee00020, PF_WRITE | PF_USER, 0xfee00020);
    assert_int_equal(guest.table_reads, 0);
}

static void four_levels_lead_to_a_page(void **state)
{
    (void)state;
    fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, SUPERVISOR);
    assert_found(LINEAR, PF_WRITE, 0xfee00678);
    assert_int_equal(guest.table_reads, 4);
}

static void large_pages_end_a_walk_early(void **state)
{
    uint64_t *const directory = (uint64_t *)(void *)(guest.memory + 0x50000);
    uint64_t *const pointers = (uint64_t *)(void *)(guest.memory + 0x51000);
    uint64_t *const top = (uint64_t *)(void *)(guest.memory + FAKE_TABLES);

    (void)state;
    top[1] = 0x51000 | ALL;
    pointers[0] = 0x50000 | ALL;
    pointers[1] = (5ULL << 30) | ALL | ENTRY_PS | BIT(12); /* 12: PAT */
    directory[3] = 0xfee00000 | ALL | ENTRY_PS;
    assert_found((1ULL << 39) + (3 << 21) + 0x1abcd, PF_USER, 0xfee1abcd);
    assert_found((1ULL << 39) + (1ULL << 30) + 0x3abcdef, PF_USER, (5ULL << 30) + 0x3abcdef);
    directory[3] |= BIT(13);
    assert_fault((1ULL << 39) + (3 << 21), PF_USER, PF_PRESENT | PF_USER | PF_RESERVED);
    pointers[1] |= BIT(29);
    assert_fault((1ULL << 39) + (1ULL << 30), 0, PF_PRESENT | PF_RESERVED);
    top[1] |= ENTRY_PS;
    assert_fault(1ULL << 39, 0, PF_PRESENT | PF_RESERVED);
}

static void set_32_bit_paging(uint64_t cr4)
{
    fake_protected_mode(32);
    guest.reg[REG_CR0] |= CR0_PG | CR0_WP;
    guest.reg[REG_CR4] = cr4;
    guest.reg[REG_CR3] = FAKE_TABLES;
}

static void two_levels_lead_to_a_page(void **state)
{
    (void)state;
    set_32_bit_paging(0);
    fake_store(FAKE_TABLES + 4 * 0x2af, 4,
               0x50000 | ALL | ENTRY_PS); /* PS: without CR4.PSE, none */
    fake_store(0x50000 + 4 * 0x345, 4, 0xfee00000 | ALL);
    assert_found(0xabf45678, PF_WRITE | PF_USER, 0xfee00678);
    assert_int_equal(fake_memory(FAKE_TABLES + 4 * 0x2af, 4), 0x50000 | ALL | ENTRY_PS | ENTRY_A);
    assert_int_equal(fake_memory(0x50000 + 4 * 0x345, 4), 0xfee00000 | ALL | ENTRY_A | ENTRY_D);
    assert_fault(0xabf46000, PF_WRITE, PF_WRITE);
    assert_fault(0xabf46000, PF_FETCH, 0); /* neither NX nor SMEP: not told */
}

static void a_4_mib_page_may_be_above_4_gib(void **state)
{
    (void)state;
    set_32_bit_paging(CR4_PSE);
    fake_store(FAKE_TABLES + 4 * 0x2af, 4, 0xfec00000 | 0x5a << 13 | ALL | ENTRY_PS);
    assert_found(0xabf45678, PF_USER, 0x5afef45678);
    fake_store(FAKE_TABLES + 4 * 0x2af, 4, 0xfec00000 | BIT(21) | ALL | ENTRY_PS);
    assert_fault(0xabf45678, PF_USER, PF_PRESENT | PF_RESERVED | PF_USER);
}

static void pae_has_three_levels_and_no_rights_in_the_first(void **state)
{
    (void)state;
    set_32_bit_paging(CR4_PAE);
    guest.reg[REG_CR3] = FAKE_TABLES + 0x20;
    fake_store(FAKE_TABLES + 0x20 + 8 * 2, 8, 0x50000 | ENTRY_P);
    fake_store(0x50000 + 8 * 0x15f, 8, 0x51000 | ALL);
    fake_store(0x51000 + 8 * 0x145, 8, 0x123fee00000 | ALL);
    assert_found(0xabf45678, PF_WRITE | PF_USER, 0x123fee00678);
    assert_int_equal(fake_memory(FAKE_TABLES + 0x20 + 8 * 2, 8), 0x50000 | ENTRY_P);
    fake_store(0x51000 + 8 * 0x145, 8, 0xfee00000 | ALL | ENTRY_NX);
    assert_fault(0xabf45678, 0, PF_PRESENT | PF_RESERVED); /* NXE is off */
    guest.reg[REG_EFER] = EFER_NXE;
    assert_found(0xabf45678, 0, 0xfee00678);
    assert_fault(0xabf45678, PF_FETCH, PF_PRESENT | PF_FETCH);
    fake_store(0x51000 + 8 * 0x145, 8, 0xfee00000 | ALL | BIT(52));
    assert_fault(0xabf45678, 0, PF_PRESENT | PF_RESERVED);
    fake_store(0x50000 + 8 * 0x15f, 8, 0xfee00000 | ALL | ENTRY_PS);
    assert_found(0xabf45678, PF_USER, 0xfef45678);
}

static void an_absent_entry_at_any_level_is_told_as_such(void **state)
{
    (void)state;
    assert_fault(LINEAR, 0, 0);
    assert_fault(LINEAR, PF_WRITE | PF_USER, PF_WRITE | PF_USER);
    fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, ENTRY_W | ENTRY_U | BIT(51));
    assert_fault(LINEAR, PF_FETCH, PF_FETCH);
}

/* Against the rules as SDM 3A 4.6.1 writes them. */
static bool rules_permit(uint64_t entry, uint32_t access, uint64_t cr0, uint64_t cr4, bool ac)
{
    const bool user_page = entry & ENTRY_U, writable = entry & ENTRY_W, nx = entry & ENTRY_NX;

    if (access & PF_USER) {
        if (!user_page)
            return false;
        if (access & PF_FETCH)
            return !nx;
        return !(access & PF_WRITE) || writable;
    }
    if (access & PF_FETCH)
        return !nx && !(user_page && cr4 & CR4_SMEP);
    if (user_page && cr4 & CR4_SMAP && !ac)
        return false;
    return !(access & PF_WRITE) || writable || !(cr0 & CR0_WP);
}

static void every_combination_of_rights_is_judged_by_the_rules(void **state)
{
    static const uint32_t accesses[] = { 0, PF_WRITE, PF_FETCH };

    (void)state;
    for (unsigned i = 0; i < 3u << 8; i++) {
        const uint64_t entry =
            ENTRY_P | (i & 1 ? ENTRY_W : 0) | (i & 2 ? ENTRY_U : 0) | (i & 4 ? ENTRY_NX : 0);
        const uint32_t access = accesses[i >> 8] | (i & 8 ? PF_USER : 0);

        set_up(NULL);
        guest.reg[REG_CR0] = CR0_PE | CR0_PG | (i & 16 ? CR0_WP : 0);
        guest.reg[REG_CR4] = CR4_PAE | (i & 32 ? CR4_SMEP : 0) | (i & 64 ? CR4_SMAP : 0);
        guest.reg[REG_RFLAGS] = RFLAGS_FIXED | (i & 128 ? RFLAGS_AC : 0);
        fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, entry);
        if (rules_permit(entry, access, guest.reg[REG_CR0], guest.reg[REG_CR4], i & 128))
            assert_found(LINEAR, access, 0xfee00678);
        else
            assert_fault(LINEAR, access, PF_PRESENT | access);
    }
}

static void rights_of_all_levels_count(void **state)
{
    uint64_t *const top = (uint64_t *)(void *)(guest.memory + FAKE_TABLES);

    (void)state;
    fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, ALL);
    assert_found(LINEAR, PF_USER | PF_WRITE, 0xfee00678);
    top[LINEAR >> 39 & 0x1ff] &= ~(uint64_t)ENTRY_W;
    assert_fault(LINEAR, PF_USER | PF_WRITE, PF_PRESENT | PF_USER | PF_WRITE);
    top[LINEAR >> 39 & 0x1ff] |= ENTRY_NX;
    assert_fault(LINEAR, PF_USER | PF_FETCH, PF_PRESENT | PF_USER | PF_FETCH);
    top[LINEAR >> 39 & 0x1ff] &= ~(uint64_t)ENTRY_U;
    assert_fault(LINEAR, PF_USER, PF_PRESENT | PF_USER);
}

static void accessed_and_dirty_are_set_as_the_access_is(void **state)
{
    uint64_t *const top = (uint64_t *)(void *)(guest.memory + FAKE_TABLES);

    (void)state;
    fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, SUPERVISOR);
    assert_fault(LINEAR, PF_USER, PF_PRESENT | PF_USER);
    assert_int_equal(*fake_entry(LINEAR), 0xfee00000 | SUPERVISOR);
    assert_found(LINEAR, 0, 0xfee00678);
    assert_int_equal(*fake_entry(LINEAR), 0xfee00000 | SUPERVISOR | ENTRY_A);
    assert_found(LINEAR, PF_WRITE, 0xfee00678);
    assert_int_equal(*fake_entry(LINEAR), 0xfee00000 | SUPERVISOR | ENTRY_A | ENTRY_D);
    assert_int_equal(top[LINEAR >> 39 & 0x1ff] & (ENTRY_A | ENTRY_D), ENTRY_A);
}

static void an_entry_that_changes_meanwhile_is_walked_again(void **state)
{
    (void)state;
    fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, SUPERVISOR);
    guest.lost_races = 1;
    assert_int_equal(walk(LINEAR, 0), ERR_BAD_STATE);
    assert_found(LINEAR, 0, 0xfee00678);
}

static void a_bus_without_exchange_leaves_the_tables_alone(void **state)
{
    const struct x86_paging paging = x86_paging_of(&guest.vcpu);
    struct hv_bus bus = fake_bus;

    (void)state;
    bus.exchange_memory = NULL;
    fake_map(LINEAR & ~PAGE_MASK, 0xfee00000, SUPERVISOR);
    assert_int_equal(x86_walk(&paging, &bus, LINEAR, PF_WRITE, &found, &error), OK);
    assert_int_equal(*fake_entry(LINEAR), 0xfee00000 | SUPERVISOR);
}

static void bits_above_the_physical_ones_are_reserved(void **state)
{
    struct x86_paging paging = x86_paging_of(&guest.vcpu);

    (void)state;
    paging.physical_bits = 40;
    fake_map(LINEAR & ~PAGE_MASK, 1ULL << 40, SUPERVISOR);
    assert_int_equal(x86_walk(&paging, &fake_bus, LINEAR, 0, &found, &error), ERR_NOT_FOUND);
    assert_int_equal(error, PF_PRESENT | PF_RESERVED);
    assert_found(LINEAR, 0, (1ULL << 40) + 0x678);
}

static void what_is_not_canonical_is_no_page_fault(void **state)
{
    (void)state;
    assert_int_equal(walk(0x0000800000000000, 0), ERR_INVALID_ARGS);
    assert_int_equal(walk(0xffff7fffffffffff, 0), ERR_INVALID_ARGS);
    assert_fault(0xffff800000000000, 0, 0);
}

static void tables_outside_memory_are_refused(void **state)
{
    (void)state;
    guest.reg[REG_CR3] = 0xfee00000;
    assert_int_equal(walk(LINEAR, 0), ERR_UNSUPPORTED);
}

/* Entries that point anywhere, at themselves too. */
static void random_tables_end_every_walk(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        const uint64_t linear = random_next(&seed);

        if (round % 100 == 0)
            for (unsigned i = 0; i < FAKE_MEMORY; i += 8)
                fake_store(i, 8, random_next(&seed) & (random_next(&seed) | 0xff) & 0xfffff);
        guest.reg[REG_CR0] = CR0_PE | CR0_PG;
        guest.reg[REG_CR3] = random_next(&seed) & 0xfffff;
        guest.reg[REG_CR4] = random_next(&seed);
        guest.reg[REG_EFER] = random_next(&seed);
        guest.table_reads = 0;
        walk(guest.reg[REG_EFER] & EFER_LMA ? linear : (uint32_t)linear,
             (uint32_t)random_next(&seed) & (PF_WRITE | PF_USER | PF_FETCH));
        assert_true(guest.table_reads <= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_paging_an_address_is_physical, set_up),
        cmocka_unit_test_setup(four_levels_lead_to_a_page, set_up),
        cmocka_unit_test_setup(large_pages_end_a_walk_early, set_up),
        cmocka_unit_test_setup(two_levels_lead_to_a_page, set_up),
        cmocka_unit_test_setup(a_4_mib_page_may_be_above_4_gib, set_up),
        cmocka_unit_test_setup(pae_has_three_levels_and_no_rights_in_the_first, set_up),
        cmocka_unit_test_setup(an_absent_entry_at_any_level_is_told_as_such, set_up),
        cmocka_unit_test_setup(every_combination_of_rights_is_judged_by_the_rules, set_up),
        cmocka_unit_test_setup(rights_of_all_levels_count, set_up),
        cmocka_unit_test_setup(accessed_and_dirty_are_set_as_the_access_is, set_up),
        cmocka_unit_test_setup(an_entry_that_changes_meanwhile_is_walked_again, set_up),
        cmocka_unit_test_setup(a_bus_without_exchange_leaves_the_tables_alone, set_up),
        cmocka_unit_test_setup(bits_above_the_physical_ones_are_reserved, set_up),
        cmocka_unit_test_setup(what_is_not_canonical_is_no_page_fault, set_up),
        cmocka_unit_test_setup(tables_outside_memory_are_refused, set_up),
        cmocka_unit_test_setup(random_tables_end_every_walk, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
