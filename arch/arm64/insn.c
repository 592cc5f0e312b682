/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoder of A64 loads and stores: Arm ARM C4.1.94, a line of the table for each group of it.
 */
#include "arch/arm64/insn.h"

#include "arch/bits.h"

/* Where fields stand in most encodings. */
#define INSN_RT GENMASK(4, 0)
#define INSN_RN GENMASK(9, 5)
#define INSN_RT2 GENMASK(14, 10)
#define INSN_RM GENMASK(20, 16)
#define INSN_SIMD BIT(26)
#define INSN_SIZE GENMASK(31, 30)

static unsigned field(uint32_t word, unsigned high, unsigned low)
{
    return (unsigned)FIELD_GET(GENMASK(high, low), word);
}

static int32_t signed_field(uint32_t word, unsigned high, unsigned low)
{
    return (int32_t)(word << (31 - high)) >> (31 - high + low);
}

/* Base register and first register; one element of one register until told otherwise. */
static void start(uint32_t word, struct insn_access *out)
{
    *out = (struct insn_access){
        .count = 1,
        .lanes = 1,
        .width = 8,
        .reg = { (uint8_t)FIELD_GET(INSN_RT, word) },
        .base = (uint8_t)FIELD_GET(INSN_RN, word),
        .index = INSN_ZERO,
        .extend = EXTEND_UXTX,
        .index_increment = INSN_ZERO,
        .simd = word & INSN_SIMD,
    };
}

enum addressing { ADDRESS_OFFSET, ADDRESS_POST, ADDRESS_PRE };

static void set_offset(struct insn_access *out, enum addressing mode, int32_t offset)
{
    out->offset = mode == ADDRESS_POST ? 0 : offset;
    out->writeback = mode != ADDRESS_OFFSET;
    out->increment = out->writeback ? offset : 0;
}

/*
 * Pairs: LDP, STP, LDPSW, LDNP, STNP
 *     31:30 29:27 26 25:23 22 21:15 14:10 9:5 4:0
 *     opc   101   V  mode  L  imm7  Rt2   Rn  Rt
 */
static status_t decode_pair(uint32_t word, struct insn_access *out)
{
    enum { NO_ALLOCATE, POST, OFFSET, PRE };
    static const enum addressing addressing[] = {
        [NO_ALLOCATE] = ADDRESS_OFFSET,
        [POST] = ADDRESS_POST,
        [OFFSET] = ADDRESS_OFFSET,
        [PRE] = ADDRESS_PRE,
    };
    unsigned opc = field(word, 31, 30), mode = field(word, 24, 23);

    out->store = !field(word, 22, 22);
    if (opc == 3)
        return ERR_UNSUPPORTED;
    if (out->simd) {
        out->size = (uint8_t)(4 << opc);
    } else {
        out->sign_extend = opc == 1;
        if (out->sign_extend && (out->store || mode == NO_ALLOCATE)) /* STGP, none */
            return ERR_UNSUPPORTED;
        out->size = opc == 2 ? 8 : 4;
        out->width = opc == 0 ? 4 : 8;
    }
    out->count = 2;
    out->reg[1] = (uint8_t)FIELD_GET(INSN_RT2, word);
    set_offset(out, addressing[mode], signed_field(word, 21, 15) * out->size);
    return OK;
}

/* LDR (literal): opc 011 V 00 imm19 Rt. */
static status_t decode_literal(uint32_t word, struct insn_access *out)
{
    unsigned opc = field(word, 31, 30);

    if (opc == 3) /* PRFM, none */
        return ERR_UNSUPPORTED;
    if (out->simd) {
        out->size = (uint8_t)(4 << opc);
    } else {
        out->sign_extend = opc == 2;
        out->size = opc == 1 ? 8 : 4;
        out->width = opc == 0 ? 4 : 8;
    }
    out->base = INSN_BASE_PC;
    out->offset = signed_field(word, 23, 5) * 4;
    return OK;
}

/*
 * Size and direction of the single-register forms.
 *     general: opc 0 store, 1 load, 2 load signed to 64 bits, 3 load signed to 32 bits
 *     SIMD:    opc<0> load; opc<1> with size 0: 16 bytes
 */
