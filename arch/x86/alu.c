/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries, bit by bit, tell three flags at once: the one out of the top bit is CF, where the
 * one into it differs OF is set, and the one out of bit 3 is AF.
 */
#include "arch/x86/alu.h"

#include "arch/bits.h"

#define ARITHMETIC_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* ZF, SF, PF of a result that is cut to its size. */
static uint64_t result_flags(unsigned size, uint64_t result)
{
    uint64_t flags = 0;

    if (result == 0)
        flags |= RFLAGS_ZF;
    if (result >> (8 * size - 1))
        flags |= RFLAGS_SF;
    if (!__builtin_parity((unsigned)(result & 0xff)))
        flags |= RFLAGS_PF;
    return flags;
}

/* `carries`: in each bit, whether one went out of it to the left. */
static uint64_t carry_flags(unsigned size, uint64_t carries)
{
    const uint64_t out = carries >> (8 * size - 1) & 1, into = carries >> (8 * size - 2) & 1;
    uint64_t flags = 0;

    if (out)
        flags |= RFLAGS_CF;
    if (out != into)
        flags |= RFLAGS_OF;
    if (carries & BIT(3))
        flags |= RFLAGS_AF;
    return flags;
}

static void set_flags(uint64_t *rflags, uint64_t which, uint64_t value)
{
    *rflags = (*rflags & ~which) | (value & which);
}

/* `keep`: flags that the instruction leaves alone. */
static uint64_t add(unsigned size, uint64_t a, uint64_t b, bool carry, uint64_t keep,
                    uint64_t *rflags)
{
    const uint64_t result = low_bytes(a + b + carry, size);
    const uint64_t carries = (a & b) | ((a | b) & ~result);

    set_flags(rflags, ARITHMETIC_FLAGS & ~keep,
              result_flags(size, result) | carry_flags(size, carries));
    return result;
}

static uint64_t subtract(unsigned size, uint64_t a, uint64_t b, bool borrow, uint64_t keep,
                         uint64_t *rflags)
{
    const uint64_t result = low_bytes(a - b - borrow, size);
    const uint64_t borrows = (~a & b) | ((~a | b) & result);

    set_flags(rflags, ARITHMETIC_FLAGS & ~keep,
              result_flags(size, result) | carry_flags(size, borrows));
    return result;
}

static uint64_t logic(unsigned size, uint64_t result, uint64_t *rflags)
{
    set_flags(rflags, ARITHMETIC_FLAGS, result_flags(size, result));
    return result;
}

static uint64_t test_bit(unsigned size, uint64_t a, uint64_t bit, uint64_t *rflags)
{
    bit %= 8 * size;
    set_flags(rflags, RFLAGS_CF, a >> bit & 1 ? RFLAGS_CF : 0);
    return BIT(bit);
}

uint64_t x86_alu(enum insn_op op, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags)
{
    const bool carry = *rflags & RFLAGS_CF;

    a = low_bytes(a, size);
    b = low_bytes(b, size);
    /* clang-format off */
    switch (op) {
    case INSN_ADD:  return add(size, a, b, false, 0, rflags);
    case INSN_ADC:  return add(size, a, b, carry, 0, rflags);
    case INSN_INC:  return add(size, a, 1, false, RFLAGS_CF, rflags);
    case INSN_SUB:  return subtract(size, a, b, false, 0, rflags);
    case INSN_SBB:  return subtract(size, a, b, carry, 0, rflags);
    case INSN_DEC:  return subtract(size, a, 1, false, RFLAGS_CF, rflags);
    case INSN_NEG:  return subtract(size, 0, a, false, 0, rflags);
    case INSN_AND:  return logic(size, a & b, rflags);
    case INSN_OR:   return logic(size, a | b, rflags);
    case INSN_XOR:  return logic(size, a ^ b, rflags);
    case INSN_NOT:  return low_bytes(~a, size);
    case INSN_BTS:  return a | test_bit(size, a, b, rflags);
    case INSN_BTR:  return a & ~test_bit(size, a, b, rflags);
    case INSN_BTC:  return a ^ test_bit(size, a, b, rflags);
    case INSN_CMP:  subtract(size, a, b, false, 0, rflags); break;
    case INSN_TEST: logic(size, a & b, rflags); break;
    case INSN_BT:   test_bit(size, a, b, rflags); break;
    default:        break;
    }
    /* clang-format on */
    return a;
}
