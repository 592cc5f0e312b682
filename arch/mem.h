/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk memory primitives, written in assembly per architecture with general registers only,
 * so that a guest's SIMD state stays untouched. Any alignment, any length, 0 included.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Copies forwards; the ranges must not overlap. */
void asm_mem_copy(void *dst, const void *src, size_t bytes);

void asm_mem_zero(void *dst, size_t bytes);

/* Stores the 64-bit `pattern` (little-endian, repeated from dst[0]) over `bytes` bytes. */
void asm_block_fill(void *dst, uint64_t pattern, size_t bytes);

/*
 * Makes what was written to [start, start + bytes) visible to an observer with its caches
 * off, such as a guest before it enables its MMU (Arm ARM: clean to the point of coherency).
 * Nothing on x86.
 */
void arch_clean_for_guest(const void *start, size_t bytes);

/* Zeroes whole pages and makes them visible as arch_clean_for_guest does, in one pass. */
void arch_zero_for_guest(void *page, size_t bytes);

/* After code was written to guest memory: instruction fetches see it. */
void arch_sync_instructions(void);
