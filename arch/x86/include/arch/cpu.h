/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be inline about the CPU: MSRs, control registers, CPUID, the per-CPU pointer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out;

    __asm__ volatile("cpuid"
                     : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                     : "a"(leaf), "c"(subleaf));
    return out;
}

/* Leaf 0x40000000, of who virtualizes or emulates this CPU: zeros where nobody does. */
static inline struct cpuid cpuid_hypervisor(void)
{
    return cpuid(1, 0).ecx >> 31 ? cpuid(0x40000000, 0) : (struct cpuid){ 0 };
}

static inline uint64_t rdmsr(uint32_t index)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

#define X86_CONTROL_REGISTER(name)                                          \
    static inline uint64_t read_##name(void)                                \
    {                                                                       \
        uint64_t value;                                                     \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory"); \
        return value;                                                       \
    }                                                                       \
    static inline void write_##name(uint64_t value)                         \
    {                                                                       \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");     \
    }

X86_CONTROL_REGISTER(cr0)
X86_CONTROL_REGISTER(cr2)
X86_CONTROL_REGISTER(cr3)
X86_CONTROL_REGISTER(cr4)

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* GS.base points at a word that holds the pointer given to arch_cpu_start. */
static inline void *arch_this_cpu(void)
{
    void *cpu;

    __asm__("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

void arch_set_this_cpu(void *cpu);
