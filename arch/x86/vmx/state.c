/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes into a VMCS that is neither a register of the guest's (registers.c) nor an event
 * (event.c): controls, what the guest has no registers for, and the host's state.
 */
#include <arch/cpu.h>

#include "arch/timer.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/msr.h"
#include "arch/x86/vmx/vmx.h"
#include "arch/x86/x86.h"

#define CPUID7_EBX_INVPCID BIT(10)

#define EPT_POINTER_WRITE_BACK 6
#define EPT_POINTER_WALK_4 FIELD_PREP(GENMASK(5, 3), 3)

#define SEGMENT_TABLE_LIMIT 0xffff

#define RUN_PER_SECOND 200 /* a guest that nothing else makes exit runs so long: 5 ms */

/* #DB and #AC can be delivered without end by a guest that wants to keep the CPU. */
#define EXCEPTIONS (BIT(VECTOR_DB) | BIT(VECTOR_AC) | BIT(VECTOR_MC))

static uint8_t msr_permissions[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t x2apic_permissions[PAGE_SIZE] __attribute__((aligned(4096)));

/* --- the machine --- */

/*
 * A bit for each MSR of two ranges: 1 exits (SDM 3C 24.6.9).
 *
 *     0x000  read 0 … 0x1fff   0x400  read 0xc0000000 …   0x800, 0xc00  the same, write
 */
static void allow_msr(uint8_t *permissions, uint32_t index, unsigned access)
{
    const uint32_t at = (index >> 16 == 0 ? 0 : 0x400) + (index & 0x1fff) / 8;
    const uint8_t bit = (uint8_t)BIT(index % 8);

    if (access & VM_ACCESS_READ)
        permissions[at] &= (uint8_t)~bit;
    if (access & VM_ACCESS_WRITE)
        permissions[at + 0x800] &= (uint8_t)~bit;
}

/*
 * x2APIC's, for a guest that has them in memory (SDM 3C 29.5). Those exit that are not there: PPR,
 * IRR, ISR, TMR and the timer's count; and ICR, the only one of 64 bits. So do writes but TPR's.
 */
static void allow_x2apic(uint8_t *permissions)
{
    static const struct x86_msr_range read[] = {
        { 0x802, 0x803 }, { 0x808, 0x808 }, { 0x80d, 0x80d }, { 0x80f, 0x80f },
        { 0x828, 0x828 }, { 0x82f, 0x82f }, { 0x832, 0x838 }, { 0x83e, 0x83e },
    };

    for (size_t i = 0; i < ARRAY_SIZE(read); i++)
        for (uint32_t index = read[i].first; index <= read[i].last; index++)
            allow_msr(permissions, index, VM_ACCESS_READ);
    allow_msr(permissions, MSR_X2APIC_TPR, VM_ACCESS_WRITE);
}

void vmx_prepare_machine(void)
{
    struct x86_msr_range range;

    __builtin_memset(msr_permissions, 0xff, sizeof(msr_permissions));
    for (unsigned i = 0; x86_msr_passed(i, &range); i++)
        for (uint32_t index = range.first; index <= range.last; index++)
            allow_msr(msr_permissions, index, VM_ACCESS_READ | VM_ACCESS_WRITE);
    __builtin_memcpy(x2apic_permissions, msr_permissions, sizeof(x2apic_permissions));
    allow_x2apic(x2apic_permissions);
}

void vmx_allow_msrs(bool x2apic)
{
    const uint8_t *const permissions = x2apic ? x2apic_permissions : msr_permissions;

    vmwrite(VMCS_MSR_BITMAP, x86_image_to_phys(permissions).raw);
}

uint64_t vmx_ept_pointer(paddr_t root)
{
    return root.raw | EPT_POINTER_WALK_4 | EPT_POINTER_WRITE_BACK;
}

/* --- a vCPU --- */

/* A VMCS has no defined content until each field was written. */
static const struct {
    uint32_t field;
    uint64_t value;
} constants[] = {
    { VMCS_EXCEPTION_BITMAP, EXCEPTIONS },
    { VMCS_PAGE_FAULT_MASK, 0 },
    { VMCS_PAGE_FAULT_MATCH, 0 },
    { VMCS_CR3_TARGET_COUNT, 0 },
    { VMCS_EXIT_MSR_STORE_COUNT, 0 },
    { VMCS_EXIT_MSR_LOAD_COUNT, 0 },
    { VMCS_ENTRY_MSR_LOAD_COUNT, 0 },
    { VMCS_ENTRY_EVENT, 0 },
    { VMCS_ENTRY_ERROR_CODE, 0 },
    { VMCS_LINK_POINTER, UINT64_MAX },
    { VMCS_INTERRUPTIBILITY, 0 },
    { VMCS_ACTIVITY, 0 }, /* active: HLT exits */
    { VMCS_PENDING_DEBUG, 0 },
    { VMCS_GUEST_DEBUGCTL, 0 },
    { VMCS_GUEST_SYSENTER_CS, 0 },
    { VMCS_GUEST_SYSENTER_ESP, 0 },
    { VMCS_GUEST_SYSENTER_EIP, 0 },
    { VMCS_GUEST_GDTR_BASE, 0 },
    { VMCS_GUEST_IDTR_BASE, 0 },
    { VMCS_GUEST_GDTR_LIMIT, SEGMENT_TABLE_LIMIT },
    { VMCS_GUEST_IDTR_LIMIT, SEGMENT_TABLE_LIMIT },
};

/* Instructions that have an enable bit each are on where CPUID announces them. */
static uint32_t announced(const struct hv_vcpu *vcpu)
{
    return (x86_features.has_rdtscp ? SECONDARY_RDTSCP : 0) |
           (x86_cpuid_leaf(vcpu, 7, 0).ebx & CPUID7_EBX_INVPCID ? SECONDARY_INVPCID : 0);
}

static uint32_t control(enum vmx_word word)
{
    return vmx_control(&vmx_cpu, word, vmx_wanted[word]);
}

void vmx_reset_control(const struct hv_vcpu *vcpu)
{
    struct vmx_state *const state = vmx_state(vcpu);

    state->primary = control(VMX_PRIMARY);
    vmwrite(VMCS_PIN_CONTROLS, control(VMX_PIN));
    vmwrite(VMCS_PRIMARY_CONTROLS, state->primary);
    vmwrite(VMCS_SECONDARY_CONTROLS,
            vmx_control(&vmx_cpu, VMX_SECONDARY, vmx_wanted[VMX_SECONDARY] | announced(vcpu)));
    vmwrite(VMCS_EXIT_CONTROLS, control(VMX_EXIT));
    vmwrite(VMCS_ENTRY_CONTROLS, control(VMX_ENTRY));
    vmwrite(VMCS_IO_BITMAP_A, x86_image_to_phys(x86_all_ports).raw);
    vmwrite(VMCS_IO_BITMAP_B, x86_image_to_phys(x86_all_ports + PAGE_SIZE).raw);
    vmx_allow_msrs(false);
    for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
        vmwrite(constants[i].field, constants[i].value);
    for (unsigned i = 0; i < 4; i++)
        vmwrite(VMCS_GUEST_PDPTE + 2 * i, 0);
    vmx_reset_apic();
    vmx_wind_timer();
}

/*
 * It counts while the guest runs, and an exit keeps what is left. The host's interrupts make a
 * guest exit by themselves; but there are emulators that let none through while the guest has
 * its own masked (Bochs).
 */
void vmx_wind_timer(void)
{
    const uint32_t ticks = vmx_timer_ticks(&vmx_cpu, arch_counter_hz() / RUN_PER_SECOND);

    if (ticks != 0)
        vmwrite(VMCS_PREEMPTION_TIMER, ticks);
}

/* --- the host --- */

void vmx_write_host_state(void)
{
    const struct x86_host_tables tables = x86_host_tables();

    vmwrite(VMCS_HOST_ES, SELECTOR_DATA);
    vmwrite(VMCS_HOST_CS, SELECTOR_CODE);
    vmwrite(VMCS_HOST_SS, SELECTOR_DATA);
    vmwrite(VMCS_HOST_DS, SELECTOR_DATA);
    vmwrite(VMCS_HOST_FS, 0);
    vmwrite(VMCS_HOST_GS, 0);
    vmwrite(VMCS_HOST_TR, SELECTOR_TSS);
    vmwrite(VMCS_HOST_FS_BASE, tables.fs_base);
    vmwrite(VMCS_HOST_GS_BASE, tables.gs_base);
    vmwrite(VMCS_HOST_TR_BASE, tables.tss);
    vmwrite(VMCS_HOST_GDTR_BASE, tables.gdt);
    vmwrite(VMCS_HOST_IDTR_BASE, tables.idt);
    vmwrite(VMCS_HOST_SYSENTER_CS, 0);
    vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
    vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
    vmwrite(VMCS_HOST_CR0, read_cr0());
    vmwrite(VMCS_HOST_CR3, read_cr3());
    vmwrite(VMCS_HOST_CR4, read_cr4());
    vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
    vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
    vmwrite(VMCS_HOST_RIP, (uintptr_t)vmx_exited);
}
