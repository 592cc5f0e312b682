/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: prefixes, opcode, ModRM and SIB, displacement, immediate, in that order.
 */
#include "arch/x86/emulate/insn.h"

#include "arch/bits.h"
#include "arch/x86/emulate/insn_table.h"

#define REX_W BIT(3)
#define REX_R BIT(2)
#define REX_X BIT(1)
#define REX_B BIT(0)

struct decoder {
    const uint8_t *bytes;
    unsigned available, at;
    bool ended; /* a byte was wanted that is not there */
    enum insn_mode mode;
    bool prefix_66, prefix_67;
    uint8_t rex;
    uint8_t segment; /* SEG_COUNT: no override */
    uint8_t modrm;
    uint8_t map; /* behind 0F: 1; 0F 38: 2 */
};

static uint8_t next(struct decoder *d)
{
    if (d->at < d->available)
        return d->bytes[d->at++];
    d->ended = true;
    return 0;
}

static uint8_t peek(struct decoder *d)
{
    return d->at < d->available ? d->bytes[d->at] : 0;
}

/* Little-endian, sign-extended; `bytes` 0 to 8. */
static int64_t next_signed(struct decoder *d, unsigned bytes)
{
    uint64_t value = 0;
    unsigned unused = 64 - 8 * bytes;

    if (bytes == 0)
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)next(d) << (8 * i);
    return (int64_t)(value << unused) >> unused;
}

/* --- prefixes --- */

/* In 64-bit mode, ES, CS, SS and DS overrides do nothing. */
static void override_segment(struct decoder *d, enum x86_segment segment)
{
    if (d->mode != INSN_MODE_64 || segment >= SEG_FS)
        d->segment = (uint8_t)segment;
}

static void take_prefix(struct decoder *d, uint8_t byte, struct insn *out)
{
    d->rex = 0; /* counts only directly before the opcode */
    switch (byte) {
    case 0x26: override_segment(d, SEG_ES); break;
    case 0x2e: override_segment(d, SEG_CS); break;
    case 0x36: override_segment(d, SEG_SS); break;
    case 0x3e: override_segment(d, SEG_DS); break;
    case 0x64: override_segment(d, SEG_FS); break;
    case 0x65: override_segment(d, SEG_GS); break;
    case 0x66: d->prefix_66 = true; break;
    case 0x67: d->prefix_67 = true; break;
    case 0xf0: out->lock = true; break;
    case 0xf2: out->repeat = REPEAT_F2; break;
    case 0xf3: out->repeat = REPEAT_F3; break;
    default: d->rex = byte; break;
    }
}

/* Returns the first byte behind them. */
static uint8_t take_prefixes(struct decoder *d, struct insn *out)
{
    for (;;) {
        const uint8_t byte = next(d);
        const bool is_rex = (byte & 0xf0) == 0x40;

        if (!(insn_one_byte[byte].flags & OPCODE_PREFIX) || (is_rex && d->mode != INSN_MODE_64))
            return byte;
        take_prefix(d, byte, out);
    }
}

static void set_sizes(const struct decoder *d, struct insn *out)
{
    const bool wide = d->mode != INSN_MODE_16;

    out->rex = d->rex != 0;
    out->size = wide != d->prefix_66 ? 4 : 2;
    if (d->rex & REX_W)
        out->size = 8;
    out->address_size = wide != d->prefix_67 ? 4 : 2;
    if (d->mode == INSN_MODE_64)
        out->address_size = d->prefix_67 ? 4 : 8;
}

/* --- opcodes --- */

static const struct insn_opcode modrm_only = { .flags = OPCODE_MODRM };
static const struct insn_opcode modrm_imm8 = { .flags = OPCODE_MODRM, .immediate = IMM_8 };
static const struct insn_opcode modrm_imm32 = { .flags = OPCODE_MODRM, .immediate = IMM_32 };
static const struct insn_opcode opcode_only = { .flags = 0 };
static const struct insn_opcode invalid = { .flags = OPCODE_INVALID };

/* XOP is where POP's group has no members, VEX and EVEX where LES, LDS and BOUND have none. */
static bool is_vector_prefix(struct decoder *d, uint8_t byte)
{
    if (byte == 0x8f)
        return (peek(d) & 0x18) != 0;
    return d->mode == INSN_MODE_64 || peek(d) >= 0xc0;
}

/* Lengths only: what follows an opcode in each of the maps. */
static const struct insn_opcode *vector_opcode(struct decoder *d, uint8_t prefix)
{
    const unsigned payload = prefix == 0x62 ? 3 : prefix == 0xc5 ? 1 : 2;
    const unsigned first = next(d);
    const unsigned map = prefix == 0xc5 ? 1 : first & (prefix == 0x62 ? 7 : 0x1f);
    unsigned opcode;

    for (unsigned i = 1; i < payload; i++)
        next(d);
    opcode = next(d);
    if ((prefix == 0x8f) != (map >= 8))
        return &invalid;
    switch (map) {
    case 1:
        if (opcode == 0x77 && prefix != 0x62) /* VZEROUPPER, VZEROALL */
            return &opcode_only;
        return insn_two_byte[opcode].immediate == IMM_8 ? &modrm_imm8 : &modrm_only;
    case 2:
    case 9: return &modrm_only;
    case 3:
    case 8: return &modrm_imm8;
    case 5:
    case 6: return prefix == 0x62 ? &modrm_only : &invalid;
    case 10: return &modrm_imm32;
    default: return &invalid;
    }
}

