/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases, each run in a mode of modes.h: one line for each mode, and one for each thing that is
 * not as it should be.
 */
#pragma once

#include "tests/guests/x86/lib/snippet.h"

struct mode_case {
    const char *name;
    void (*run)(void); /* the mode is selected */
};

/* Those that are not 64-bit, each with its rings and its paging. */
#define EVERY_MODE 15
extern const struct mode every_mode[EVERY_MODE];

/* The mode that a case runs in. */
extern const struct mode *now;

void expect(const char *word, uint64_t got, uint64_t want);
/* Runs it with what mode_state says; by which vector it is to end. */
void go(const struct snippet *snippet, unsigned vector);
void run_cases(const struct mode *mode, const struct mode_case *cases, unsigned count);

bool is_under_socle(void);
/* QEMU's CPU does not look at segments' limits; the hypervisor does where it emulates. */
bool has_limits(void);

/* Bytes of RAM or of a device anywhere, and 64 KiB of them filled with numbers that count up. */
uint8_t *memory(uint32_t at);
void fill(uint32_t at, uint8_t first);
