/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's local APIC as far as the CPU knows of it, SDM 3C chapter 29. The model in vm/ owns
 * its registers; the CPU finds them in the model's page.
 *
 *     MOV CR8 --> TPR in the page --below VMCS_TPR_THRESHOLD--> VM_EXIT_WINDOW
 *
 * A threshold above TPR's class makes an entry fail (26.2.1.1), so vm/ sets it anew before the
 * next entry when TPR falls by an exit.
 */
#include <arch/layout.h>

#include "arch/x86/vmx/vmx.h"

void vmx_set_apic(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers)
{
    vcpu->apic = (uint8_t)how;
    vcpu->apic_registers = registers;
    vcpu->pending |= PENDING_APIC;
}

void vmx_watch_priority(struct hv_vcpu *vcpu, uint8_t class)
{
    (void)vcpu;
    if (vmx_has_tpr_shadow(&vmx_cpu))
        vmwrite(VMCS_TPR_THRESHOLD, class);
}

void vmx_reset_apic(void)
{
    if (vmx_has_tpr_shadow(&vmx_cpu))
        vmwrite(VMCS_TPR_THRESHOLD, 0);
}

/* CR8 is TPR even where the APIC is turned off. */
void vmx_prepare_apic(struct hv_vcpu *vcpu)
{
    if (!vmx_has_tpr_shadow(&vmx_cpu))
        return;
    vmwrite(VMCS_VIRTUAL_APIC, virt_to_phys(vcpu->apic_registers).raw);
    vmx_intercept(vcpu, PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE, false);
    vmx_intercept(vcpu, PRIMARY_TPR_SHADOW, true);
}

bool vmx_priority_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    exit->reason = VM_EXIT_WINDOW;
    return true;
}