/* Behind 0F 38. F2 makes CRC32 of the two opcodes that are emulated. */
static const struct insn_opcode *opcode_0f38(uint8_t opcode, const struct insn *insn)
{
    static const struct insn_opcode movbe[] = {
        { OPCODE_MODRM, IMM_NONE, INSN_MOVBE, FORM_REG_RM },
        { OPCODE_MODRM, IMM_NONE, INSN_MOVBE, FORM_RM_REG },
    };

    if ((opcode == 0xf0 || opcode == 0xf1) && insn->repeat != REPEAT_F2)
        return &movbe[opcode & 1];
    return &modrm_only;
}

/* Behind 0F. With 66 or F2, 78 is EXTRQ or INSERTQ with two immediate bytes. */
static const struct insn_opcode *opcode_0f(struct decoder *d, struct insn *out)
{
    static const struct insn_opcode modrm_imm16 = { .flags = OPCODE_MODRM, .immediate = IMM_16 };

    out->opcode = next(d);
    d->map = 1;
    if (out->opcode == 0x38) {
        out->opcode = next(d);
        d->map = 2;
        return opcode_0f38(out->opcode, out);
    }
    if (out->opcode == 0x3a) {
        out->opcode = next(d);
        d->map = 0;
        return &modrm_imm8;
    }
    if (out->opcode == 0x78 && (d->prefix_66 || out->repeat == REPEAT_F2))
        return &modrm_imm16;
    return &insn_two_byte[out->opcode];
}

static const struct insn_opcode *find_opcode(struct decoder *d, uint8_t byte, struct insn *out)
{
    out->opcode = byte;
    if (byte == 0x0f)
        return opcode_0f(d, out);
    if (insn_one_byte[byte].flags & OPCODE_VECTOR && is_vector_prefix(d, byte))
        return vector_opcode(d, byte);
    return &insn_one_byte[byte];
}

/* --- operands --- */

static void decode_address_16(struct decoder *d, struct insn *out)
{
    static const struct {
        uint8_t base, index;
    } forms[8] = {
        { GPR_RBX, GPR_RSI },   { GPR_RBX, GPR_RDI },   { GPR_RBP, GPR_RSI },
        { GPR_RBP, GPR_RDI },   { GPR_RSI, INSN_NONE }, { GPR_RDI, INSN_NONE },
        { GPR_RBP, INSN_NONE }, { GPR_RBX, INSN_NONE },
    };
    const unsigned mod = d->modrm >> 6, rm = d->modrm & 7;

    out->base = forms[rm].base;
    out->index = forms[rm].index;
    if (mod == 0 && rm == 6) {
        out->base = INSN_NONE;
        out->displacement = next_signed(d, 2);
    } else if (mod != 0) {
        out->displacement = next_signed(d, mod);
    }
}

/* Index 4 without REX.X: none. Base 5 with mod 0: none, but a displacement. */
static void decode_sib(struct decoder *d, struct insn *out)
{
    const unsigned sib = next(d);
    const unsigned index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);

    out->index = index == GPR_RSP ? INSN_NONE : (uint8_t)index;
    out->scale = (uint8_t)(sib >> 6);
    out->base = (uint8_t)((sib & 7) | (d->rex & REX_B ? 8 : 0));
    if ((sib & 7) == 5 && d->modrm >> 6 == 0)
        out->base = INSN_NONE;
}

static void decode_address(struct decoder *d, struct insn *out)
{
    static const uint8_t displacement_bytes[] = { 0, 1, 4 };
    const unsigned mod = d->modrm >> 6, rm = d->modrm & 7;
    unsigned bytes = displacement_bytes[mod];

    out->base = (uint8_t)(rm | (d->rex & REX_B ? 8 : 0));
    if (rm == 4) {
        decode_sib(d, out);
        if (out->base == INSN_NONE)
            bytes = 4;
    } else if (rm == 5 && mod == 0) {
        out->base = d->mode == INSN_MODE_64 ? INSN_RIP : INSN_NONE;
        bytes = 4;
    }
    out->displacement = next_signed(d, bytes);
}

static void decode_modrm(struct decoder *d, const struct insn_opcode *opcode, struct insn *out)
{
    out->reg = (uint8_t)((d->modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0));
    out->memory = d->modrm < 0xc0 && !(opcode->flags & OPCODE_REGISTER);
    if (!out->memory)
        out->rm = (uint8_t)((d->modrm & 7) | (d->rex & REX_B ? 8 : 0));
    else if (out->address_size == 2)
        decode_address_16(d, out);
    else
        decode_address(d, out);
    if (d->segment == SEG_COUNT && (out->base == GPR_RSP || out->base == GPR_RBP))
        out->segment = SEG_SS;
}

