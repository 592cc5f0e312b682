/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated accesses: a guest whose virtual pages, memory and SIMD registers are this file's.
 *
 *     virtual CODE  -> physical CODE_PAGE    the instruction, read by read_memory
 *     virtual DATA  -> physical DATA_PAGE    the bus: two pages of bytes
 *     DATA + 4 KiB  -> physical FAR_PAGE     not adjacent to the first
 */
#include "arch/arm64/emulate.h"

#include <arch/cpu.h>
#include <arch/finish.h>
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arm64/at.h"
#include "arch/arm64/fpreg.h"
#include "arch/arm64/syndrome.h"

#define CODE 0xffff800010001000u
#define DATA 0xffff800020000000u
#define CODE_PAGE 0x40001000u
#define DATA_PAGE 0x0a000000u
#define FAR_PAGE 0x0b004000u
#define VBAR 0xffff800030000000u
#define DATA_LENGTH 0x2000u

static struct {
    struct hv_vcpu vcpu;
    uint8_t simd[32][16];
    uint32_t instruction;
    uint8_t memory[DATA_LENGTH];
    unsigned accesses;        /* on the bus */
    uint8_t sizes[64];        /* of each */
    unsigned fail_at;         /* this access and later ones fail; 0: none */
    bool unmapped[3];         /* code, first and second data page */
    bool stage2;              /* what is unmapped faults at stage 2 */
    unsigned translations[4]; /* by enum arm64_at, of data */
} guest;

static const uint64_t pages[] = { CODE_PAGE, DATA_PAGE, FAR_PAGE };

uint64_t arm64_at(enum arm64_at kind, uint64_t va)
{
    unsigned page = va - DATA < DATA_LENGTH ? 1 + (unsigned)(va - DATA) / 0x1000 : 0;
    bool elsewhere = page == 0 && va - CODE >= 0x1000;

    if (page != 0)
        guest.translations[kind]++;
    if (elsewhere || guest.unmapped[page])
        return PAR_F | FIELD_PREP(PAR_FST, 0x07) | (guest.stage2 ? PAR_S : 0);
    return pages[page];
}

void arm64_fpreg_get(unsigned n, uint8_t to[16])
{
    memcpy(to, guest.simd[n], 16);
}

void arm64_fpreg_set(unsigned n, const uint8_t from[16])
{
    memcpy(guest.simd[n], from, 16);
}

/* Where an access of the bus is in guest.memory. */
static status_t bus_access(gpa_t address, unsigned size, uint8_t **at)
{
    uint64_t offset = address.raw & 0xfff;

    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    assert_int_equal(address.raw % size, 0);
    guest.sizes[guest.accesses % sizeof(guest.sizes)] = (uint8_t)size;
    if (++guest.accesses == guest.fail_at)
        return ERR_NOT_FOUND;
    if (address.raw - offset == CODE_PAGE)
        return ERR_NOT_FOUND;
    *at = guest.memory + offset + (address.raw - offset == FAR_PAGE ? 0x1000 : 0);
    return OK;
}

static status_t bus_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    uint8_t *at = NULL;
    status_t status = bus_access(address, size, &at);

    (void)context;
    if (status == OK)
        memcpy(value, at, size);
    return status;
}

static status_t bus_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    uint8_t *at = NULL;
    status_t status = bus_access(address, size, &at);

    (void)context;
    if (status == OK)
        memcpy(at, &value, size);
    return status;
}

static status_t bus_read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    (void)context;
    assert_int_equal(bytes, 4);
    assert_int_equal(address.raw, CODE_PAGE + (guest.vcpu.pc & 0xfff));
    memcpy(to, &guest.instruction, bytes);
    return OK;
}

static const struct hv_bus bus = {
    .read = bus_read,
    .write = bus_write,
    .read_memory = bus_read_memory,
};

