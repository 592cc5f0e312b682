/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of accesses that vm/ answered: the value goes to its register, RIP past it all. */
#include "arch/x86/svm/svm.h"

static void advance(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    if (exit->reason == VM_EXIT_MEMORY)
        svm_advance(vcpu, vmcb, vmcb->rip + vcpu->mmio->length);
    else if (exit->reason == VM_EXIT_PIO)
        svm_advance(vcpu, vmcb, vmcb->exit_info[1]);
    else if (exit->reason == VM_EXIT_MSR && exit->msr.index != X86_MSR_CR8)
        svm_skip(vcpu);
    else
        svm_advance(vcpu, vmcb, x86_guest_next(vcpu, vcpu->length));
}

/* As the CPU writes a register of `size` bytes: 32-bit results are zero-extended. */
static void set_register(uint64_t *reg, uint64_t value, unsigned size)
{
    *reg = size >= 4 ? value : (*reg & ~low_bytes(UINT64_MAX, size)) | value;
}

static void set_cr8_target(struct hv_vcpu *vcpu, uint64_t value)
{
    if (vcpu->register_of == GPR_RSP)
        svm_vmcb(vcpu)->rsp = value;
    else
        vcpu->gpr[vcpu->register_of] = value;
}

void svm_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    if (exit->reason == VM_EXIT_MEMORY) {
        set_register(&vcpu->gpr[vcpu->mmio->reg], low_bytes(value, exit->memory.size),
                     vcpu->mmio->register_size);
    } else if (exit->reason == VM_EXIT_PIO) {
        set_register(&vcpu->gpr[GPR_RAX], low_bytes(value, exit->pio.size), exit->pio.size);
    } else if (exit->msr.index == X86_MSR_CR8) {
        set_cr8_target(vcpu, value);
    } else {
        vcpu->gpr[GPR_RAX] = (uint32_t)value;
        vcpu->gpr[GPR_RDX] = value >> 32;
    }
    advance(vcpu, exit);
}

void svm_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    advance(vcpu, exit);
}
