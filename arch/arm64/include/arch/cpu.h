/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be inline about the CPU: barriers, system registers, the per-CPU pointer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define sysreg_read(name)                                  \
    ({                                                     \
        uint64_t value_;                                   \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)); \
        value_;                                            \
    })
#define sysreg_write(name, value) __asm__ volatile("msr " #name ", %x0" : : "rZ"((uint64_t)(value)))

#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb(scope) __asm__ volatile("dsb " #scope : : : "memory")
#define dmb(scope) __asm__ volatile("dmb " #scope : : : "memory")

static inline void cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

/* The pointer given to arch_cpu_start; struct cpu, to kernel/. */
static inline void *arch_this_cpu(void)
{
    void *cpu;

    __asm__("mrs %0, tpidr_el2" : "=r"(cpu)); /* constant: the compiler may keep it */
    return cpu;
}

static inline void arch_set_this_cpu(void *cpu)
{
    sysreg_write(tpidr_el2, (uintptr_t)cpu);
}
