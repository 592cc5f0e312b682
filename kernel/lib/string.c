/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings and small memory, for compilers and libfdt. */

#include "kernel/lib/string.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/mem.h"

/* A loop that copies or counts is not to become a call of the very function it stands in. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    asm_mem_copy(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    uintptr_t ahead = (uintptr_t)t - (uintptr_t)f;

    if (ahead >= bytes && 0 - ahead >= bytes) {
        asm_mem_copy(to, from, bytes); /* apart, or bytes is 0 */
    } else if (ahead < bytes) {
        while (bytes-- > 0)
            t[bytes] = f[bytes];
    } else {
        for (size_t i = 0; i < bytes; i++)
            t[i] = f[i];
    }
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    asm_block_fill(to, (unsigned char)byte * 0x0101010101010101ULL, bytes);
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < bytes; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

void *memchr(const void *in, int byte, size_t bytes)
{
    const unsigned char *at = in;

    for (size_t i = 0; i < bytes; i++)
        if (at[i] == (unsigned char)byte)
            return (void *)(uintptr_t)(at + i);
    return NULL;
}

size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;

    while (length < most && text[length] != '\0')
        length++;
    return length;
}

size_t strlen(const char *text)
{
    const char *at = text;

    while (*at != '\0')
        at++;
    return (size_t)(at - text);
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

        if (x != y || x == '\0')
            return x - y;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
    return memchr(text, c, strlen(text) + 1);
}

char *strrchr(const char *text, int c)
{
    for (size_t i = strlen(text) + 1; i-- > 0;)
        if (text[i] == (char)c)
            return (char *)(uintptr_t)(text + i);
    return NULL;
}

char *strstr(const char *text, const char *part)
{
    const size_t length = strlen(part);

    for (; *text != '\0'; text++) {
        if (strncmp(text, part, length) == 0)
            return (char *)(uintptr_t)text;
    }
    return length == 0 ? (char *)(uintptr_t)text : NULL;
}

/* 0 to 35 for digits and letters, 36 for anything else. */
static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : 36;
}

static bool has_hex_prefix(const char *at)
{
    return at[0] == '0' && (at[1] | 0x20) == 'x' && digit_of(at[2]) < 16;
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    const char *at = text;
    unsigned long value = 0;
    bool negative, overflow = false;

    while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
        at++;
    negative = *at == '-';
    at += *at == '-' || *at == '+';
    if ((base == 0 || base == 16) && has_hex_prefix(at)) {
        base = 16;
        at += 2;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }

    const char *digits = at;

    for (; digit_of(*at) < (unsigned)base; at++) {
        overflow |= __builtin_mul_overflow(value, (unsigned long)base, &value);
        overflow |= __builtin_add_overflow(value, digit_of(*at), &value);
    }
    if (end != NULL)
        *end = (char *)(uintptr_t)(at == digits ? text : at);
    if (overflow)
        return ULONG_MAX;
    return negative ? 0 - value : value;
}
