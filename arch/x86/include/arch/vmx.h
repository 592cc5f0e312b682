/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX instructions, SDM 3C chapter 30. Addresses are host-physical. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VMX_NO_VMCS UINT64_MAX /* what VMPTRST stores where none is current */

/* False: VMfailInvalid or VMfailValid. */
#define VMX_ON_MEMORY(name)                                                      \
    static inline bool name(uint64_t address)                                    \
    {                                                                            \
        bool done;                                                               \
        __asm__ volatile(#name " %1" : "=@cca"(done) : "m"(address) : "memory"); \
        return done;                                                             \
    }

VMX_ON_MEMORY(vmxon)
VMX_ON_MEMORY(vmclear)
VMX_ON_MEMORY(vmptrld)
#undef VMX_ON_MEMORY

static inline uint64_t vmptrst(void)
{
    uint64_t address;

    __asm__ volatile("vmptrst %0" : "=m"(address) : : "memory", "cc");
    return address;
}

/* Of the current VMCS. The fields are those that every CPU which was accepted has. */
static inline uint64_t vmread(uint64_t field)
{
    uint64_t value;

    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
    return value;
}

static inline void vmwrite(uint64_t field, uint64_t value)
{
    __asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc");
}

#define VMX_INVALIDATE(name)                                                               \
    static inline void name(uint64_t type, uint64_t context)                               \
    {                                                                                      \
        const struct {                                                                     \
            uint64_t context, address;                                                     \
        } descriptor = { context, 0 };                                                     \
        __asm__ volatile(#name " %0, %1" : : "m"(descriptor), "r"(type) : "memory", "cc"); \
    }

VMX_INVALIDATE(invept)
VMX_INVALIDATE(invvpid)
#undef VMX_INVALIDATE

/* DR6 is left to software. */
static inline uint64_t read_dr6(void)
{
    uint64_t value;

    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static inline void write_dr6(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

/* The host's own NMI, which an exit kept from it: through its IDT. */
static inline void vmx_host_nmi(void)
{
    __asm__ volatile("int $2" : : : "memory");
}
