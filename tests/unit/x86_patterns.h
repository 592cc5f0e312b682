/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions with an operand in memory, as test_x86_native.c puts them together. */
#pragma once

#include "arch/x86/guest.h"

enum {
    BYTES = 1 << 0,
    NO_WORD = 1 << 1,
    LOCKS = 1 << 2,
    ANY_REG = 1 << 3,
    BITS = 1 << 4,
    SHIFTS = 1 << 5,
    WIDE = 1 << 6,
    ALIGNED = 1 << 7,
    PREFIX_66 = 1 << 8,
    PREFIX_F2 = 1 << 9,
    PREFIX_F3 = 1 << 10
};

#define AF RFLAGS_AF
#define BT_FLAGS (RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF)

struct pattern {
    const char *name;
    uint8_t opcode[3], opcode_bytes;
    uint8_t reg;       /* unless ANY_REG */
    uint8_t immediate; /* bytes; 4: as operand size says, 2 or 4 */
    unsigned flags;
    uint64_t undefined;
};

/* clang-format off */
#define BINARY(name, op, locks, undefined) \
    { name " %r8,m8", { op }, 1, 0, 0, BYTES | ANY_REG | (locks), undefined }, \
    { name " %r,m", { op + 1 }, 1, 0, 0, ANY_REG | (locks), undefined }, \
    { name " m8,%r8", { op + 2 }, 1, 0, 0, BYTES | ANY_REG, undefined }, \
    { name " m,%r", { op + 3 }, 1, 0, 0, ANY_REG, undefined }, \
    { name " $,m8", { 0x80 }, 1, op / 8, 1, BYTES | (locks), undefined }, \
    { name " $,m", { 0x81 }, 1, op / 8, 4, (locks), undefined }, \
    { name " $8,m", { 0x83 }, 1, op / 8, 1, (locks), undefined }
#define UNARY(name, op, r, imm, locks, undefined) \
    { name " m8", { op }, 1, r, imm, BYTES | (locks), undefined }, \
    { name " m", { op + 1 }, 1, r, (imm) * 4, (locks), undefined }
#define SHIFT(name, r) \
    { name " $,m8", { 0xc0 }, 1, r, 1, BYTES | SHIFTS, 0 }, \
    { name " $,m", { 0xc1 }, 1, r, 1, SHIFTS, 0 }, \
    { name " 1,m8", { 0xd0 }, 1, r, 0, BYTES | SHIFTS, 0 }, \
    { name " 1,m", { 0xd1 }, 1, r, 0, SHIFTS, 0 }, \
    { name " cl,m8", { 0xd2 }, 1, r, 0, BYTES | SHIFTS, 0 }, \
    { name " cl,m", { 0xd3 }, 1, r, 0, SHIFTS, 0 }
#define XMM(name, op, flags) { name, { 0x0f, op }, 2, 0, 0, WIDE | ANY_REG | NO_WORD | (flags), 0 }
#define PRODUCT (RFLAGS_SF | RFLAGS_ZF | RFLAGS_PF | RFLAGS_AF)
#define BIT_TEST(name, op, r, locks) \
    { name " %r,m", { 0x0f, op }, 2, 0, 0, BITS | ANY_REG | (locks), BT_FLAGS }, \
    { name " $,m", { 0x0f, 0xba }, 2, r, 1, (locks), BT_FLAGS }