static int set_up(void **state)
{
    (void)state;
    memset(&guest, 0, sizeof(guest));
    fake_sysreg_reset();
    sysreg_write(vbar_el1, VBAR);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate = PSTATE_EL1H;
    for (unsigned i = 0; i < 31; i++)
        guest.vcpu.x[i] = 0x1010101010101010 + i;
    for (unsigned i = 0; i < DATA_LENGTH; i++)
        guest.memory[i] = (uint8_t)(i ^ (i >> 8));
    for (unsigned i = 0; i < 32; i++)
        memset(guest.simd[i], (int)(0x80 + i), 16);
    return 0;
}

static status_t emulate(uint32_t instruction)
{
    static const struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

    guest.instruction = instruction;
    return arm64_emulate(&guest.vcpu, &exit, &bus);
}

static void assert_done(void)
{
    assert_int_equal(guest.vcpu.pc, CODE + 0x14);
}

static uint64_t memory_at(unsigned offset)
{
    uint64_t value;

    memcpy(&value, guest.memory + offset, sizeof(value));
    return value;
}

#define LDP_X1_X2_X3_16 0xa9410861       /* ldp x1, x2, [x3, #16] */
#define STP_X1_XZR_SP_PRE_16 0xa9bf7fe1  /* stp x1, xzr, [sp, #-16]! */
#define LDPSW_X1_X2_X3_PRE_4 0x69c08861  /* ldpsw x1, x2, [x3, #4]! */
#define LDRSB_W1_X2_POST_1 0x38c01441    /* ldrsb w1, [x2], #1 */
#define LDRSH_X1_X2_POST_2 0x78802441    /* ldrsh x1, [x2], #2 */
#define LDR_X1_X2_W3_SXTW_3 0xf863d841   /* ldr x1, [x2, w3, sxtw #3] */
#define LDR_Q1_X2 0x3dc00041             /* ldr q1, [x2] */
#define STR_Q1_X2_POST_16 0x3c810441     /* str q1, [x2], #16 */
#define LDR_S1_X2 0xbd400041             /* ldr s1, [x2] */
#define STR_X1_X2_POST_8 0xf8008441      /* str x1, [x2], #8 */
#define LDP_W1_W2_X3 0x29400861          /* ldp w1, w2, [x3] */
#define LD1_V1_S_3_X2 0x4d409041         /* ld1 {v1.s}[3], [x2] */
#define LD2_V1_V2_8H_X2 0x4c408441       /* ld2 {v1.8h, v2.8h}, [x2] */
#define LD1R_V1_4H_X2_POST 0x0ddfc441    /* ld1r {v1.4h}, [x2], #2 */
#define ST4_V1_16B_X2_POST_X5 0x4c850041 /* st4 {v1.16b - v4.16b}, [x2], x5 */
#define LDTR_W1_X2 0xb8400841            /* ldtr w1, [x2] */
#define LDXR_X1_X2 0xc85f7c41            /* ldxr x1, [x2] */

static void a_pair_is_loaded(void **state)
{
    (void)state;
    guest.vcpu.x[3] = DATA;
    assert_int_equal(emulate(LDP_X1_X2_X3_16), OK);
    assert_int_equal(guest.vcpu.x[1], memory_at(16));
    assert_int_equal(guest.vcpu.x[2], memory_at(24));
    assert_int_equal(guest.vcpu.x[3], DATA);
    assert_int_equal(guest.accesses, 2);
    assert_done();
}

static void a_pair_is_stored_through_each_stack_pointer(void **state)
{
    (void)state;
    sysreg_write(sp_el1, DATA + 0x110);
    sysreg_write(sp_el0, DATA + 0x210);
    assert_int_equal(emulate(STP_X1_XZR_SP_PRE_16), OK);
    assert_int_equal(memory_at(0x100), guest.vcpu.x[1]);
    assert_int_equal(memory_at(0x108), 0);
    assert_int_equal(sysreg_read(sp_el1), DATA + 0x100);
    assert_int_equal(sysreg_read(sp_el0), DATA + 0x210);
    assert_done();

    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate &= ~PSTATE_SP;
    assert_int_equal(emulate(STP_X1_XZR_SP_PRE_16), OK);
    assert_int_equal(memory_at(0x200), guest.vcpu.x[1]);
    assert_int_equal(sysreg_read(sp_el0), DATA + 0x200);
    assert_int_equal(sysreg_read(sp_el1), DATA + 0x100);
}