/*
 * Near branches in 64-bit mode have 4 bytes whatever 66 says: Intel's rule, and AMD's but for
 * this prefix.
 */
static unsigned immediate_bytes(const struct decoder *d, const struct insn_opcode *opcode,
                                const struct insn *insn)
{
    const unsigned z = insn->size == 2 ? 2 : 4;
    const bool test = (d->modrm >> 3 & 7) < 2;

    switch (opcode->immediate) {
    case IMM_8: return 1;
    case IMM_16: return 2;
    case IMM_32: return 4;
    case IMM_Z: return opcode->flags & OPCODE_BYTE ? 1 : z;
    case IMM_V: return insn->size;
    case IMM_BRANCH: return d->mode == INSN_MODE_64 ? 4 : z;
    case IMM_OFFSET: return insn->address_size;
    case IMM_FAR: return z + 2;
    case IMM_ENTER: return 3;
    case IMM_GROUP3: return !test ? 0 : opcode->flags & OPCODE_BYTE ? 1 : z;
    default: return 0;
    }
}

static void decode_immediate(struct decoder *d, const struct insn_opcode *opcode, struct insn *out)
{
    const unsigned bytes = immediate_bytes(d, opcode, out);
    const int64_t value = next_signed(d, bytes);

    if (opcode->immediate == IMM_OFFSET) {
        out->displacement = (int64_t)low_bytes((uint64_t)value, out->address_size);
        out->memory = true;
    } else {
        out->immediate = (uint64_t)value;
    }
}

/* --- meaning --- */

/* What is the same opcode in different sizes or modes. */
static void refine(const struct decoder *d, struct insn *out)
{
    const bool in_64 = d->mode == INSN_MODE_64;

    switch (out->op) {
    case INSN_INS:
    case INSN_OUTS: out->size = MIN(out->size, (uint8_t)4); break;
    case INSN_PUSH:
    case INSN_POP: out->size = in_64 && out->size == 4 ? 8 : out->size; break;
    case INSN_MOV_FROM_CR:
    case INSN_MOV_TO_CR:
    case INSN_MOV_FROM_DR:
    case INSN_MOV_TO_DR: out->size = in_64 ? 8 : 4; break;
    case INSN_CMPXCHG_PAIR: out->size = MAX(out->size, (uint8_t)4); break;
    case INSN_INVLPG: /* SWAPGS, RDTSCP, … */
        out->op = out->memory ? INSN_INVLPG : INSN_OTHER;
        break;
    default: break;
    }
    if (out->op == INSN_MOVE_XMM)
        return;
    out->memory_size = out->op == INSN_CMPXCHG_PAIR ? (uint8_t)(2 * out->size) : out->size;
    if (out->op != INSN_MOVZX && out->op != INSN_MOVSX)
        return;
    if (out->opcode != 0x63)
        out->memory_size = out->opcode & 1 ? 2 : 1;
    else if (in_64)
        out->memory_size = MIN(out->size, (uint8_t)4);
    else
        out->op = INSN_OTHER; /* ARPL */
}

static status_t decode(struct decoder *d, struct insn *out)
{
    const uint8_t byte = take_prefixes(d, out);
    const struct insn_opcode *opcode;

    set_sizes(d, out);
    opcode = find_opcode(d, byte, out);
    if (opcode->flags & OPCODE_INVALID ||
        (opcode->flags & OPCODE_NOT_64 && d->mode == INSN_MODE_64))
        return ERR_UNSUPPORTED;
    out->segment = d->segment == SEG_COUNT ? SEG_DS : d->segment;
    out->op = opcode->op;
    out->form = opcode->form;
    if (opcode->flags & OPCODE_MODRM) {
        d->modrm = next(d);
        decode_modrm(d, opcode, out);
    }
    if (opcode->immediate != IMM_NONE)
        decode_immediate(d, opcode, out);
    if (opcode->flags & OPCODE_GROUP)
        out->op = insn_groups[opcode->op][d->modrm >> 3 & 7];
    if (opcode->flags & OPCODE_BYTE)
        out->size = 1;
    if (d->map != 0 && out->op == INSN_OTHER)
        insn_find_xmm(d->map, d->prefix_66, out);
    refine(d, out);
    out->length = (uint8_t)d->at;
    return OK;
}

status_t insn_decode(const uint8_t *bytes, size_t available, enum insn_mode mode, struct insn *out)
{
    struct decoder d = {
        .bytes = bytes,
        .available = (unsigned)MIN(available, (size_t)INSN_MAX_BYTES),
        .mode = mode,
        .segment = SEG_COUNT,
    };
    status_t status;

    *out = (struct insn){ .base = INSN_NONE, .index = INSN_NONE };
    status = decode(&d, out);
    if (d.ended)
        return d.available == INSN_MAX_BYTES ? ERR_INVALID_ARGS : ERR_NOT_FOUND;
    return status;
}
