/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases in modes that are not 64-bit: see cases.h. */
#include "tests/guests/x86/lib/cases.h"

#define SOCLE 0x6c636f53u

const struct mode *now;

static const char *what;
static unsigned wrong;

void expect(const char *word, uint64_t got, uint64_t want)
{
    if (got == want)
        return;
    wrong++;
    print("FAIL %s, %s: %s: got 0x%lx, want 0x%lx\n", now->name, what, word, got, want);
}

void go(const struct snippet *snippet, unsigned vector)
{
    snippet_load(snippet, now->bits);
    mode_run();
    expect("vector", mode_state.vector, vector);
}

void run_cases(const struct mode *mode, const struct mode_case *cases, unsigned count)
{
    now = mode;
    for (unsigned i = 0; i < count; i++) {
        what = cases[i].name;
        wrong = 0;
        mode_select(mode);
        cases[i].run();
        if (wrong != 0)
            check(false, what);
    }
    check(true, mode->name);
}

bool is_under_socle(void)
{
    return cpuid(1, 0).ecx >> 31 != 0 && cpuid(0x40000000, 0).ebx == SOCLE;
}

SNIPPET(over_memory, "mov %fs:0xffff, %ax");

bool has_limits(void)
{
    static const struct mode probe = { .bits = 32 };

    mode_select(&probe);
    snippet_load(&over_memory, 32);
    mode_run();
    return mode_state.vector == VECTOR_GP || is_under_socle();
}

uint8_t *memory(uint32_t at)
{
    uint8_t *to = (uint8_t *)(uint64_t)at;

    asm volatile("" : "+r"(to));
    return to;
}

void fill(uint32_t at, uint8_t first)
{
    for (uint32_t i = 0; i < MODE_SEGMENT_BYTES; i++)
        memory(at)[i] = (uint8_t)(first + i);
}
