/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SDM 2A appendix A, tables, line by line. An opcode with ModRM and a memory
 * operand that is not emulated is MODRM; one without either is left out.
 */
#include "arch/x86/emulate/insn_table.h"

/* clang-format off */
#define INVALID           { .flags = OPCODE_INVALID }
#define PREFIX            { .flags = OPCODE_PREFIX }
#define NOT_64            { .flags = OPCODE_NOT_64 }
#define NOT_64_IMM(imm)   { .flags = OPCODE_NOT_64, .immediate = IMM_##imm }
#define IMM(imm)          { .immediate = IMM_##imm }
#define MODRM             { .flags = OPCODE_MODRM }
#define MODRM_IMM(imm)    { .flags = OPCODE_MODRM, .immediate = IMM_##imm }

/* Without ModRM, with it, and the same on bytes. */
#define PLAIN(what, f, imm)     { 0, IMM_##imm, INSN_##what, FORM_##f }
#define PLAIN_B(what, f, imm)   { OPCODE_BYTE, IMM_##imm, INSN_##what, FORM_##f }
#define RM(what, f)             { OPCODE_MODRM, IMM_NONE, INSN_##what, FORM_##f }
#define RM_B(what, f)           { OPCODE_MODRM | OPCODE_BYTE, IMM_NONE, INSN_##what, FORM_##f }
#define GROUP(what, f, imm, more) \
    { OPCODE_MODRM | OPCODE_GROUP | (more), IMM_##imm, GROUP_##what, FORM_##f }
#define RM_IMMEDIATE(what, imm)  { OPCODE_MODRM, IMM_##imm, INSN_##what, FORM_REG_RM_IMM }
#define CONTROL(what)           { OPCODE_MODRM | OPCODE_REGISTER, IMM_NONE, INSN_##what, FORM_RM }

#define ARITHMETIC(at, what) \
    [(at) + 0] = RM_B(what, RM_REG), [(at) + 1] = RM(what, RM_REG), \
    [(at) + 2] = RM_B(what, REG_RM), [(at) + 3] = RM(what, REG_RM), \
    [(at) + 4] = PLAIN_B(what, A_IMM, 8), [(at) + 5] = PLAIN(what, A_IMM, Z)

const struct insn_opcode insn_one_byte[256] = {
    ARITHMETIC(0x00, ADD), [0x06 ... 0x07] = NOT_64,
    ARITHMETIC(0x08, OR),  [0x0e] = NOT_64, /* 0f: the two-byte map */
    ARITHMETIC(0x10, ADC), [0x16 ... 0x17] = NOT_64,
    ARITHMETIC(0x18, SBB), [0x1e ... 0x1f] = NOT_64,
    ARITHMETIC(0x20, AND), [0x26] = PREFIX, [0x27] = NOT_64,
    ARITHMETIC(0x28, SUB), [0x2e] = PREFIX, [0x2f] = NOT_64,
    ARITHMETIC(0x30, XOR), [0x36] = PREFIX, [0x37] = NOT_64,
    ARITHMETIC(0x38, CMP), [0x3e] = PREFIX, [0x3f] = NOT_64,
    [0x40 ... 0x4f] = PREFIX, /* or INC and DEC; 50 to 5f: PUSH and POP, of registers */
    [0x60 ... 0x61] = NOT_64,
    [0x62] = { .flags = OPCODE_MODRM | OPCODE_NOT_64 | OPCODE_VECTOR }, /* BOUND; EVEX */
    [0x63] = RM(MOVSX, REG_RM), /* MOVSXD; ARPL */
    [0x64 ... 0x67] = PREFIX,
    [0x68] = IMM(Z), [0x69] = RM_IMMEDIATE(IMUL, Z), [0x6a] = IMM(8),
    [0x6b] = RM_IMMEDIATE(IMUL, 8),
    [0x6c] = PLAIN_B(INS, STRING, NONE), [0x6d] = PLAIN(INS, STRING, NONE),
    [0x6e] = PLAIN_B(OUTS, STRING, NONE), [0x6f] = PLAIN(OUTS, STRING, NONE),
    [0x70 ... 0x7f] = IMM(8),
    [0x80] = GROUP(1, RM_IMM, 8, OPCODE_BYTE),
    [0x81] = GROUP(1, RM_IMM, Z, 0),
    [0x82] = GROUP(1, RM_IMM, 8, OPCODE_BYTE | OPCODE_NOT_64),
    [0x83] = GROUP(1, RM_IMM, 8, 0),
    [0x84] = RM_B(TEST, RM_REG), [0x85] = RM(TEST, RM_REG),
    [0x86] = RM_B(XCHG, RM_REG), [0x87] = RM(XCHG, RM_REG),
    [0x88] = RM_B(MOV, RM_REG), [0x89] = RM(MOV, RM_REG),
    [0x8a] = RM_B(MOV, REG_RM), [0x8b] = RM(MOV, REG_RM),
    [0x8c ... 0x8e] = MODRM,
    [0x8f] = GROUP(1A, RM, NONE, OPCODE_VECTOR), /* XOP */
    [0x9a] = NOT_64_IMM(FAR),
    [0xa0] = PLAIN_B(MOV, A_OFFSET, OFFSET), [0xa1] = PLAIN(MOV, A_OFFSET, OFFSET),
    [0xa2] = PLAIN_B(MOV, OFFSET_A, OFFSET), [0xa3] = PLAIN(MOV, OFFSET_A, OFFSET),
    [0xa4] = PLAIN_B(MOVS, STRING, NONE), [0xa5] = PLAIN(MOVS, STRING, NONE),
    [0xa6] = PLAIN_B(CMPS, STRING, NONE), [0xa7] = PLAIN(CMPS, STRING, NONE),
    [0xa8] = PLAIN_B(TEST, A_IMM, 8), [0xa9] = PLAIN(TEST, A_IMM, Z),
    [0xaa] = PLAIN_B(STOS, STRING, NONE), [0xab] = PLAIN(STOS, STRING, NONE),
    [0xac] = PLAIN_B(LODS, STRING, NONE), [0xad] = PLAIN(LODS, STRING, NONE),
    [0xae] = PLAIN_B(SCAS, STRING, NONE), [0xaf] = PLAIN(SCAS, STRING, NONE),
    [0xb0 ... 0xb7] = IMM(8), [0xb8 ... 0xbf] = IMM(V),
    [0xc0] = GROUP(2, RM_IMM, 8, OPCODE_BYTE), [0xc1] = GROUP(2, RM_IMM, 8, 0), [0xc2] = IMM(16),
    [0xc4 ... 0xc5] = { .flags = OPCODE_MODRM | OPCODE_NOT_64 | OPCODE_VECTOR }, /* LES, LDS; VEX */
    [0xc6] = GROUP(11, RM_IMM, 8, OPCODE_BYTE), [0xc7] = GROUP(11, RM_IMM, Z, 0),
    [0xc8] = IMM(ENTER), [0xca] = IMM(16), [0xcd] = IMM(8), [0xce] = NOT_64,
    [0xd0] = GROUP(2, RM_1, NONE, OPCODE_BYTE), [0xd1] = GROUP(2, RM_1, NONE, 0),
    [0xd2] = GROUP(2, RM_CL, NONE, OPCODE_BYTE), [0xd3] = GROUP(2, RM_CL, NONE, 0),
    [0xd4 ... 0xd5] = NOT_64_IMM(8), [0xd6] = NOT_64,
    [0xd8 ... 0xdf] = MODRM,
    [0xe0 ... 0xe7] = IMM(8), [0xe8 ... 0xe9] = IMM(BRANCH), [0xea] = NOT_64_IMM(FAR),
    [0xeb] = IMM(8), [0xf0] = PREFIX, [0xf2 ... 0xf3] = PREFIX,
    [0xf6] = GROUP(3, RM_IMM, GROUP3, OPCODE_BYTE), [0xf7] = GROUP(3, RM_IMM, GROUP3, 0),
    [0xfe] = GROUP(4, RM, NONE, OPCODE_BYTE), [0xff] = GROUP(5, RM, NONE, 0),
};

const struct insn_opcode insn_two_byte[256] = {
    [0x00] = MODRM, [0x01] = GROUP(7, RM, NONE, 0), [0x02 ... 0x03] = MODRM,
    [0x04] = INVALID, [0x06] = PLAIN(CLTS, NONE, NONE),
    [0x0a] = INVALID, [0x0c] = INVALID, [0x0d] = MODRM, [0x0f] = MODRM_IMM(8), /* 3DNow! */
    [0x10 ... 0x1f] = MODRM,
    [0x20] = CONTROL(MOV_FROM_CR), [0x21] = CONTROL(MOV_FROM_DR),
    [0x22] = CONTROL(MOV_TO_CR), [0x23] = CONTROL(MOV_TO_DR),
    [0x24 ... 0x27] = INVALID,
    [0x28 ... 0x2f] = MODRM,
    [0x36] = INVALID, [0x39] = INVALID, [0x3b ... 0x3f] = INVALID, /* 38, 3a: further maps */
    [0x40 ... 0x4f] = RM(CMOV, REG_RM), [0x50 ... 0x6f] = MODRM,
    [0x70 ... 0x73] = MODRM_IMM(8), [0x74 ... 0x76] = MODRM,
    [0x78 ... 0x79] = MODRM, [0x7a ... 0x7b] = INVALID, [0x7c ... 0x7f] = MODRM,
    [0x80 ... 0x8f] = IMM(BRANCH), [0x90 ... 0x9f] = RM_B(SET, RM),
    [0xa3] = RM(BT, RM_REG), [0xa4] = MODRM_IMM(8), [0xa5 ... 0xa7] = MODRM,
    [0xab] = RM(BTS, RM_REG), [0xac] = MODRM_IMM(8), [0xad ... 0xae] = MODRM, [0xaf] = RM(IMUL, REG_RM),
    [0xb0] = RM_B(CMPXCHG, RM_REG), [0xb1] = RM(CMPXCHG, RM_REG), [0xb2] = MODRM,
    [0xb3] = RM(BTR, RM_REG), [0xb4 ... 0xb5] = MODRM,
    [0xb6 ... 0xb7] = RM(MOVZX, REG_RM), [0xb8 ... 0xb9] = MODRM,
    [0xba] = GROUP(8, RM_IMM, 8, 0), [0xbb] = RM(BTC, RM_REG), [0xbc ... 0xbd] = MODRM,
    [0xbe ... 0xbf] = RM(MOVSX, REG_RM),
    [0xc0] = RM_B(XADD, RM_REG), [0xc1] = RM(XADD, RM_REG), [0xc2] = MODRM_IMM(8),
    [0xc3] = RM(MOV, RM_REG), /* MOVNTI */
    [0xc4 ... 0xc6] = MODRM_IMM(8), [0xc7] = GROUP(9, RM, NONE, 0),
    [0xd0 ... 0xff] = MODRM,
};

const uint8_t insn_groups[GROUPS][8] = {
    [GROUP_1] = { INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP },
    [GROUP_1A] = { INSN_POP },
    [GROUP_2] = { INSN_ROL, INSN_ROR, INSN_RCL, INSN_RCR, INSN_SHL, INSN_SHR, INSN_SHL, INSN_SAR },
    [GROUP_3] = { INSN_TEST, INSN_TEST, INSN_NOT, INSN_NEG },
    [GROUP_4] = { INSN_INC, INSN_DEC },
    [GROUP_5] = { INSN_INC, INSN_DEC, [6] = INSN_PUSH },
    [GROUP_7] = { [4] = INSN_SMSW, [6] = INSN_LMSW, [7] = INSN_INVLPG },
    [GROUP_8] = { [4] = INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC },
    [GROUP_9] = { [1] = INSN_CMPXCHG_PAIR },
    [GROUP_11] = { INSN_MOV },
};
/* clang-format on */
