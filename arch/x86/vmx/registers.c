/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's registers in the VMCS, a line each. The bits of CR0 and CR4 that guests own are
 * theirs in hardware, without exits; of the others they see the read shadow (SDM 3C 24.6.6).
 *
 *     CR0  the guest's  PG AM WP TS EM MP PE       the shadow's  CD NW NE (hardware's is 1) ET …
 *     CR4  the guest's  what CPUID announced       the shadow's  MCE, VMXE (hardware's are 1) …
 */
#include <arch/cpu.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/vmx/vmx.h"

#define CR0_OWNED (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_WP | CR0_AM | CR0_PG)
#define CR0_IGNORED (CR0_CD | CR0_NW) /* not loaded at an entry */

/* enum x86_segment's fields of one kind are 2 apart. */
#define OF_SEGMENT(kind, which) ((uint64_t)VMCS_GUEST_ES##kind + 2 * (uint64_t)(which))

struct vmcs_register {
    uint16_t field;
    bool flushes;
};

/* clang-format off */
static const struct vmcs_register registers[REG_COUNT] = {
    [REG_RIP]        = { VMCS_GUEST_RIP,    false },
    [REG_RFLAGS]     = { VMCS_GUEST_RFLAGS, false },
    [REG_RSP]        = { VMCS_GUEST_RSP,    false },
    [REG_CR3]        = { VMCS_GUEST_CR3,    true },
    [REG_EFER]       = { VMCS_GUEST_EFER,   true },
    [REG_DR7]        = { VMCS_GUEST_DR7,    false },
    [REG_PAT]        = { VMCS_GUEST_PAT,    true },
    [REG_TSC_OFFSET] = { VMCS_TSC_OFFSET,   false },
};
/* clang-format on */

static uint64_t cr4_owned(void)
{
    return x86_features.cr4 & ~(CR4_MCE | CR4_VMXE);
}

/* --- control registers --- */

static uint64_t merged(uint64_t real, uint64_t shadow, uint64_t owned)
{
    return (real & owned) | (shadow & ~owned);
}

static void set_cr0(uint64_t value)
{
    vmwrite(VMCS_CR0_MASK, ~CR0_OWNED);
    vmwrite(VMCS_CR0_SHADOW, value);
    vmwrite(VMCS_GUEST_CR0, (value & ~CR0_IGNORED) | CR0_NE);
}

static void set_cr4(uint64_t value)
{
    vmwrite(VMCS_CR4_MASK, ~cr4_owned());
    vmwrite(VMCS_CR4_SHADOW, value);
    vmwrite(VMCS_GUEST_CR4, value | CR4_MCE | CR4_VMXE);
}

static void set_efer(uint64_t value)
{
    const uint64_t controls = vmread(VMCS_ENTRY_CONTROLS);

    vmwrite(VMCS_ENTRY_CONTROLS,
            value & EFER_LMA ? controls | ENTRY_IA32E : controls & ~(uint64_t)ENTRY_IA32E);
    vmwrite(VMCS_GUEST_EFER, value);
}

/* --- debug status: the hardware's while loaded, and no exit touches it --- */

static uint64_t get_dr6(const struct hv_vcpu *vcpu)
{
    return vcpu->loaded ? read_dr6() : vcpu->dr6;
}

static void set_dr6(struct hv_vcpu *vcpu, uint64_t value)
{
    vcpu->dr6 = value;
    if (vcpu->loaded)
        write_dr6(value);
}

/* --- privilege: SS's DPL, SDM 3C 24.4.1 --- */

static uint64_t get_cpl(void)
{
    return FIELD_GET(RIGHTS_DPL, vmread(VMCS_GUEST_SS_RIGHTS));
}

static void set_cpl(uint64_t value)
{
    vmwrite(VMCS_GUEST_SS_RIGHTS,
            (vmread(VMCS_GUEST_SS_RIGHTS) & ~RIGHTS_DPL) | FIELD_PREP(RIGHTS_DPL, value));
}

/* --- all of them --- */

static uint64_t get(const struct hv_vcpu *vcpu, enum x86_register which)
{
    switch (which) {
    case REG_CR0: return merged(vmread(VMCS_GUEST_CR0), vmread(VMCS_CR0_SHADOW), CR0_OWNED);
    case REG_CR4: return merged(vmread(VMCS_GUEST_CR4), vmread(VMCS_CR4_SHADOW), cr4_owned());
    case REG_CPL: return get_cpl();
    case REG_CR2: return vcpu->cr2;
    case REG_DR6: return get_dr6(vcpu);
    default: return vmread(registers[which].field);
    }
}

static void set(struct hv_vcpu *vcpu, enum x86_register which, uint64_t value)
{
    switch (which) {
    case REG_CR0: set_cr0(value); break;
    case REG_CR4: set_cr4(value); break;
    case REG_EFER: set_efer(value); break;
    case REG_CPL: set_cpl(value); return;
    case REG_CR2: vcpu->cr2 = value; return;
    case REG_DR6: set_dr6(vcpu, value); return;
    default: vmwrite(registers[which].field, value); break;
    }
    if (which == REG_CR0 || which == REG_CR4 || registers[which].flushes)
        vcpu->pending |= PENDING_FLUSH;
}

/* --- segments: access rights have 4 reserved bits where a descriptor has its limit's --- */

static uint16_t attributes_of(uint64_t rights)
{
    const uint64_t attributes = (rights & RIGHTS_LOW) | (rights & RIGHTS_HIGH) >> 4;

    return (uint16_t)(rights & RIGHTS_UNUSABLE ? attributes & ~RIGHTS_PRESENT : attributes);
}

static uint64_t rights_of(uint16_t attributes)
{
    return (attributes & RIGHTS_LOW) | ((uint64_t)attributes << 4 & RIGHTS_HIGH) |
           (attributes & RIGHTS_PRESENT ? 0 : RIGHTS_UNUSABLE);
}

static struct x86_segment_state segment(const struct hv_vcpu *vcpu, enum x86_segment which)
{
    (void)vcpu;
    return (struct x86_segment_state){
        .base = vmread(OF_SEGMENT(_BASE, which)),
        .limit = (uint32_t)vmread(OF_SEGMENT(_LIMIT, which)),
        .selector = (uint16_t)vmread(OF_SEGMENT(, which)),
        .attributes = attributes_of(vmread(OF_SEGMENT(_RIGHTS, which))),
    };
}

static void set_segment(struct hv_vcpu *vcpu, enum x86_segment which,
                        const struct x86_segment_state *state)
{
    (void)vcpu;
    vmwrite(OF_SEGMENT(_BASE, which), state->base);
    vmwrite(OF_SEGMENT(_LIMIT, which), state->limit);
    vmwrite(OF_SEGMENT(, which), state->selector);
    vmwrite(OF_SEGMENT(_RIGHTS, which), rights_of(state->attributes));
}

static void retired(struct hv_vcpu *vcpu, uint64_t met)
{
    vmx_advance(vcpu, vmread(VMCS_GUEST_RIP));
    if (unlikely(met != 0))
        vmwrite(VMCS_PENDING_DEBUG, vmread(VMCS_PENDING_DEBUG) | DEBUG_ENABLED | met);
}

static bool delivering(const struct hv_vcpu *vcpu)
{
    (void)vcpu;
    return vmread(VMCS_INTERRUPTED_EVENT) & EVENT_VALID;
}

const struct x86_guest_ops vmx_guest_ops = {
    .get = get,
    .set = set,
    .segment = segment,
    .set_segment = set_segment,
    .inject_exception = vmx_inject_exception,
    .retired = retired,
    .delivering = delivering,
};
