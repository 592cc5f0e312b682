/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of accesses that vm/ answered: the value goes to its register, RIP past it all. */
#include "arch/x86/exits.h"
#include "arch/x86/svm/svm.h"

/* MOV CR8 was decoded, or its length told. */
static __attribute__((noinline)) void advance_past_cr8(struct hv_vcpu *vcpu)
{
    svm_advance(vcpu, svm_vmcb(vcpu), x86_guest_next(vcpu, vcpu->length));
}

static void advance(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    if (exit->reason == VM_EXIT_MEMORY)
        svm_advance(vcpu, vmcb, vmcb->rip + vcpu->mmio->length);
    else if (exit->reason == VM_EXIT_PIO)
        svm_advance(vcpu, vmcb, vmcb->exit_info[1]);
    else if (exit->msr.index != X86_MSR_CR8)
        svm_skip(vcpu);
    else
        advance_past_cr8(vcpu);
}

void svm_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    x86_exit_result(vcpu, exit, value);
    advance(vcpu, exit);
}

void svm_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    advance(vcpu, exit);
}