static status_t decode_size_opc(uint32_t word, struct insn_access *out)
{
    unsigned size = field(word, 31, 30), opc = field(word, 23, 22);

    if (out->simd) {
        if (opc >= 2 && size != 0)
            return ERR_UNSUPPORTED;
        out->size = (uint8_t)(opc >= 2 ? 16 : 1 << size);
        out->store = !(opc & 1);
        return OK;
    }
    if (size + opc >= 5) /* PRFM, none */
        return ERR_UNSUPPORTED;
    out->size = (uint8_t)(1 << size);
    out->store = opc == 0;
    out->sign_extend = opc >= 2;
    out->width = opc == 2 || size == 3 ? 8 : 4;
    return OK;
}

/* LDUR, STUR (00), post-index (01), LDTR, STTR (10), pre-index (11): imm9 at 20:12. */
static status_t decode_imm9(uint32_t word, struct insn_access *out)
{
    enum { UNSCALED, POST, UNPRIVILEGED, PRE };
    static const enum addressing addressing[] = {
        [UNSCALED] = ADDRESS_OFFSET,
        [POST] = ADDRESS_POST,
        [UNPRIVILEGED] = ADDRESS_OFFSET,
        [PRE] = ADDRESS_PRE,
    };
    unsigned mode = field(word, 11, 10);

    out->user = mode == UNPRIVILEGED;
    if (out->user && out->simd)
        return ERR_UNSUPPORTED;
    set_offset(out, addressing[mode], signed_field(word, 20, 12));
    return decode_size_opc(word, out);
}

/* LDR, STR (unsigned immediate): imm12 at 21:10, in elements. */
static status_t decode_imm12(uint32_t word, struct insn_access *out)
{
    status_t status = decode_size_opc(word, out);

    out->offset = (int32_t)field(word, 21, 10) * out->size;
    return status;
}

/* LDR, STR (register): Rm at 20:16, option at 15:13, S at 12. */
static status_t decode_register(uint32_t word, struct insn_access *out)
{
    status_t status = decode_size_opc(word, out);

    out->index = (uint8_t)FIELD_GET(INSN_RM, word);
    out->extend = (uint8_t)field(word, 15, 13);
    if (field(word, 12, 12))
        out->shift = (uint8_t)__builtin_ctz(out->size | 0x100u);
    return out->extend & 2 ? status : ERR_UNSUPPORTED;
}

/* LDAR, LDLAR, STLR, STLLR: size 001000 1 L 0. */
static status_t decode_ordered(uint32_t word, struct insn_access *out)
{
    out->size = (uint8_t)(1 << field(word, 31, 30));
    out->store = !field(word, 22, 22);
    out->width = out->size == 8 ? 8 : 4;
    return OK;
}

static status_t decode_ldapr(uint32_t word, struct insn_access *out)
{
    out->size = (uint8_t)(1 << field(word, 31, 30));
    out->width = out->size == 8 ? 8 : 4;
    return OK;
}

/* LDAPUR, STLUR: as LDUR and STUR. */
static status_t decode_ordered_imm9(uint32_t word, struct insn_access *out)
{
    out->offset = signed_field(word, 20, 12);
    return decode_size_opc(word, out);
}

/* Registers after the first one, and post-indexing, of the SIMD structure instructions. */
static void finish_structure(uint32_t word, unsigned count, struct insn_access *out)
{
    out->simd = true;
    out->store = !field(word, 22, 22);
    out->count = (uint8_t)count;
    for (unsigned i = 1; i < count; i++)
        out->reg[i] = (out->reg[0] + i) % 32;
    out->writeback = field(word, 23, 23);
    if (!out->writeback)
        return;
    out->index_increment = (uint8_t)FIELD_GET(INSN_RM, word);
    if (out->index_increment == INSN_ZERO)
        out->increment = out->count * out->lanes * out->size;
}

/*
 * LD1 to LD4, ST1 to ST4, whole registers:
 *     30 29:24  23   22 21 20:16 15:12  11:10 9:5 4:0
 *     Q  001100 post L  0  Rm    opcode size  Rn  Rt
 */
