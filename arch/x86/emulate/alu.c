/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries, bit by bit, tell three flags at once: the one out of the top bit is CF, where the
 * one into it differs OF is set, and the one out of bit 3 is AF.
 */
#include "arch/x86/emulate/alu.h"

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

/* --- shifts and rotations --- */

/* By one bit; *carry goes in where the instruction wants it, and is the bit that goes out. */
static uint64_t shift_once(enum insn_op op, unsigned size, uint64_t a, bool *carry)
{
    const unsigned top_bit = 8 * size - 1;
    const bool in = *carry, top = a >> top_bit & 1, low = a & 1;

    *carry = op == INSN_ROL || op == INSN_RCL || op == INSN_SHL ? top : low;
    /* clang-format off */
    switch (op) {
    case INSN_ROL: return low_bytes(a << 1, size) | top;
    case INSN_RCL: return low_bytes(a << 1, size) | in;
    case INSN_SHL: return low_bytes(a << 1, size);
    case INSN_ROR: return a >> 1 | (uint64_t)low << top_bit;
    case INSN_RCR: return a >> 1 | (uint64_t)in << top_bit;
    case INSN_SAR: return a >> 1 | (uint64_t)top << top_bit;
    default:       return a >> 1;
    }
    /* clang-format on */
}

/* OF means something after a shift by one bit only: the sign changed. */
static uint64_t shift(enum insn_op op, unsigned size, uint64_t a, uint64_t count, uint64_t *rflags)
{
    const unsigned top_bit = 8 * size - 1;
    const bool left = op == INSN_ROL || op == INSN_RCL || op == INSN_SHL;
    const bool rotates = op < INSN_SHL;
    bool carry = *rflags & RFLAGS_CF;
    bool overflow;

    count &= size == 8 ? 63 : 31;
    if (count == 0)
        return a;
    while (count-- > 0)
        a = shift_once(op, size, a, &carry);
    overflow = (a >> top_bit & 1) != (left ? carry : a >> (top_bit - 1) & 1);
    if (!rotates)
        set_flags(rflags, ARITHMETIC_FLAGS, result_flags(size, a));
    set_flags(rflags, RFLAGS_CF | RFLAGS_OF, (carry ? RFLAGS_CF : 0) | (overflow ? RFLAGS_OF : 0));
    return a;
}

/* Signed; CF and OF: the product does not fit. */
static uint64_t multiply(unsigned size, uint64_t a, uint64_t b, uint64_t *rflags)
{
    const unsigned unused = 64 - 8 * size;
    int64_t product;
    const bool overflow = __builtin_mul_overflow((int64_t)(a << unused) >> unused,
                                                 (int64_t)(b << unused) >> unused, &product);
    const uint64_t result = low_bytes((uint64_t)product, size);
    const bool fits = !overflow && (int64_t)(result << unused) >> unused == product;

    set_flags(rflags, ARITHMETIC_FLAGS,
              result_flags(size, result) | (fits ? 0 : RFLAGS_CF | RFLAGS_OF));
    return result;
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
    case INSN_IMUL: return multiply(size, a, b, rflags);
    case INSN_ROL:
    case INSN_ROR:
    case INSN_RCL:
    case INSN_RCR:
    case INSN_SHL:
    case INSN_SHR:
    case INSN_SAR:  return shift(op, size, a, b, rflags);
    case INSN_CMP:  subtract(size, a, b, false, 0, rflags); break;
    case INSN_TEST: logic(size, a & b, rflags); break;
    case INSN_BT:   test_bit(size, a, b, rflags); break;
    default:        break;
    }
    /* clang-format on */
    return a;
}
