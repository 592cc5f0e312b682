/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A64 loads and stores, decoded into what they do. Pure: no host state.
 *
 * An instruction moves `count` registers, each made of `lanes` elements of `size` bytes, to or
 * from consecutive memory: ((count * lanes) * size) bytes, 64 at most.
 *
 *     LDP x1, x2       size 8, count 2, lanes 1
 *     ST1 {v0.8h-v1.8h}  size 2, count 2, lanes 8: all of v0, then all of v1
 *     LD2 {v0.8h-v1.8h}  the same, interleaved: v0[0], v1[0], v0[1], v1[1], …
 *     LD1 {v0.s}[3]    size 4, count 1, lanes 1, lane 3, merge
 *
 * Address: base + offset + extend(index). With writeback the base then becomes
 * base + increment + index_increment.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/status.h"

#define INSN_BASE_PC 32   /* a literal; 31 is SP */
#define INSN_ZERO 31      /* XZR: also "no index" */
#define INSN_MAX_BYTES 64 /* that one instruction moves */

enum insn_extend { EXTEND_UXTW = 2, EXTEND_UXTX = 3, EXTEND_SXTW = 6, EXTEND_SXTX = 7 };

struct insn_access {
    bool store;
    bool user;        /* LDTR, STTR: with EL0's rights */
    bool simd;        /* V registers */
    bool sign_extend; /* general registers: to `width`, zero-extended from there */
    bool interleaved;
    bool merge;     /* loads: the rest of the V register stays; it is zeroed if not */
    bool replicate; /* loads: the one element goes to all lanes of `width` bytes */
    bool writeback;
    uint8_t size;   /* of an element, bytes: 1, 2, 4, 8, 16 */
    uint8_t count;  /* registers: 1 to 4 */
    uint8_t lanes;  /* elements of each */
    uint8_t lane;   /* the first of them */
    uint8_t width;  /* bytes of a loaded general register, 4 or 8; for replicate, 8 or 16 */
    uint8_t reg[4]; /* 31 is XZR where not SIMD */
    uint8_t base;   /* 0 to 30, 31: SP, INSN_BASE_PC */
    uint8_t index;  /* register, 31: none */
    uint8_t extend; /* enum insn_extend */
    uint8_t shift;  /* of the index, left */
    uint8_t index_increment; /* register, 31: none */
    int32_t offset;
    int32_t increment;
};

/*
 * ERR_UNSUPPORTED: not a load or store, or one that is not for devices: exclusives, atomics,
 * prefetches, memory tags.
 */
status_t insn_decode(uint32_t word, struct insn_access *out);
