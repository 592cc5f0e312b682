/* SPDX-License-Identifier: BSD-2-Clause */
/* State that changes with the vCPU: see switch.h. XSAVE: SDM 1 chapter 13. */
#include <arch/cpu.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/guest.h"
#include "arch/x86/msr.h"
#include "arch/x86/switch.h"

#define XSAVE_FCW 0    /* 16 bits */
#define XSAVE_MXCSR 24 /* 32 bits */
#define FCW_RESET 0x037f
#define MXCSR_RESET 0x1f80
#define XCR0_X87 BIT(0)
#define DR6_RESET 0xffff0ff0
#define DR7_RESET 0x400

static void set_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

#define DEBUG_REGISTER(n)                                     \
    static inline uint64_t read_dr##n(void)                   \
    {                                                         \
        uint64_t value;                                       \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(value)); \
        return value;                                         \
    }                                                         \
    static inline void write_dr##n(uint64_t value)            \
    {                                                         \
        __asm__ volatile("mov %0, %%dr" #n : : "r"(value));   \
    }

DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)

void x86_switch_note_xcr0(struct hv_vcpu *vcpu)
{
    uint32_t low, high;

    if (x86_features.xcr0 == 0)
        return;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    vcpu->xcr0 = ((uint64_t)high << 32 | low) & x86_features.xcr0;
}

/* All components go in and out, whichever of them the guest's XCR0 enables just now. */
static void fpu_in(const struct hv_vcpu *vcpu)
{
    const uint64_t all = x86_features.xcr0;

    if (all == 0) {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(vcpu->xsave) : "memory");
        return;
    }
    set_xcr0(all);
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(vcpu->xsave), "a"((uint32_t)all), "d"((uint32_t)(all >> 32))
                     : "memory");
    set_xcr0(vcpu->xcr0);
}

static void fpu_out(struct hv_vcpu *vcpu)
{
    const uint64_t all = x86_features.xcr0;

    if (all == 0) {
        __asm__ volatile("fxsave64 (%0)" : : "r"(vcpu->xsave) : "memory");
        return;
    }
    set_xcr0(all);
    __asm__ volatile("xsave64 (%0)"
                     :
                     : "r"(vcpu->xsave), "a"((uint32_t)all), "d"((uint32_t)(all >> 32))
                     : "memory");
}

void x86_switch_in(const struct hv_vcpu *vcpu)
{
    write_dr0(vcpu->dr[0]);
    write_dr1(vcpu->dr[1]);
    write_dr2(vcpu->dr[2]);
    write_dr3(vcpu->dr[3]);
    if (x86_features.has_rdtscp)
        wrmsr(MSR_TSC_AUX, vcpu->msrs.tsc_aux);
    fpu_in(vcpu);
}

void x86_switch_out(struct hv_vcpu *vcpu)
{
    x86_switch_note_xcr0(vcpu);
    fpu_out(vcpu);
    if (x86_features.has_rdtscp)
        vcpu->msrs.tsc_aux = rdmsr(MSR_TSC_AUX);
    x86_switch_breakpoints(vcpu->dr);
}

void x86_switch_breakpoints(uint64_t address[4])
{
    address[0] = read_dr0();
    address[1] = read_dr1();
    address[2] = read_dr2();
    address[3] = read_dr3();
}

void x86_switch_xcr0(struct hv_vcpu *vcpu, uint64_t value)
{
    vcpu->xcr0 = value;
    set_xcr0(value);
}

void x86_switch_reset(struct hv_vcpu *vcpu)
{
    const uint16_t fcw = FCW_RESET;
    const uint32_t mxcsr = MXCSR_RESET;

    __builtin_memset(vcpu->xsave, 0, sizeof(vcpu->xsave));
    __builtin_memcpy(vcpu->xsave + XSAVE_FCW, &fcw, sizeof(fcw));
    __builtin_memcpy(vcpu->xsave + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
    vcpu->xcr0 = XCR0_X87;
    __builtin_memset(vcpu->dr, 0, sizeof(vcpu->dr));
    vcpu->dr6 = DR6_RESET;
    vcpu->msrs.tsc_aux = 0;
    x86_guest->set(vcpu, REG_DR6, DR6_RESET);
    x86_guest->set(vcpu, REG_DR7, DR7_RESET);
}
