/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's registers in the VMCB, a line each. Writing one tells the CPU that its copy is
 * stale (clean bits), and, where translations depend on it, that they are, too.
 */
#include "arch/x86/svm/svm.h"

#define DR6_MET GENMASK(3, 0)

#define AT(member, ...)                                       \
    {                                                         \
        (uint16_t) offsetof(struct vmcb, member), __VA_ARGS__ \
    }

struct vmcb_register {
    uint16_t offset;
    uint16_t clean; /* the clean bit that it belongs to */
    bool flushes;
};

/* clang-format off */
static const struct vmcb_register registers[REG_COUNT] = {
    [REG_RIP]        = AT(rip,        0,                false),
    [REG_RFLAGS]     = AT(rflags,     0,                false),
    [REG_RSP]        = AT(rsp,        0,                false),
    [REG_CR0]        = AT(cr0,        CLEAN_CR,         true),
    [REG_CR3]        = AT(cr3,        CLEAN_CR,         true),
    [REG_CR4]        = AT(cr4,        CLEAN_CR,         true),
    [REG_EFER]       = AT(efer,       CLEAN_CR,         true),
    [REG_DR7]        = AT(dr7,        CLEAN_DR,         false),
    [REG_CR2]        = AT(cr2,        CLEAN_CR2,        false),
    [REG_DR6]        = AT(dr6,        CLEAN_DR,         false),
    [REG_PAT]        = AT(g_pat,      CLEAN_NP,         true),
    [REG_TSC_OFFSET] = AT(tsc_offset, CLEAN_INTERCEPTS, false),
};

static const uint8_t segments[SEG_COUNT] = {
    [SEG_ES] = VMCB_ES, [SEG_CS] = VMCB_CS, [SEG_SS] = VMCB_SS,     [SEG_DS] = VMCB_DS,
    [SEG_FS] = VMCB_FS, [SEG_GS] = VMCB_GS, [SEG_LDTR] = VMCB_LDTR, [SEG_TR] = VMCB_TR,
};
/* clang-format on */

static uint64_t *at(struct vmcb *vmcb, enum x86_register which)
{
    return (uint64_t *)(void *)((uint8_t *)vmcb + registers[which].offset);
}

static uint64_t get(const struct hv_vcpu *vcpu, enum x86_register which)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    if (which == REG_CPL)
        return vmcb->cpl;
    return which == REG_EFER ? vmcb->efer & ~EFER_SVME : *at(vmcb, which);
}

static void set(struct hv_vcpu *vcpu, enum x86_register which, uint64_t value)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    if (which == REG_CPL) {
        vmcb->cpl = (uint8_t)value;
        vmcb->clean &= ~CLEAN_SEGMENTS;
        return;
    }
    *at(vmcb, which) = which == REG_EFER ? value | EFER_SVME : value;
    vmcb->clean &= ~(uint32_t)registers[which].clean;
    if (registers[which].flushes)
        vcpu->pending |= PENDING_FLUSH;
}

static struct x86_segment_state segment(const struct hv_vcpu *vcpu, enum x86_segment which)
{
    const struct vmcb_segment *from = &svm_vmcb(vcpu)->segment[segments[which]];

    return (struct x86_segment_state){ from->base, from->limit, from->selector, from->attributes };
}

static void set_segment(struct hv_vcpu *vcpu, enum x86_segment which,
                        const struct x86_segment_state *state)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    vmcb->segment[segments[which]] = (struct vmcb_segment){
        .selector = state->selector,
        .attributes = state->attributes,
        .limit = state->limit,
        .base = state->base,
    };
    vmcb->clean &= ~CLEAN_SEGMENTS;
}

static void retired(struct hv_vcpu *vcpu, uint64_t met)
{
    struct vmcb *const vmcb = svm_vmcb(vcpu);

    svm_advance(vcpu, vmcb, vmcb->rip);
    if (likely(met == 0))
        return;
    set(vcpu, REG_DR6, (vmcb->dr6 & ~DR6_MET) | met);
    if (!(vmcb->rflags & RFLAGS_TF)) /* else it is on its way */
        svm_inject_exception(vcpu, VECTOR_DB, -1);
}

static bool delivering(const struct hv_vcpu *vcpu)
{
    return svm_vmcb(vcpu)->exit_event & EVENT_VALID;
}

const struct x86_guest_ops svm_guest_ops = {
    .get = get,
    .set = set,
    .segment = segment,
    .set_segment = set_segment,
    .inject_exception = svm_inject_exception,
    .retired = retired,
    .delivering = delivering,
};
