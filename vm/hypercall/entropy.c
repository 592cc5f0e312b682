/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ChaCha20 (RFC 8439) as a generator with fast key erasure: of each block, the first 32 bytes
 * become the next key and the rest is handed out.
 */

#include "vm/hypercall/entropy.h"

#include "arch/bits.h"
#include "arch/spinlock.h"
#include "arch/timer.h"
#include "kernel/lib/string.h"

#define KEY_WORDS 8
#define BLOCK_WORDS 16
#define OUTPUT_BYTES ((BLOCK_WORDS - KEY_WORDS) * sizeof(uint32_t))

static spinlock_t lock; /* inside every lock of vm/ */
static uint32_t key[KEY_WORDS];
static uint64_t blocks;

static uint32_t rotate(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

static void quarter_round(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 7);
}

/* Fills `out` from the key, the block number and the moment, and replaces the key. */
static void next_block(uint8_t out[OUTPUT_BYTES])
{
    const uint64_t now = arch_counter();
    const uint32_t start[BLOCK_WORDS] = {
        0x61707865,       0x3320646e,
        0x79622d32,       0x6b206574,
        key[0],           key[1],
        key[2],           key[3],
        key[4],           key[5],
        key[6],           key[7],
        (uint32_t)blocks, (uint32_t)(blocks >> 32),
        (uint32_t)now,    (uint32_t)(now >> 32),
    };
    uint32_t s[BLOCK_WORDS];

    memcpy(s, start, sizeof(s));
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned j = 0; j < 4; j++) /* columns */
            quarter_round(s, j, j + 4, j + 8, j + 12);
        for (unsigned j = 0; j < 4; j++) /* diagonals */
            quarter_round(s, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4, 12 + (j + 3) % 4);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        s[i] += start[i];
    memcpy(key, s, sizeof(key));
    memcpy(out, s + KEY_WORDS, OUTPUT_BYTES);
    blocks++;
}

void entropy_add(const void *bytes, size_t count)
{
    const uint8_t *in = bytes;
    uint8_t unused[OUTPUT_BYTES];

    spin_lock(&lock);
    for (size_t i = 0; i < count;) {
        uint8_t *at = (uint8_t *)key;

        for (size_t j = 0; j < sizeof(key) && i < count; i++, j++)
            at[j] ^= in[i];
        next_block(unused);
    }
    spin_unlock(&lock);
}

void entropy_get(void *to, size_t bytes)
{
    uint8_t *out = to;

    spin_lock(&lock);
    while (bytes != 0) {
        const size_t run = MIN(bytes, OUTPUT_BYTES);
        uint8_t block[OUTPUT_BYTES];

        next_block(block);
        memcpy(out, block, run);
        out += run;
        bytes -= run;
    }
    spin_unlock(&lock);
}
