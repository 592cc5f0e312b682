/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory primitives on the architecture that they are written for: every alignment and
 * length, against the C library, with guard bytes around.
 */
#include "arch/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 64
#define ALIGNMENTS 16
#define SHORT_MAX 300
#define ROOM ((size_t)2 << 20)
#define PATTERN 0x8877665544332211u

static _Alignas(4096) uint8_t actual[GUARD + ALIGNMENTS + ROOM + GUARD];
static _Alignas(4096) uint8_t expected[sizeof(actual)];
static _Alignas(4096) uint8_t source[sizeof(actual)];

static const size_t long_lengths[] = { 511,  512,  513,   1023,  1024,  1025,
                                       4095, 4096, 10000, 65536, 65599, ROOM };

typedef void (*operation)(uint8_t *at, size_t offset, size_t bytes, bool reference);

static void copy(uint8_t *at, size_t offset, size_t bytes, bool reference)
{
    const uint8_t *from = source + (offset * 7 + bytes) % ALIGNMENTS;

    if (reference)
        memcpy(at, from, bytes);
    else
        asm_mem_copy(at, from, bytes);
}

static void zero(uint8_t *at, size_t offset, size_t bytes, bool reference)
{
    (void)offset;
    if (reference)
        memset(at, 0, bytes);
    else
        asm_mem_zero(at, bytes);
}

static void fill(uint8_t *at, size_t offset, size_t bytes, bool reference)
{
    (void)offset;
    if (!reference) {
        asm_block_fill(at, PATTERN, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(PATTERN >> (8 * (i % 8)));
}

/* Only that it changes nothing, at any length, and ends. */
static void clean(uint8_t *at, size_t offset, size_t bytes, bool reference)
{
    (void)offset;
    if (!reference)
        arch_clean_for_guest(at, bytes);
}

static void check(const char *name, operation run, size_t offset, size_t bytes)
{
    size_t checked = GUARD + offset + bytes + GUARD;

    memset(actual, 0xa5, checked);
    memset(expected, 0xa5, checked);
    run(actual + GUARD + offset, offset, bytes, false);
    run(expected + GUARD + offset, offset, bytes, true);
    if (memcmp(actual, expected, checked) == 0)
        return;
    fprintf(stderr, "%s: wrong at alignment %zu, length %zu\n", name, offset, bytes);
    exit(1);
}

static void check_all(const char *name, operation run)
{
    for (size_t offset = 0; offset < ALIGNMENTS; offset++) {
        for (size_t bytes = 0; bytes <= SHORT_MAX; bytes++)
            check(name, run, offset, bytes);
        for (size_t i = 0; i < sizeof(long_lengths) / sizeof(long_lengths[0]); i++)
            check(name, run, offset, long_lengths[i]);
    }
    printf("asm_mem: %s: every alignment and length\n", name);
}

/* Every source alignment against every destination alignment. */
static void check_copy_pairs(void)
{
    for (size_t from = 0; from < ALIGNMENTS; from++)
        for (size_t to = 0; to < ALIGNMENTS; to++)
            for (size_t bytes = 0; bytes < 140; bytes++) {
                memset(actual, 0xa5, GUARD + 512);
                memset(expected, 0xa5, GUARD + 512);
                asm_mem_copy(actual + GUARD + to, source + from, bytes);
                memcpy(expected + GUARD + to, source + from, bytes);
                if (memcmp(actual, expected, GUARD + 512) != 0) {
                    fprintf(stderr, "copy: wrong from %zu to %zu, length %zu\n", from, to, bytes);
                    exit(1);
                }
            }
}

static void check_zero_pages(void)
{
    static const size_t pages[] = { 0, 1, 2, 3, 512 };
    static _Alignas(4096) uint8_t room[514 * 4096];

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        size_t bytes = pages[i] * 4096;

        memset(room, 0xa5, sizeof(room));
        arch_zero_for_guest(room + 4096, bytes);
        for (size_t at = 0; at < sizeof(room); at++) {
            uint8_t want = at >= 4096 && at < 4096 + bytes ? 0 : 0xa5;

            if (room[at] != want) {
                fprintf(stderr, "zero_for_guest: %zu pages: wrong at %zu\n", pages[i], at);
                exit(1);
            }
        }
    }
    puts("asm_mem: zero_for_guest: whole pages");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(source); i++)
        source[i] = (uint8_t)(i * 167 + (i >> 8));
    check_all("copy", copy);
    check_copy_pairs();
    check_all("zero", zero);
    check_all("fill", fill);
    check_all("clean", clean);
    check_zero_pages();
    return 0;
}
