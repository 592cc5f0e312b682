/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What test guests of every architecture say, and are told: checks that print machine-readable
 * lines, and the command line's options.
 *
 *     PASS timer_fires
 *     FAIL timer_rate: got 0x1, want 0x2
 *     guest: done, 1 passed, 1 failed
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* printf's %s %c %d %u %x %lx %lu, without widths. Boot CPU only. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

void check(bool ok, const char *name);
void check_equal(const char *name, uint64_t got, uint64_t want);

/* `name=number` on the command line, or `otherwise`. */
uint64_t option(const char *name, uint64_t otherwise);
/* Is the word there? */
bool option_given(const char *name);

/* The last line, then power_off. */
_Noreturn void finish(void);

/* ---- each architecture's own ---- */

extern const char *command_line;

void put_char(char c);
_Noreturn void power_off(void);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
