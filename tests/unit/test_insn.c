/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder against what an assembler makes: each line has the word, what it was assembled
 * from, and what it must be decoded into, written as describe() below writes it.
 */
#include "arch/arm64/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "arch/bits.h"

struct line {
    uint32_t word;
    const char *text;
    const char *meaning;
};

/* clang-format off */
static const struct line lines[] = {
    { 0xf9401041, "ldr x1, [x2, #32]", "load r1 8B to64 at r2+32" },
    { 0xb9402041, "ldr w1, [x2, #32]", "load r1 4B to32 at r2+32" },
    { 0x79400c41, "ldrh w1, [x2, #6]", "load r1 2B to32 at r2+6" },
    { 0x397fffe1, "ldrb w1, [sp, #4095]", "load r1 1B to32 at sp+4095" },
    { 0xf93fffbe, "str x30, [x29, #32760]", "store r30 8B at r29+32760" },
    { 0xb900005f, "str wzr, [x2]", "store r31 4B at r2" },
    { 0x79000443, "strh w3, [x2, #2]", "store r3 2B at r2+2" },
    { 0x39000043, "strb w3, [x2]", "store r3 1B at r2" },
    { 0x39800441, "ldrsb x1, [x2, #1]", "load r1 1B signed to64 at r2+1" },
    { 0x39c00441, "ldrsb w1, [x2, #1]", "load r1 1B signed to32 at r2+1" },
    { 0x79800441, "ldrsh x1, [x2, #2]", "load r1 2B signed to64 at r2+2" },
    { 0x79c00441, "ldrsh w1, [x2, #2]", "load r1 2B signed to32 at r2+2" },
    { 0xb9800441, "ldrsw x1, [x2, #4]", "load r1 4B signed to64 at r2+4" },
    { 0xf8408441, "ldr x1, [x2], #8", "load r1 8B to64 at r2 wb+8" },
    { 0xf85f8c41, "ldr x1, [x2, #-8]!", "load r1 8B to64 at r2-8 wb-8" },
    { 0xb81007e1, "str w1, [sp], #-256", "store r1 4B at sp wb-256" },
    { 0x380ffc41, "strb w1, [x2, #255]!", "store r1 1B at r2+255 wb+255" },
    { 0xb8804441, "ldrsw x1, [x2], #4", "load r1 4B signed to64 at r2 wb+4" },
    { 0x78c02c41, "ldrsh w1, [x2, #2]!", "load r1 2B signed to32 at r2+2 wb+2" },
    { 0xf85fd041, "ldur x1, [x2, #-3]", "load r1 8B to64 at r2-3" },
    { 0x78101041, "sturh w1, [x2, #-255]", "store r1 2B at r2-255" },
    { 0x38dff041, "ldursb w1, [x2, #-1]", "load r1 1B signed to32 at r2-1" },
    { 0xb8404841, "ldtr w1, [x2, #4]", "load user r1 4B to32 at r2+4" },
    { 0xf81f8841, "sttr x1, [x2, #-8]", "store user r1 8B at r2-8" },
    { 0x38800841, "ldtrsb x1, [x2]", "load user r1 1B signed to64 at r2" },
    { 0xf8636841, "ldr x1, [x2, x3]", "load r1 8B to64 at r2+r3 uxtx0" },
    { 0xf8637841, "ldr x1, [x2, x3, lsl #3]", "load r1 8B to64 at r2+r3 uxtx3" },
    { 0xb8635841, "ldr w1, [x2, w3, uxtw #2]", "load r1 4B to32 at r2+r3 uxtw2" },
    { 0x7823d841, "strh w1, [x2, w3, sxtw #1]", "store r1 2B at r2+r3 sxtw1" },
    { 0x3823e841, "strb w1, [x2, x3, sxtx]", "store r1 1B at r2+r3 sxtx0" },
    { 0xb8a3f841, "ldrsw x1, [x2, x3, sxtx #2]", "load r1 4B signed to64 at r2+r3 sxtx2" },
    { 0x3ce37841, "ldr q1, [x2, x3, lsl #4]", "load v1 16B at r2+r3 uxtx4" },
    { 0x587fffe1, "ldr x1, .+1048572", "load r1 8B to64 at pc+1048572" },
    { 0x18800001, "ldr w1, .-1048576", "load r1 4B to32 at pc-1048576" },
    { 0x98000021, "ldrsw x1, .+4", "load r1 4B signed to64 at pc+4" },
    { 0x1c000021, "ldr s1, .+4", "load v1 4B at pc+4" },
    { 0x5c000041, "ldr d1, .+8", "load v1 8B at pc+8" },
    { 0x9c000081, "ldr q1, .+16", "load v1 16B at pc+16" },
    { 0xa9410861, "ldp x1, x2, [x3, #16]", "load r1 r2 8B to64 at r3+16" },
    { 0x29600861, "ldp w1, w2, [x3, #-256]", "load r1 r2 4B to32 at r3-256" },
    { 0xa9bf7fe1, "stp x1, xzr, [sp, #-16]!", "store r1 r31 8B at sp-16 wb-16" },
    { 0xa8dffbfd, "ldp x29, x30, [sp], #504", "load r29 r30 8B to64 at sp wb+504" },
    { 0x28810861, "stp w1, w2, [x3], #8", "store r1 r2 4B at r3 wb+8" },
    { 0x69c08861, "ldpsw x1, x2, [x3, #4]!", "load r1 r2 4B signed to64 at r3+4 wb+4" },
    { 0x697f8861, "ldpsw x1, x2, [x3, #-4]", "load r1 r2 4B signed to64 at r3-4" },
    { 0xa8408861, "ldnp x1, x2, [x3, #8]", "load r1 r2 8B to64 at r3+8" },
    { 0x28000861, "stnp w1, w2, [x3]", "store r1 r2 4B at r3" },
    { 0x2d408861, "ldp s1, s2, [x3, #4]", "load v1 v2 4B at r3+4" },
    { 0x6dbf8861, "stp d1, d2, [x3, #-8]!", "store v1 v2 8B at r3-8 wb-8" },
    { 0xace00be1, "ldp q1, q2, [sp], #-1024", "load v1 v2 16B at sp wb-1024" },
    { 0xac008861, "stnp q1, q2, [x3, #16]", "store v1 v2 16B at r3+16" },
    { 0x3d400c41, "ldr b1, [x2, #3]", "load v1 1B at r2+3" },
    { 0x7d400c41, "ldr h1, [x2, #6]", "load v1 2B at r2+6" },
    { 0xbd000c41, "str s1, [x2, #12]", "store v1 4B at r2+12" },
    { 0xfd000c5f, "str d31, [x2, #24]", "store v31 8B at r2+24" },
    { 0x3dfffc41, "ldr q1, [x2, #65520]", "load v1 16B at r2+65520" },
    { 0x3c810441, "str q1, [x2], #16", "store v1 16B at r2 wb+16" },
    { 0x3cdf0c41, "ldr q1, [x2, #-16]!", "load v1 16B at r2-16 wb-16" },
    { 0x3c801041, "stur q1, [x2, #1]", "store v1 16B at r2+1" },
    { 0x3c5ff041, "ldur b1, [x2, #-1]", "load v1 1B at r2-1" },
    { 0x88dffc41, "ldar w1, [x2]", "load r1 4B to32 at r2" },
    { 0xc8dfffe1, "ldar x1, [sp]", "load r1 8B to64 at sp" },
    { 0x08dffc41, "ldarb w1, [x2]", "load r1 1B to32 at r2" },
    { 0x489ffc41, "stlrh w1, [x2]", "store r1 2B at r2" },
    { 0xc89ffc41, "stlr x1, [x2]", "store r1 8B at r2" },
    { 0xc8df7c41, "ldlar x1, [x2]", "load r1 8B to64 at r2" },
    { 0x089f7c41, "stllrb w1, [x2]", "store r1 1B at r2" },
    { 0xb8bfc041, "ldapr w1, [x2]", "load r1 4B to32 at r2" },
    { 0x38bfc041, "ldaprb w1, [x2]", "load r1 1B to32 at r2" },
    { 0xf8bfc041, "ldapr x1, [x2]", "load r1 8B to64 at r2" },
    { 0xd95f8041, "ldapur x1, [x2, #-8]", "load r1 8B to64 at r2-8" },
    { 0x59002041, "stlurh w1, [x2, #2]", "store r1 2B at r2+2" },
    { 0x19c00041, "ldapursb w1, [x2]", "load r1 1B signed to32 at r2" },
    { 0x99804041, "ldapursw x1, [x2, #4]", "load r1 4B signed to64 at r2+4" },
    { 0x4c407041, "ld1 {v1.16b}, [x2]", "load v1 1B x16 at r2" },
    { 0x0c40a041, "ld1 {v1.8b-v2.8b}, [x2]", "load v1 v2 1B x8 at r2" },
    { 0x4c9f6bff, "st1 {v31.4s, v0.4s, v1.4s}, [sp], #48", "store v31 v0 v1 4B x4 at sp wb+48" },
    { 0x0cc32c41, "ld1 {v1.1d-v4.1d}, [x2], x3", "load v1 v2 v3 v4 8B x1 at r2 wb+r3" },
    { 0x4c408441, "ld2 {v1.8h-v2.8h}, [x2]", "load v1 v2 2B x8 interleaved at r2" },
    { 0x0c9f4841, "st3 {v1.2s-v3.2s}, [x2], #24", "store v1 v2 v3 4B x2 interleaved at r2 wb+24" },
    { 0x4cc50c41, "ld4 {v1.2d-v4.2d}, [x2], x5", "load v1 v2 v3 v4 8B x2 interleaved at r2 wb+r5" },
    { 0x4d401c41, "ld1 {v1.b}[15], [x2]", "load v1 1B lane15 merge at r2" },
    { 0x4ddf4841, "ld1 {v1.h}[5], [x2], #2", "load v1 2B lane5 merge at r2 wb+2" },
    { 0x4d009041, "st1 {v1.s}[3], [x2]", "store v1 4B lane3 merge at r2" },
    { 0x4d848441, "st1 {v1.d}[1], [x2], x4", "store v1 8B lane1 merge at r2 wb+r4" },
    { 0x4d608041, "ld2 {v1.s-v2.s}[2], [x2]", "load v1 v2 4B lane2 merge at r2" },
    { 0x0d9f3c41, "st3 {v1.b-v3.b}[7], [x2], #3", "store v1 v2 v3 1B lane7 merge at r2 wb+3" },
    { 0x0dffa45e, "ld4 {v30.d, v31.d, v0.d, v1.d}[0], [x2], #32",
      "load v30 v31 v0 v1 8B lane0 merge at r2 wb+32" },
    { 0x0d40c041, "ld1r {v1.8b}, [x2]", "load v1 1B all8 at r2" },
    { 0x4ddfcc41, "ld1r {v1.2d}, [x2], #8", "load v1 8B all16 at r2 wb+8" },
    { 0x0dc3e441, "ld3r {v1.4h-v3.4h}, [x2], x3", "load v1 v2 v3 2B all8 at r2 wb+r3" },
    { 0xc85f7c41, "ldxr x1, [x2]", "unsupported" },
    { 0xc8037c41, "stxr w3, x1, [x2]", "unsupported" },
    { 0xc87f8861, "ldaxp x1, x2, [x3]", "unsupported" },
    { 0xf8210062, "ldadd x1, x2, [x3]", "unsupported" },
    { 0xb8e18062, "swpal w1, w2, [x3]", "unsupported" },
    { 0xc8a17c62, "cas x1, x2, [x3]", "unsupported" },
    { 0x48227cc4, "casp x2, x3, x4, x5, [x6]", "unsupported" },
    { 0xf9800440, "prfm pldl1keep, [x2, #8]", "unsupported" },
    { 0xf89f8040, "prfum pldl1keep, [x2, #-8]", "unsupported" },
    { 0xf8a36840, "prfm pldl1keep, [x2, x3]", "unsupported" },
    { 0xd8000040, "prfm pldl1keep, .+8", "unsupported" },
    { 0x69000861, "stgp x1, x2, [x3]", "unsupported" },
    { 0xd9200841, "stg x1, [x2]", "unsupported" },
    { 0xf8201441, "ldraa x1, [x2, #8]", "unsupported" },
    { 0xd50b7421, "dc zva, x1", "unsupported" },
    { 0x8b030041, "add x1, x2, x3", "unsupported" },
    { 0xd65f03c0, "ret", "unsupported" },
};
/* clang-format on */

