/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/random.h"

#define FIRST_SEED 1

static uint64_t state;
static uint64_t seed; /* of the round that runs */

uint64_t fuzz_next(void)
{
    return random_next(&state);
}

uint64_t fuzz_below(uint64_t limit)
{
    return fuzz_next() % limit;
}

_Bool fuzz_one_in(unsigned times)
{
    return fuzz_below(times) == 0;
}

uint64_t fuzz_value(void)
{
    switch (fuzz_below(6)) {
    case 0: return fuzz_below(64);
    case 1: return UINT64_MAX;
    case 2: return 1ULL << fuzz_below(64);
    case 3: return (1ULL << fuzz_below(64)) - 1;
    default: return fuzz_next() >> fuzz_below(64);
    }
}

uint8_t *fuzz_damaged(const void *from, size_t bytes)
{
    uint8_t *copy = malloc(bytes);

    if (copy == NULL)
        abort();
    memcpy(copy, from, bytes);
    for (uint64_t wounds = 1 + fuzz_below(6); bytes >= 8 && wounds > 0; wounds--) {
        const uint64_t value = fuzz_value();
        const size_t size = (size_t)1 << fuzz_below(4);

        memcpy(copy + fuzz_below(bytes / size) * size, &value, size);
    }
    return copy;
}

/* By the sanitizers, and at an abort. */
static void tell(void)
{
    char line[80];
    const int length =
        snprintf(line, sizeof(line), "# fuzz: FUZZ_SEED=%lu FUZZ_ROUNDS=0\n", (unsigned long)seed);

    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
        return;
}

void __asan_on_error(void);
void __asan_on_error(void)
{
    tell();
}

static void aborted(int signal_number)
{
    (void)signal_number;
    tell();
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtoull(value, NULL, 0) : otherwise;
}

void fuzz(unsigned rounds, void (*round)(void))
{
    const uint64_t first = setting("FUZZ_SEED", FIRST_SEED);
    const uint64_t times = setting("FUZZ_ROUNDS", 1);
    const uint64_t last = first + (times == 0 ? 0 : rounds * times - 1);

    (void)signal(SIGABRT, aborted);
    (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed assertion aborts, too */
    for (seed = first; seed <= last; seed++) {
        state = seed * 0x9e3779b97f4a7c15ULL;
        round();
    }
}