static void words_of_a_pair_are_sign_extended(void **state)
{
    static const uint32_t words[] = { 0x80000001, 0x7fffffff };

    (void)state;
    guest.vcpu.x[3] = DATA;
    memcpy(guest.memory + 4, words, sizeof(words));
    assert_int_equal(emulate(LDPSW_X1_X2_X3_PRE_4), OK);
    assert_int_equal(guest.vcpu.x[1], 0xffffffff80000001);
    assert_int_equal(guest.vcpu.x[2], 0x7fffffff);
    assert_int_equal(guest.vcpu.x[3], DATA + 4);
    assert_done();
}

static void sign_extension_stops_at_the_registers_width(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    memset(guest.memory, 0xfe, 16);
    assert_int_equal(emulate(LDRSB_W1_X2_POST_1), OK);
    assert_int_equal(guest.vcpu.x[1], 0xfffffffe);
    assert_int_equal(guest.vcpu.x[2], DATA + 1);
    guest.vcpu.pc = CODE + 0x10;
    assert_int_equal(emulate(LDRSH_X1_X2_POST_2), OK);
    assert_int_equal(guest.vcpu.x[1], 0xfffffffffffffefe);
    assert_int_equal(guest.vcpu.x[2], DATA + 3);
}

static void an_index_is_extended_and_shifted(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 0x40;
    guest.vcpu.x[3] = 0x12345678fffffffe; /* as a word: -2 */
    assert_int_equal(emulate(LDR_X1_X2_W3_SXTW_3), OK);
    assert_int_equal(guest.vcpu.x[1], memory_at(0x30));
}

static void simd_registers_are_loaded_and_stored(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 0x20;
    assert_int_equal(emulate(LDR_Q1_X2), OK);
    assert_memory_equal(guest.simd[1], guest.memory + 0x20, 16);
    assert_int_equal(guest.accesses, 2);
    assert_done();

    guest.vcpu.pc = CODE + 0x10;
    memset(guest.simd[1], 0x5c, 16);
    assert_int_equal(emulate(STR_Q1_X2_POST_16), OK);
    assert_memory_equal(guest.simd[1], guest.memory + 0x20, 16);
    assert_int_equal(guest.vcpu.x[2], DATA + 0x30);
}

static void a_short_simd_load_clears_the_rest_of_the_register(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LDR_S1_X2), OK);
    assert_memory_equal(guest.simd[1], guest.memory, 4);
    for (unsigned i = 4; i < 16; i++)
        assert_int_equal(guest.simd[1][i], 0);
}

static void a_lane_load_leaves_the_other_lanes(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 4;
    assert_int_equal(emulate(LD1_V1_S_3_X2), OK);
    assert_memory_equal(guest.simd[1] + 12, guest.memory + 4, 4);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(guest.simd[1][i], 0x81);
}

static void structures_are_taken_apart(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LD2_V1_V2_8H_X2), OK);
    for (unsigned i = 0; i < 8; i++) {
        assert_memory_equal(guest.simd[1] + 2 * i, guest.memory + 4 * i, 2);
        assert_memory_equal(guest.simd[2] + 2 * i, guest.memory + 4 * i + 2, 2);
    }
}

static void structures_are_put_together(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    guest.vcpu.x[5] = 0x1000;
    assert_int_equal(emulate(ST4_V1_16B_X2_POST_X5), OK);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(guest.memory[i], 0x81 + i % 4);
    assert_int_equal(guest.vcpu.x[2], DATA + 0x1000);
}

static void a_replicating_load_fills_the_lanes_of_its_width(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 6;
    assert_int_equal(emulate(LD1R_V1_4H_X2_POST), OK);
    for (unsigned i = 0; i < 4; i++)
        assert_memory_equal(guest.simd[1] + 2 * i, guest.memory + 6, 2);
    for (unsigned i = 8; i < 16; i++)
        assert_int_equal(guest.simd[1][i], 0);
    assert_int_equal(guest.accesses, 1);
    assert_int_equal(guest.vcpu.x[2], DATA + 8);
}