/* Not allocated, so no assembler makes them. */
static const uint32_t unallocated[] = {
    0x00000000, 0xffffffff, 0xd503201f, /* the last one: NOP */
    0xe9400000,                         /* pair, opc 3 */
    0xe8400000, 0xec400000, 0x68400000, /* pairs without allocation: opc 3, LDPSW */
    0x68000000,                         /* STP of words, signed */
    0xf9c00000, 0xb9c00000,             /* loads signed to 32 bits of 8 and 4 bytes */
    0x7dc00000, 0xfd800000,             /* SIMD, opc<1> with a size */
    0x38600800, 0x38208800,             /* register offset, option 0 */
    0x3c000800,                         /* LDTR of SIMD */
    0x0c408c00, 0x0c400c00,             /* LD2, LD4 of one 8-byte lane */
    0x0c401000, 0x0c40f000,             /* structures, opcodes without a meaning */
    0x0d404400, 0x0d408800, 0x0d409400, /* lanes: H with size 1, S with size 2, D with S */
    0x0d00c000, 0x0d40d000,             /* LD1R as a store, with S */
};

static int put_registers(char *to, size_t room, const struct insn_access *insn)
{
    int used = 0;

    for (unsigned i = 0; i < insn->count; i++)
        used +=
            snprintf(to + used, room - (size_t)used, " %c%u", insn->simd ? 'v' : 'r', insn->reg[i]);
    return used;
}

