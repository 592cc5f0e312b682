/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86 instructions, decoded into what they do. Pure: no host state.
 *
 * The length is right for every instruction of every map; `op` tells those that are emulated
 * or whose fields a backend wants.
 *
 *     prefixes  REX | VEX | EVEX | XOP  opcode  ModRM  SIB  displacement  immediate
 *
 * SDM 2A chapter 2 and appendix A; APM 3 chapter 1 and appendix A.
 */
#pragma once

#include "arch/status.h"
#include "arch/x86/guest.h"

#define INSN_MAX_BYTES 15
#define INSN_NONE 0xff /* no base, no index */
#define INSN_RIP 0xfe  /* base: the address of the next instruction */

/* The bits of code that CS asks for, in bytes. */
enum insn_mode { INSN_MODE_16 = 2, INSN_MODE_32 = 4, INSN_MODE_64 = 8 };

/* clang-format off */
enum insn_op {
    INSN_OTHER, /* its length is known, and nothing else */
    /* The order of the opcode map: 8 * (op - INSN_ADD), and of group 1. */
    INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP,
    INSN_TEST, INSN_NOT, INSN_NEG, INSN_INC, INSN_DEC,
    INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC,
    INSN_ROL, INSN_ROR, INSN_RCL, INSN_RCR, INSN_SHL, INSN_SHR, INSN_SAR, INSN_IMUL,
    INSN_MOV, INSN_MOVZX, INSN_MOVSX, INSN_MOVBE, INSN_CMOV, INSN_SET,
    INSN_XCHG, INSN_XADD, INSN_CMPXCHG,
    INSN_PUSH, INSN_POP,
    /* As wide as two registers: CMPXCHG8B and CMPXCHG16B; moves of XMM registers. */
    INSN_CMPXCHG_PAIR, INSN_MOVE_XMM,
    INSN_MOVS, INSN_CMPS, INSN_STOS, INSN_LODS, INSN_SCAS, INSN_INS, INSN_OUTS,
    /* Decoded for the backends: `reg` is the control or debug register, `rm` the other. */
    INSN_MOV_FROM_CR, INSN_MOV_TO_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_DR,
    INSN_CLTS, INSN_LMSW, INSN_SMSW, INSN_INVLPG,
    INSN_OPS,
};
/* clang-format on */

/* Destination, then source: rm is ModRM's register or memory, A is AL, AX, EAX or RAX. */
enum insn_form {
    FORM_NONE,
    FORM_RM,
    FORM_RM_REG,
    FORM_REG_RM,
    FORM_RM_IMM,
    FORM_RM_1,
    FORM_RM_CL,
    FORM_REG_RM_IMM, /* three operands */
    FORM_A_IMM,
    FORM_A_OFFSET, /* MOV with an absolute address */
    FORM_OFFSET_A,
    FORM_STRING,
};

/* Memory that is not aligned is #GP(0); it is the upper half; a load leaves the rest alone. */
enum insn_xmm { XMM_ALIGNED = 1, XMM_HIGH = 2, XMM_KEEPS = 4 };

enum insn_repeat { REPEAT_NONE, REPEAT_F2, REPEAT_F3 };

struct insn {
    uint8_t length; /* bytes */
    uint8_t op;     /* enum insn_op */
    uint8_t form;   /* enum insn_form */
    uint8_t opcode;
    uint8_t size;         /* of the operands, bytes: 1, 2, 4, 8 */
    uint8_t memory_size;  /* of the one in memory, where it differs: MOVZX, MOVSX; up to 16 */
    uint8_t address_size; /* 2, 4, 8 */
    uint8_t repeat;       /* enum insn_repeat */
    uint8_t segment;      /* enum x86_segment, that of the memory operand */
    uint8_t reg, rm;      /* ModRM's registers, REX included; rm where not `memory` */
    uint8_t base, index;  /* enum x86_gpr, INSN_NONE; base INSN_RIP */
    uint8_t scale;        /* of the index: its left shift */
    bool memory;          /* rm, or the offset of a MOV, is in memory */
    bool lock;
    uint8_t xmm;          /* of INSN_MOVE_XMM: XMM_ALIGNED, XMM_HIGH, XMM_KEEPS */
    bool rex;             /* byte registers 4 to 7 are SPL, BPL, SIL, DIL, not AH, CH, DH, BH */
    int64_t displacement; /* sign-extended; an offset zero-extended */
    uint64_t immediate;   /* sign-extended to 64 bits */
};

/*
 * ERR_NOT_FOUND: the instruction is longer than the `available` bytes.
 * ERR_INVALID_ARGS: it is longer than 15 bytes, which is #GP(0).
 * ERR_UNSUPPORTED: an opcode that does not exist in this mode.
 */
status_t insn_decode(const uint8_t *bytes, size_t available, enum insn_mode mode, struct insn *out);