static void a_big_endian_guest_has_each_element_swapped(void **state)
{
    (void)state;
    sysreg_write(sctlr_el1, SCTLR_EE);
    guest.vcpu.x[3] = DATA;
    assert_int_equal(emulate(LDP_W1_W2_X3), OK);
    assert_int_equal(guest.vcpu.x[1], 0x00010203);
    assert_int_equal(guest.vcpu.x[2], 0x04050607);

    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.x[1] = 0x1122334455667788;
    guest.vcpu.x[2] = DATA + 8;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(memory_at(8), 0x8877665544332211);

    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.x[2] = DATA + 0x20;
    assert_int_equal(emulate(LDR_Q1_X2), OK);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(guest.simd[1][i], guest.memory[0x2f - i]);
}

static void el0_has_a_byte_order_of_its_own(void **state)
{
    (void)state;
    sysreg_write(sctlr_el1, SCTLR_E0E);
    guest.vcpu.x[3] = DATA;
    assert_int_equal(emulate(LDP_W1_W2_X3), OK);
    assert_int_equal(guest.vcpu.x[1], 0x03020100);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate = 0;
    assert_int_equal(emulate(LDP_W1_W2_X3), OK);
    assert_int_equal(guest.vcpu.x[1], 0x00010203);
}

static void an_access_across_pages_is_made_of_bytes_of_both(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA + 0xffd;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(memory_at(0xffd), guest.vcpu.x[1]);
    assert_int_equal(guest.accesses, 8);
    assert_int_equal(guest.vcpu.x[2], DATA + 0x1005);
    assert_done();
}

static void aligned_elements_in_two_pages_stay_whole(void **state)
{
    (void)state;
    guest.vcpu.x[3] = DATA + 0x1000 - 24;
    assert_int_equal(emulate(LDP_X1_X2_X3_16), OK);
    assert_int_equal(guest.vcpu.x[1], memory_at(0xff8));
    assert_int_equal(guest.vcpu.x[2], memory_at(0x1000));
    assert_int_equal(guest.accesses, 2);
}

static void an_error_of_the_bus_changes_no_register(void **state)
{
    static const uint32_t loads[] = { LDPSW_X1_X2_X3_PRE_4, LD2_V1_V2_8H_X2, LDR_Q1_X2,
                                      STR_X1_X2_POST_8, STR_Q1_X2_POST_16 };

    for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
        struct hv_vcpu before;

        set_up(state);
        guest.vcpu.x[2] = guest.vcpu.x[3] = DATA;
        guest.fail_at = i == 3 ? 1 : 2;
        before = guest.vcpu;
        assert_int_equal(emulate(loads[i]), ERR_NOT_FOUND);
        assert_memory_equal(&guest.vcpu, &before, sizeof(before));
        assert_int_equal(guest.simd[1][0], 0x81);
    }
}

static void an_unmapped_second_page_is_the_guests_fault(void **state)
{
    (void)state;
    guest.unmapped[2] = true;
    guest.vcpu.x[2] = DATA + 0xffc;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.accesses, 0);
    assert_int_equal(guest.vcpu.x[2], DATA + 0xffc);
    assert_int_equal(guest.vcpu.pc, VBAR + 0x200);
    assert_int_equal(sysreg_read(elr_el1), CODE + 0x10);
    assert_int_equal(sysreg_read(far_el1), DATA + 0x1000);
    assert_int_equal(sysreg_read(esr_el1), 0x96000047);
}

static void what_faults_at_stage_2_is_tried_again(void **state)
{
    (void)state;
    guest.unmapped[1] = guest.stage2 = true;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.vcpu.pc, CODE + 0x10);
    guest.unmapped[0] = true;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.vcpu.pc, CODE + 0x10);
    assert_int_equal(guest.accesses, 0);
}

