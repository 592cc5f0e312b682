/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for guests that do their worst: the same ones from the same seed (xorshift64*). */
#pragma once

#include <stdint.h>

/* Acts between two lines of such a guest, for a watchdog that waits for them. */
#define REPORT_EVERY 10000

static uint64_t random_state;

static inline uint64_t rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dUL;
}

static inline uint64_t below(uint64_t limit)
{
    return (rnd() >> 16) % limit;
}

/* Values that find more bugs than plain noise does; `base` to `end` is the guest's RAM. */
static inline uint64_t random_value(uint64_t base, uint64_t end)
{
    switch (below(6)) {
    case 0: return 0;
    case 1: return ~0UL;
    case 2: return 1UL << below(64);
    case 3: return below(64);
    case 4: return base + below(end - base);
    default: return rnd();
    }
}