static status_t decode_multiple(uint32_t word, struct insn_access *out)
{
    static const struct {
        uint8_t count;
        bool interleaved;
    } opcodes[16] = {
        [0x0] = { 4, true },  [0x4] = { 3, true },  [0x8] = { 2, true },  [0x7] = { 1, false },
        [0x2] = { 4, false }, [0x6] = { 3, false }, [0xa] = { 2, false },
    };
    unsigned opcode = field(word, 15, 12);
    unsigned bytes = field(word, 30, 30) ? 16 : 8;

    out->size = (uint8_t)(1 << field(word, 11, 10));
    out->lanes = (uint8_t)(bytes / out->size);
    out->interleaved = opcodes[opcode].interleaved;
    if (opcodes[opcode].count == 0 || (out->interleaved && out->lanes == 1))
        return ERR_UNSUPPORTED;
    finish_structure(word, opcodes[opcode].count, out);
    return OK;
}

/*
 * LD1 to LD4, ST1 to ST4, one lane of each register, and LD1R to LD4R:
 *     30 29:24  23   22 21 20:16 15:14 13 12 11:10 9:5 4:0
 *     Q  001101 post L  R  Rm    scale o  S  size  Rn  Rt      o:R + 1 registers
 *
 * Q:S:size is the lane, in bytes; the bits of it below an element's size must be 0, but that
 * scale 2 with size 1 means 8 bytes.
 */
static status_t decode_lane(uint32_t word, struct insn_access *out)
{
    unsigned scale = field(word, 15, 14), size = field(word, 11, 10), s = field(word, 12, 12);
    unsigned lane = field(word, 30, 30) << 3 | s << 2 | size;
    unsigned count = 1 + (field(word, 13, 13) << 1 | field(word, 21, 21));

    if (scale == 3) {
        if (s || !field(word, 22, 22))
            return ERR_UNSUPPORTED;
        out->replicate = true;
        out->width = lane & 8 ? 16 : 8;
        out->size = (uint8_t)(1 << size);
        finish_structure(word, count, out);
        return OK;
    }
    if (scale == 2 && size == 1) {
        scale = 3;
        lane &= ~1u;
    }
    if (lane & ((1u << scale) - 1))
        return ERR_UNSUPPORTED;
    out->size = (uint8_t)(1 << scale);
    out->lane = (uint8_t)(lane >> scale);
    out->merge = true;
    finish_structure(word, count, out);
    return OK;
}

/* clang-format off */
static const struct {
    uint32_t mask, value;
    status_t (*decode)(uint32_t word, struct insn_access *out);
} groups[] = {
    { 0x3b200c00, 0x38000000, decode_imm9 },         /* LDUR, STUR */
    { 0x3b200c00, 0x38000400, decode_imm9 },         /* post-index */
    { 0x3b200c00, 0x38000800, decode_imm9 },         /* LDTR, STTR */
    { 0x3b200c00, 0x38000c00, decode_imm9 },         /* pre-index */
    { 0x3b200c00, 0x38200800, decode_register },
    { 0x3b000000, 0x39000000, decode_imm12 },
    { 0x3a000000, 0x28000000, decode_pair },
    { 0x3b000000, 0x18000000, decode_literal },
    { 0x3fa00000, 0x08800000, decode_ordered },      /* LDAR, STLR */
    { 0x3ffffc00, 0x38bfc000, decode_ldapr },
    { 0x3f200c00, 0x19000000, decode_ordered_imm9 }, /* LDAPUR, STLUR */
    { 0xbfbf0000, 0x0c000000, decode_multiple },
    { 0xbfa00000, 0x0c800000, decode_multiple },     /* post-index */
    { 0xbf9f0000, 0x0d000000, decode_lane },
    { 0xbf800000, 0x0d800000, decode_lane },         /* post-index */
};
/* clang-format on */

status_t insn_decode(uint32_t word, struct insn_access *out)
{
    start(word, out);
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
        if ((word & groups[i].mask) == groups[i].value)
            return groups[i].decode(word, out);
    return ERR_UNSUPPORTED;
}
