/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits, fields, alignment and layout helpers, in the manuals' terms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n) (1ULL << (n))
/* Bits high..low, both included, as the manuals write fields. */
#define GENMASK(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define FIELD_GET(mask, value) (((uint64_t)(value) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PREP(mask, value) (((uint64_t)(value) << __builtin_ctzll(mask)) & (mask))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(value, align) ((value) & ~((__typeof__(value))(align)-1))
#define ALIGN_UP(value, align) ALIGN_DOWN((value) + ((__typeof__(value))(align)-1), align)
#define IS_ALIGNED(value, align) (((value) & ((__typeof__(value))(align)-1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A relaxed atomic load. The built-in one keeps the compiler from addressing modes. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

/* The structure that `ptr`, its member `member`, lives in; const goes in, const comes out. */
#define container_of(ptr, type, member) ((type *)((uintptr_t)(ptr)-offsetof(type, member)))

/* The low `size` bytes of value, size 1, 2, 4 or 8. */
static inline uint64_t low_bytes(uint64_t value, unsigned size)
{
    return value & (UINT64_MAX >> (64 - 8 * size));
}

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}