static int put_shape(char *to, size_t room, const struct insn_access *insn)
{
    int used = snprintf(to, room, " %uB", insn->size);

    if (insn->sign_extend)
        used += snprintf(to + used, room - (size_t)used, " signed");
    if (!insn->simd && !insn->store)
        used += snprintf(to + used, room - (size_t)used, " to%u", 8u * insn->width);
    return used;
}

/* Of the SIMD structure instructions. `structure`: the shape is to be told. */
static int put_lanes(char *to, size_t room, const struct insn_access *insn, bool structure)
{
    int used = 0;

    to[0] = 0;
    if (insn->merge)
        used += snprintf(to + used, room - (size_t)used, " lane%u merge", insn->lane);
    else if (insn->replicate)
        used += snprintf(to + used, room - (size_t)used, " all%u", insn->width);
    else if (structure)
        used += snprintf(to + used, room - (size_t)used, " x%u", insn->lanes);
    if (insn->interleaved)
        used += snprintf(to + used, room - (size_t)used, " interleaved");
    return used;
}

static int put_base(char *to, size_t room, const struct insn_access *insn)
{
    if (insn->base == INSN_BASE_PC)
        return snprintf(to, room, " at pc");
    if (insn->base == 31)
        return snprintf(to, room, " at sp");
    return snprintf(to, room, " at r%u", insn->base);
}

