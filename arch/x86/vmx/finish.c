/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of accesses that vm/ answered: the value goes to its register, RIP past it all. */
#include "arch/x86/exits.h"
#include "arch/x86/vmx/vmx.h"

/* An EPT violation does not tell how long the instruction is. */
static void advance(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    if (exit->reason == VM_EXIT_MEMORY)
        vmx_advance(vcpu, vmread(VMCS_GUEST_RIP) + vcpu->mmio->length);
    else
        vmx_skip(vcpu);
}

void vmx_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    x86_exit_result(vcpu, exit, value);
    advance(vcpu, exit);
}

void vmx_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    advance(vcpu, exit);
}