static const struct pattern patterns[] = {
    BINARY("add", 0x00, LOCKS, 0), BINARY("or", 0x08, LOCKS, AF), BINARY("adc", 0x10, LOCKS, 0),
    BINARY("sbb", 0x18, LOCKS, 0), BINARY("and", 0x20, LOCKS, AF), BINARY("sub", 0x28, LOCKS, 0),
    BINARY("xor", 0x30, LOCKS, AF), BINARY("cmp", 0x38, 0, 0),
    UNARY("test", 0xf6, 0, 1, 0, AF), UNARY("not", 0xf6, 2, 0, LOCKS, 0),
    UNARY("neg", 0xf6, 3, 0, LOCKS, 0), UNARY("inc", 0xfe, 0, 0, LOCKS, 0),
    UNARY("dec", 0xfe, 1, 0, LOCKS, 0), UNARY("mov $,", 0xc6, 0, 1, 0, 0),
    BIT_TEST("bt", 0xa3, 4, 0), BIT_TEST("bts", 0xab, 5, LOCKS),
    BIT_TEST("btr", 0xb3, 6, LOCKS), BIT_TEST("btc", 0xbb, 7, LOCKS),
    { "test %r8,m8", { 0x84 }, 1, 0, 0, BYTES | ANY_REG, AF },
    { "test %r,m", { 0x85 }, 1, 0, 0, ANY_REG, AF },
    { "xchg %r8,m8", { 0x86 }, 1, 0, 0, BYTES | ANY_REG | LOCKS, 0 },
    { "xchg %r,m", { 0x87 }, 1, 0, 0, ANY_REG | LOCKS, 0 },
    { "mov %r8,m8", { 0x88 }, 1, 0, 0, BYTES | ANY_REG, 0 },
    { "mov %r,m", { 0x89 }, 1, 0, 0, ANY_REG, 0 },
    { "mov m8,%r8", { 0x8a }, 1, 0, 0, BYTES | ANY_REG, 0 },
    { "mov m,%r", { 0x8b }, 1, 0, 0, ANY_REG, 0 },
    { "movslq", { 0x63 }, 1, 0, 0, ANY_REG, 0 },
    { "cmpxchg m8", { 0x0f, 0xb0 }, 2, 0, 0, BYTES | ANY_REG | LOCKS, 0 },
    { "cmpxchg m", { 0x0f, 0xb1 }, 2, 0, 0, ANY_REG | LOCKS, 0 },
    { "xadd m8", { 0x0f, 0xc0 }, 2, 0, 0, BYTES | ANY_REG | LOCKS, 0 },
    { "xadd m", { 0x0f, 0xc1 }, 2, 0, 0, ANY_REG | LOCKS, 0 },
    SHIFT("rol", 0), SHIFT("ror", 1), SHIFT("rcl", 2), SHIFT("rcr", 3), SHIFT("shl", 4),
    SHIFT("shr", 5), SHIFT("sal", 6), SHIFT("sar", 7),
    { "imul m,%r", { 0x0f, 0xaf }, 2, 0, 0, ANY_REG, PRODUCT },
    { "imul $,m,%r", { 0x69 }, 1, 0, 4, ANY_REG, PRODUCT },
    { "imul $8,m,%r", { 0x6b }, 1, 0, 1, ANY_REG, PRODUCT },
    { "cmpxchg8b", { 0x0f, 0xc7 }, 2, 1, 0, WIDE | ALIGNED | LOCKS | NO_WORD, 0 },
    XMM("movups load", 0x10, 0), XMM("movss load", 0x10, PREFIX_F3),
    XMM("movsd load", 0x10, PREFIX_F2), XMM("movups", 0x11, 0), XMM("movupd", 0x11, PREFIX_66),
    XMM("movss", 0x11, PREFIX_F3), XMM("movsd", 0x11, PREFIX_F2), XMM("movlps load", 0x12, 0),
    XMM("movlpd", 0x13, PREFIX_66), XMM("movhpd load", 0x16, PREFIX_66), XMM("movhps", 0x17, 0),
    XMM("movaps load", 0x28, ALIGNED), XMM("movapd", 0x29, PREFIX_66 | ALIGNED),
    XMM("movntps", 0x2b, ALIGNED), XMM("movd load", 0x6e, PREFIX_66), XMM("movd", 0x7e, PREFIX_66),
    XMM("movq load", 0x7e, PREFIX_F3), XMM("movq", 0xd6, PREFIX_66),
    XMM("movdqa load", 0x6f, PREFIX_66 | ALIGNED), XMM("movdqu load", 0x6f, PREFIX_F3),
    XMM("movdqa", 0x7f, PREFIX_66 | ALIGNED), XMM("movdqu", 0x7f, PREFIX_F3),
    XMM("movntdq", 0xe7, PREFIX_66 | ALIGNED), XMM("lddqu", 0xf0, PREFIX_F2),
    { "movntdqa", { 0x0f, 0x38, 0x2a }, 3, 0, 0, WIDE | ANY_REG | NO_WORD | PREFIX_66 | ALIGNED, 0 },
    { "movzb", { 0x0f, 0xb6 }, 2, 0, 0, ANY_REG, 0 },
    { "movzw", { 0x0f, 0xb7 }, 2, 0, 0, ANY_REG, 0 },
    { "movsb", { 0x0f, 0xbe }, 2, 0, 0, ANY_REG, 0 },
    { "movsw", { 0x0f, 0xbf }, 2, 0, 0, ANY_REG, 0 },
    { "movnti", { 0x0f, 0xc3 }, 2, 0, 0, ANY_REG | NO_WORD, 0 },
    { "movbe m,%r", { 0x0f, 0x38, 0xf0 }, 3, 0, 0, ANY_REG, 0 },
    { "movbe %r,m", { 0x0f, 0x38, 0xf1 }, 3, 0, 0, ANY_REG, 0 },
};
/* clang-format on */