static int put_address(char *to, size_t room, const struct insn_access *insn)
{
    static const char *const extends[] = {
        [EXTEND_UXTW] = "uxtw",
        [EXTEND_UXTX] = "uxtx",
        [EXTEND_SXTW] = "sxtw",
        [EXTEND_SXTX] = "sxtx",
    };
    int used = put_base(to, room, insn);

    if (insn->offset)
        used += snprintf(to + used, room - (size_t)used, "%+d", insn->offset);
    if (insn->index != INSN_ZERO)
        used += snprintf(to + used, room - (size_t)used, "+r%u %s%u", insn->index,
                         extends[insn->extend], insn->shift);
    if (insn->writeback && insn->index_increment != INSN_ZERO)
        used += snprintf(to + used, room - (size_t)used, " wb+r%u", insn->index_increment);
    else if (insn->writeback)
        used += snprintf(to + used, room - (size_t)used, " wb%+d", insn->increment);
    return used;
}

static void describe(uint32_t word, char *to, size_t room)
{
    bool structure = (word & 0xbe000000) == 0x0c000000;
    struct insn_access insn;
    int used;

    if (insn_decode(word, &insn) != OK) {
        snprintf(to, room, "unsupported");
        return;
    }
    used = snprintf(to, room, "%s%s", insn.store ? "store" : "load", insn.user ? " user" : "");
    used += put_registers(to + used, room - (size_t)used, &insn);
    used += put_shape(to + used, room - (size_t)used, &insn);
    used += put_lanes(to + used, room - (size_t)used, &insn, structure);
    put_address(to + used, room - (size_t)used, &insn);
}

