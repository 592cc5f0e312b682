/* SPDX-License-Identifier: BSD-2-Clause */
/* The opcode maps: what follows an opcode, and what it does. */
#pragma once

#include "arch/x86/emulate/insn.h"

/* What follows the opcode and ModRM. */
enum insn_immediate {
    IMM_NONE,
    IMM_8, /* sign-extended */
    IMM_16,
    IMM_32,
    IMM_Z,      /* 2 or 4 bytes, by operand size */
    IMM_V,      /* 2, 4 or 8 bytes, by operand size */
    IMM_BRANCH, /* Z, but always 4 in 64-bit mode */
    IMM_OFFSET, /* an address: 2, 4 or 8 bytes, by address size */
    IMM_FAR,    /* Z and a selector */
    IMM_ENTER,  /* 2 bytes, 1 byte */
    IMM_GROUP3, /* TEST alone of ModRM's group has one */
};

enum insn_flags {
    OPCODE_MODRM = 1 << 0,
    OPCODE_BYTE = 1 << 1,     /* operands of one byte */
    OPCODE_NOT_64 = 1 << 2,   /* does not exist in 64-bit mode */
    OPCODE_INVALID = 1 << 3,  /* does not exist */
    OPCODE_REGISTER = 1 << 4, /* ModRM.mod is ignored: registers */
    OPCODE_GROUP = 1 << 5,    /* `op` is one of insn_groups, chosen by ModRM.reg */
    OPCODE_PREFIX = 1 << 6,   /* a legacy prefix; REX, in 64-bit mode */
    OPCODE_VECTOR = 1 << 7,   /* may introduce VEX, EVEX or XOP */
};

/* clang-format off */
enum insn_group {
    GROUP_1, GROUP_1A, GROUP_2, GROUP_3, GROUP_4, GROUP_5, GROUP_7, GROUP_8, GROUP_9, GROUP_11, GROUPS,
};
/* clang-format on */

struct insn_opcode {
    uint8_t flags;
    uint8_t immediate; /* enum insn_immediate */
    uint8_t op;        /* enum insn_op, or enum insn_group */
    uint8_t form;
};

extern const struct insn_opcode insn_one_byte[256];
extern const struct insn_opcode insn_two_byte[256]; /* after 0F */
extern const uint8_t insn_groups[GROUPS][8];

/*
 * Moves between XMM registers and memory, behind 0F, 0F 38 (`map` 2): op, form, memory_size and
 * xmm of `out`, whose `opcode` and `repeat` are known. `prefix_66`: it has that prefix.
 */
void insn_find_xmm(unsigned map, bool prefix_66, struct insn *out);
