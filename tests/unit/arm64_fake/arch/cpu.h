/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers for arm64 code under host tests: named memory, 0 until written. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t *fake_sysreg(const char *name);
void fake_sysreg_reset(void);

#define sysreg_read(name) (*fake_sysreg(#name))
#define sysreg_write(name, value) (*fake_sysreg(#name) = (uint64_t)(value))

#define isb() ((void)0)
#define dsb(scope) ((void)0)
#define dmb(scope) ((void)0)

static inline void cpu_relax(void)
{
}