static void every_line_is_decoded_into_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char meaning[128];

        describe(lines[i].word, meaning, sizeof(meaning));
        if (strcmp(meaning, lines[i].meaning) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", lines[i].text, meaning, lines[i].meaning);
    }
}

static void what_is_not_allocated_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(unallocated); i++) {
        struct insn_access insn;

        if (insn_decode(unallocated[i], &insn) != ERR_UNSUPPORTED)
            fail_msg("0x%08x is taken for an instruction", unallocated[i]);
    }
}

static void assert_is_sane(uint32_t word, const struct insn_access *insn)
{
    unsigned bytes = (unsigned)insn->count * insn->lanes * insn->size;
    unsigned room = insn->simd ? 16 : 8;
    bool sane =
        insn->count >= 1 && insn->count <= 4 && is_power_of_two(insn->size) && bytes >= 1 &&
        bytes <= INSN_MAX_BYTES && (unsigned)(insn->lane + insn->lanes) * insn->size <= room &&
        insn->width <= room && insn->base <= INSN_BASE_PC && insn->index <= 31 &&
        insn->index_increment <= 31 && insn->shift <= 4 && (insn->extend & 2) &&
        !(insn->writeback && insn->base == INSN_BASE_PC) && !(insn->store && insn->replicate);

    for (unsigned i = 0; i < insn->count && i < 4; i++)
        sane = sane && insn->reg[i] <= 31;
    if (!sane)
        fail_msg("0x%08x is decoded out of bounds", word);
}

/* The guest chooses the word: whatever it is, what comes out stays within its bounds. */
static void any_word_is_decoded_within_bounds(void **state)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned decoded = 0;

    (void)state;
    for (unsigned i = 0; i < 2000000; i++) {
        struct insn_access insn;
        uint32_t word;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        word = (uint32_t)(seed >> 32);
        /* Bit 27 set, bit 25 clear: the space of loads and stores. */
        word = i & 1 ? word : (word | 0x08000000) & ~0x02000000u;
        if (insn_decode(word, &insn) == OK) {
            assert_is_sane(word, &insn);
            decoded++;
        }
    }
    assert_true(decoded > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_decoded_into_its_meaning),
        cmocka_unit_test(what_is_not_allocated_is_refused),
        cmocka_unit_test(any_word_is_decoded_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
