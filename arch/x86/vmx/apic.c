/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's local APIC as far as the CPU knows of it, SDM 3C chapter 29. The model in vm/ owns
 * its registers; the CPU finds them in the model's page.
 *
 *     MOV CR8, TPR written    --> the page --below VMCS_TPR_THRESHOLD--> VM_EXIT_WINDOW
 *     registers read          <-- the page
 *     registers written       --> the page --APIC write--> VM_EXIT_MEMORY, decoded and done
 *     what is not so simple   --APIC access--> VM_EXIT_MEMORY
 *
 * The last three want more of the CPU than the first; without that, accesses are EPT violations
 * or exit as MSRs. A threshold above TPR's class makes an entry fail or exit at once (26.2.1.1),
 * so vm/ sets it anew before the next entry when TPR falls by an exit.
 */
#include <arch/layout.h>

#include "arch/x86/vmx/vmx.h"
#include "arch/x86/x86.h"

/* Its address is all that the CPU uses of it. No guest can reach it: it is not mapped for a VM one
 * of whose vCPUs is without SECONDARY_APIC_ACCESSES. */
static uint8_t access_page[PAGE_SIZE] __attribute__((aligned(4096)));

static bool has_registers(void)
{
    return vmx_apic_controls(&vmx_cpu, HV_APIC_PAGE) != 0;
}

bool vmx_set_apic(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers)
{
    vcpu->apic = (uint8_t)how;
    vcpu->apic_registers = registers;
    vcpu->pending |= PENDING_APIC;
    return how == HV_APIC_PAGE && has_registers();
}

bool vmx_apic_place(paddr_t *page)
{
    *page = x86_image_to_phys(access_page);
    return has_registers();
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
    if (has_registers())
        vmwrite(VMCS_APIC_ACCESS, x86_image_to_phys(access_page).raw);
}

/* --- before an entry --- */

static void choose_registers(enum hv_apic how)
{
    const uint32_t all =
        vmx_apic_controls(&vmx_cpu, HV_APIC_PAGE) | vmx_apic_controls(&vmx_cpu, HV_APIC_MSRS);
    const uint64_t secondary = vmread(VMCS_SECONDARY_CONTROLS) & ~(uint64_t)all;

    vmwrite(VMCS_SECONDARY_CONTROLS, secondary | vmx_apic_controls(&vmx_cpu, how));
    vmx_allow_msrs(how == HV_APIC_MSRS);
}

/* CR8 is TPR even where the APIC is turned off. */
void vmx_prepare_apic(struct hv_vcpu *vcpu)
{
    if (!vmx_has_tpr_shadow(&vmx_cpu))
        return;
    vmwrite(VMCS_VIRTUAL_APIC, virt_to_phys(vcpu->apic_registers).raw);
    vmx_intercept(vcpu, PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE, false);
    vmx_intercept(vcpu, PRIMARY_TPR_SHADOW, true);
    if (has_registers())
        choose_registers((enum hv_apic)vcpu->apic);
}

/* --- exits --- */

bool vmx_priority_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    exit->reason = VM_EXIT_WINDOW;
    return true;
}

bool vmx_apic_access_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t info = vmread(VMCS_QUALIFICATION);
    const uint64_t type = FIELD_GET(APIC_ACCESS_TYPE, info);

    exit->reason = VM_EXIT_MEMORY;
    exit->memory.gpa = gpa(X86_GUEST_APIC + FIELD_GET(APIC_OFFSET, info));
    exit->memory.gva = 0;
    exit->memory.access = type == APIC_WRITE   ? VM_ACCESS_WRITE
                          : type == APIC_FETCH ? VM_ACCESS_EXEC
                                               : VM_ACCESS_READ;
    exit->memory.table_walk = type >= APIC_DELIVERY_WALK;
    exit->memory.permission = true;
    vmx_recall(vcpu, exit);
    return true;
}

/* The instruction is over. Of a register that was written in part, the whole counts. */
bool vmx_apic_write_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    static const struct x86_mmio over = { .length = 0 };
    const uint64_t offset = vmread(VMCS_QUALIFICATION) & APIC_OFFSET & ~0xfULL;

    exit->reason = VM_EXIT_MEMORY;
    exit->memory.gpa = gpa(X86_GUEST_APIC + offset);
    exit->memory.gva = 0;
    exit->memory.value = vcpu->apic_registers[offset / sizeof(uint32_t)];
    exit->memory.size = sizeof(uint32_t);
    exit->memory.access = VM_ACCESS_WRITE;
    exit->memory.decoded = true;
    exit->memory.table_walk = false;
    exit->memory.permission = true;
    exit->memory.external = false;
    vcpu->mmio = &over;
    return true;
}