static void a_second_page_that_faults_at_stage_2_does_not_trap_for_ever(void **state)
{
    (void)state;
    guest.unmapped[2] = guest.stage2 = true;
    guest.vcpu.x[2] = DATA + 0xffc;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.vcpu.pc, VBAR + 0x200);
}

static void translation_is_asked_with_the_rights_of_the_access(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LDTR_W1_X2), OK);
    assert_int_equal(guest.translations[AT_EL0_READ], 1);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate |= PSTATE_UAO;
    assert_int_equal(emulate(LDTR_W1_X2), OK);
    assert_int_equal(guest.translations[AT_EL1_READ], 1);
    guest.vcpu.pc = CODE + 0x10;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.translations[AT_EL1_WRITE], 1);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate = 0;
    assert_int_equal(emulate(STR_X1_X2_POST_8), OK);
    assert_int_equal(guest.translations[AT_EL0_WRITE], 1);
}

static void exclusives_and_aarch32_are_refused(void **state)
{
    (void)state;
    guest.vcpu.x[2] = DATA;
    assert_int_equal(emulate(LDXR_X1_X2), ERR_UNSUPPORTED);
    guest.vcpu.pstate = PSTATE_NRW;
    assert_int_equal(emulate(LDR_Q1_X2), ERR_UNSUPPORTED);
    assert_int_equal(guest.vcpu.pc, CODE + 0x10);
    assert_int_equal(guest.accesses, 0);
}

static void cache_maintenance_is_skipped(void **state)
{
    (void)state;
    guest.vcpu.esr = ISS_CM | ISS_WNR;
    assert_int_equal(emulate(0xd50b7a21), OK); /* dc cvac, x1 */
    assert_int_equal(guest.accesses, 0);
    assert_done();
}

/* The guest chooses instruction and registers: nothing may be overrun, whatever they are. */
static void any_instruction_is_carried_out_or_refused(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        for (unsigned r = 0; r < 31; r++)
            guest.vcpu.x[r] = r & 1 ? DATA + 0x1000 - r : seed >> 60;
        sysreg_write(sp_el1, DATA + 0xfc0 + (seed >> 58));
        guest.vcpu.pc = CODE + 0x10;
        guest.vcpu.pstate = PSTATE_EL1H;
        /* Bit 27 set, bit 25 clear: loads and stores. */
        emulate(((uint32_t)(seed >> 32) | 0x08000000) & ~0x02000000u);
    }
    assert_true(guest.accesses > 10000);
}

static void finish_read_extends_and_swaps_as_the_syndrome_says(void **state)
{
    static const struct {
        uint64_t esr, sctlr, value, expected;
    } cases[] = {
        { 2 << 22, 0, 0x1122334488776655, 0x88776655 },
        { 3 << 22 | ISS_SF, 0, 0x1122334488776655, 0x1122334488776655 },
        { 0 << 22, 0, 0x55f0, 0xf0 },
        { 1 << 22, 0, 0x1f0f0, 0xf0f0 },
        { ISS_SSE, 0, 0xf0, 0xfffffff0 },
        { ISS_SSE | ISS_SF, 0, 0xf0, 0xfffffffffffffff0 },
        { 2 << 22 | ISS_SSE | ISS_SF, 0, 0x80000000, 0xffffffff80000000 },
        { 2 << 22, SCTLR_EE, 0x11223344, 0x44332211 },
        { 1 << 22 | ISS_SSE, SCTLR_EE, 0x12f0, 0xfffff012 },
        { 2 << 22, SCTLR_E0E, 0x11223344, 0x11223344 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_up(state);
        sysreg_write(sctlr_el1, cases[i].sctlr);
        guest.vcpu.esr = cases[i].esr | FIELD_PREP(ISS_SRT, 5);
        hv_finish_read(&guest.vcpu, NULL, cases[i].value);
        assert_int_equal(guest.vcpu.x[5], cases[i].expected);
        assert_done();
    }
}

static void a_read_into_xzr_is_dropped(void **state)
{
    struct hv_vcpu before;

    (void)state;
    guest.vcpu.esr = 2 << 22 | FIELD_PREP(ISS_SRT, 31);
    before = guest.vcpu;
    hv_finish_read(&guest.vcpu, NULL, 0x1234);
    assert_memory_equal(guest.vcpu.x, before.x, sizeof(before.x));
    assert_done();
}

static void what_is_stored_has_the_syndromes_width(void **state)
{
    (void)state;
    guest.vcpu.x[5] = 0x1122334455667788;
    guest.vcpu.esr = 2 << 22 | FIELD_PREP(ISS_SRT, 5);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0x55667788);
    guest.vcpu.esr = 0 << 22 | FIELD_PREP(ISS_SRT, 5);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0x88);
    guest.vcpu.esr = 3 << 22 | FIELD_PREP(ISS_SRT, 31);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0);
    sysreg_write(sctlr_el1, SCTLR_EE);
    guest.vcpu.esr = 1 << 22 | FIELD_PREP(ISS_SRT, 5);
    assert_int_equal(arm64_write_value(&guest.vcpu), 0x8877);
}

