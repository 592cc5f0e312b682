/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzzers share: rounds from fixed seeds, so that each run is the same; FUZZ_ROUNDS in
 * the environment multiplies them, FUZZ_SEED begins with another one. A round that fails, or
 * that a sanitizer ends, says its seed first: FUZZ_SEED=<that> FUZZ_ROUNDS=0 is this round alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `rounds` calls of `round`, each from a seed of its own. */
void fuzz(unsigned rounds, void (*round)(void));

/* Numbers of the round that runs. */
uint64_t fuzz_next(void);
uint64_t fuzz_below(uint64_t limit);
/* Values that find more than plain noise does: small ones, all ones, single bits. */
uint64_t fuzz_value(void);
/* Once in so many times. */
_Bool fuzz_one_in(unsigned times);

/* A copy of `bytes` that ends where its allocation ends, damaged in a few places; to be freed. */
uint8_t *fuzz_damaged(const void *from, size_t bytes);
