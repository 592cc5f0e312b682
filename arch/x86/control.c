/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of control registers: see control.h. */
#include "arch/x86/control.h"

#include "arch/x86/cpuid.h"
#include "arch/x86/guest.h"
#include "arch/x86/switch.h"

#define CR0_BITS                                                                               \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
     CR0_PG)
#define CR3_PCID GENMASK(11, 0)
#define SEGMENT_L BIT(9)

#define XCR0_X87 BIT(0)
#define XCR0_SSE BIT(1)
#define XCR0_AVX BIT(2)
#define XCR0_AVX512 GENMASK(7, 5)

static bool is_long(const struct hv_vcpu *vcpu)
{
    return x86_guest->get(vcpu, REG_EFER) & EFER_LMA;
}

/* Paging comes on: long mode wants PAE, and code that is not 64-bit yet. */
static bool may_page(const struct hv_vcpu *vcpu)
{
    if (!(x86_guest->get(vcpu, REG_EFER) & EFER_LME))
        return true;
    return x86_guest->get(vcpu, REG_CR4) & CR4_PAE &&
           !(x86_guest->segment(vcpu, SEG_CS).attributes & SEGMENT_L);
}

/* And goes off: not from 64-bit code, nor with process-context identifiers. */
static bool may_stop_paging(const struct hv_vcpu *vcpu)
{
    return !(x86_guest->get(vcpu, REG_CR4) & CR4_PCIDE) &&
           !(is_long(vcpu) && x86_guest->segment(vcpu, SEG_CS).attributes & SEGMENT_L);
}

bool x86_set_cr0(struct hv_vcpu *vcpu, uint64_t value)
{
    const uint64_t old = x86_guest->get(vcpu, REG_CR0);
    const uint64_t efer = x86_guest->get(vcpu, REG_EFER);
    const uint64_t changed = old ^ value;

    if (value >> 32 != 0 || (value & CR0_PG && !(value & CR0_PE)) ||
        (value & CR0_NW && !(value & CR0_CD)))
        return false;
    if (changed & CR0_PG && !(value & CR0_PG ? may_page(vcpu) : may_stop_paging(vcpu)))
        return false;
    if (changed & CR0_PG && efer & EFER_LME)
        x86_guest->set(vcpu, REG_EFER, value & CR0_PG ? efer | EFER_LMA : efer & ~EFER_LMA);
    x86_guest->set(vcpu, REG_CR0, (value & CR0_BITS) | CR0_ET);
    return true;
}

bool x86_set_cr4(struct hv_vcpu *vcpu, uint64_t value)
{
    const uint64_t old = x86_guest->get(vcpu, REG_CR4);

    if (value & ~x86_features.cr4)
        return false;
    if (is_long(vcpu) && !(value & CR4_PAE))
        return false;
    if (value & ~old & CR4_PCIDE && (!is_long(vcpu) || x86_guest->get(vcpu, REG_CR3) & CR3_PCID))
        return false;
    x86_guest->set(vcpu, REG_CR4, value);
    return true;
}

/* LMA is the processor's: written as it is, or ignored. */
bool x86_set_efer(struct hv_vcpu *vcpu, uint64_t value)
{
    const uint64_t old = x86_guest->get(vcpu, REG_EFER);

    if (value & ~(x86_features.efer | EFER_LMA))
        return false;
    if ((value ^ old) & EFER_LME && x86_guest->get(vcpu, REG_CR0) & CR0_PG)
        return false;
    x86_guest->set(vcpu, REG_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
    return true;
}

/* Components stand on each other: SDM 1 13.3. */
static bool is_xcr0(uint64_t value)
{
    const uint64_t avx512 = value & XCR0_AVX512;

    return !(value & ~x86_features.xcr0) && value & XCR0_X87 &&
           !(value & XCR0_AVX && !(value & XCR0_SSE)) &&
           !(avx512 != 0 && (avx512 != XCR0_AVX512 || !(value & XCR0_AVX)));
}

bool x86_xsetbv(struct hv_vcpu *vcpu)
{
    const uint64_t value = vcpu->gpr[GPR_RDX] << 32 | (uint32_t)vcpu->gpr[GPR_RAX];

    if (x86_guest->get(vcpu, REG_CPL) != 0 || (uint32_t)vcpu->gpr[GPR_RCX] != 0 || !is_xcr0(value))
        return false;
    x86_switch_xcr0(vcpu, value);
    return true;
}