static void a_skip_in_aarch32_advances_the_it_block(void **state)
{
    static const uint8_t steps[] = { 0x0f, 0x1e, 0x1c, 0x18, 0x00 }; /* EQ EQ NE NE */

    (void)state;
    guest.vcpu.pstate = PSTATE_NRW | PSTATE32_T;
    for (size_t i = 0; i + 1 < ARRAY_SIZE(steps); i++) {
        uint64_t it = steps[i];

        guest.vcpu.pstate &= ~(PSTATE32_IT_HIGH | PSTATE32_IT_LOW);
        guest.vcpu.pstate |=
            FIELD_PREP(PSTATE32_IT_HIGH, it >> 2) | FIELD_PREP(PSTATE32_IT_LOW, it & 3);
        guest.vcpu.pc = 0x1000;
        guest.vcpu.esr = i & 1 ? ESR_IL : 0;
        guest.vcpu.esr |= 2 << 22 | FIELD_PREP(ISS_SRT, 31);
        hv_finish_read(&guest.vcpu, NULL, 0);
        assert_int_equal(guest.vcpu.pc, i & 1 ? 0x1004 : 0x1002);
        assert_int_equal(FIELD_GET(PSTATE32_IT_HIGH, guest.vcpu.pstate) << 2 |
                             FIELD_GET(PSTATE32_IT_LOW, guest.vcpu.pstate),
                         steps[i + 1]);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pair_is_loaded),
        TEST(a_pair_is_stored_through_each_stack_pointer),
        TEST(words_of_a_pair_are_sign_extended),
        TEST(sign_extension_stops_at_the_registers_width),
        TEST(an_index_is_extended_and_shifted),
        TEST(simd_registers_are_loaded_and_stored),
        TEST(a_short_simd_load_clears_the_rest_of_the_register),
        TEST(a_lane_load_leaves_the_other_lanes),
        TEST(structures_are_taken_apart),
        TEST(structures_are_put_together),
        TEST(a_replicating_load_fills_the_lanes_of_its_width),
        TEST(a_big_endian_guest_has_each_element_swapped),
        TEST(el0_has_a_byte_order_of_its_own),
        TEST(an_access_across_pages_is_made_of_bytes_of_both),
        TEST(aligned_elements_in_two_pages_stay_whole),
        TEST(an_error_of_the_bus_changes_no_register),
        TEST(an_unmapped_second_page_is_the_guests_fault),
        TEST(what_faults_at_stage_2_is_tried_again),
        TEST(a_second_page_that_faults_at_stage_2_does_not_trap_for_ever),
        TEST(translation_is_asked_with_the_rights_of_the_access),
        TEST(exclusives_and_aarch32_are_refused),
        TEST(cache_maintenance_is_skipped),
        TEST(any_instruction_is_carried_out_or_refused),
        TEST(finish_read_extends_and_swaps_as_the_syndrome_says),
        TEST(a_read_into_xzr_is_dropped),
        TEST(what_is_stored_has_the_syndromes_width),
        TEST(a_skip_in_aarch32_advances_the_it_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
