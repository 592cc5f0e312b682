/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases in modes that are not 64-bit: see cases.h. */
#include "tests/guests/x86/lib/cases.h"

#define SOCLE 0x6c636f53u

const struct mode every_mode[EVERY_MODE] = {
    { .name = "real", .real = true, .bits = 16 },
    { .name = "unreal", .real = true, .unreal = true, .bits = 16 },
    { .name = "protected 16", .bits = 16 },
    { .name = "protected 32", .bits = 32 },
    { .name = "protected 16 ring 3", .bits = 16, .ring = 3 },
    { .name = "protected 32 ring 3", .bits = 32, .ring = 3 },
    { .name = "virtual 8086", .v86 = true, .bits = 16, .ring = 3 },
    { .name = "paged 16", .bits = 16, .paging = MODE_PAGED_32 },
    { .name = "paged 32", .bits = 32, .paging = MODE_PAGED_32 },
    { .name = "paged 32 ring 3", .bits = 32, .ring = 3, .paging = MODE_PAGED_32 },
    { .name = "paged virtual 8086", .v86 = true, .bits = 16, .ring = 3, .paging = MODE_PAGED_32 },
    { .name = "pae 16", .bits = 16, .paging = MODE_PAGED_PAE },
    { .name = "pae 32", .bits = 32, .paging = MODE_PAGED_PAE },
    { .name = "pae 32 ring 3", .bits = 32, .ring = 3, .paging = MODE_PAGED_PAE },
    { .name = "pae virtual 8086", .v86 = true, .bits = 16, .ring = 3, .paging = MODE_PAGED_PAE },
};

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
