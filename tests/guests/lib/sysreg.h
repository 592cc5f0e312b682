/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers by name or by encoding, and barriers. */
#pragma once

#include <stdint.h>

#define sysreg_read(name)                                        \
    ({                                                           \
        uint64_t value_;                                         \
        asm volatile("mrs %0, " #name : "=r"(value_)::"memory"); \
        value_;                                                  \
    })
#define sysreg_write(name, value) \
    asm volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

#define isb() asm volatile("isb" ::: "memory")
#define dsb() asm volatile("dsb sy" ::: "memory")
#define wfi() asm volatile("wfi" ::: "memory")

static inline uint64_t counter(void)
{
    isb();
    return sysreg_read(cntvct_el0);
}
