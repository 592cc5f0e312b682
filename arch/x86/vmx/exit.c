/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit decoding: the basic exit reason leads to one handler, and each either answers here
 * (what is hot or has but one answer: false, back into the guest) or fills in a vm_exit (true).
 */
#include <arch/lapic.h>

#include "arch/x86/control.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/exits.h"
#include "arch/x86/vmx/vmx.h"

/* --- past the instruction --- */

static void settle_flags(uint64_t rflags)
{
    vmwrite(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
    if (rflags & RFLAGS_TF)
        vmwrite(VMCS_PENDING_DEBUG, vmread(VMCS_PENDING_DEBUG) | DEBUG_BS);
}

void vmx_advance(struct hv_vcpu *vcpu, uint64_t rip)
{
    const uint64_t blocked = vmread(VMCS_INTERRUPTIBILITY);
    const uint64_t rflags = vmread(VMCS_GUEST_RFLAGS);

    (void)vcpu;
    vmwrite(VMCS_GUEST_RIP, rip);
    if (unlikely(blocked & BLOCKED_SHADOW))
        vmwrite(VMCS_INTERRUPTIBILITY, blocked & ~BLOCKED_SHADOW);
    if (unlikely(rflags & (RFLAGS_TF | RFLAGS_RF)))
        settle_flags(rflags);
}

/* Where RIP is 16 or 32 bits wide it wraps; else it moves on. */
static __attribute__((noinline)) void skip_to_next_4g(struct hv_vcpu *vcpu)
{
    vmx_advance(vcpu, x86_guest_next(vcpu, (unsigned)vmread(VMCS_INSTRUCTION_LENGTH)));
}

void vmx_skip(struct hv_vcpu *vcpu)
{
    const uint64_t rip = vmread(VMCS_GUEST_RIP);
    const uint64_t next = rip + vmread(VMCS_INSTRUCTION_LENGTH);

    if (likely(next >> 32 == rip >> 32))
        vmx_advance(vcpu, next);
    else
        skip_to_next_4g(vcpu);
}

/* --- handlers --- */

static bool irq(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    x86_irq_record((uint8_t)FIELD_GET(EVENT_VECTOR, vmread(VMCS_EXIT_EVENT)));
    exit->reason = VM_EXIT_IRQ;
    return true;
}

/* INIT and start-up messages to this CPU, whose meaning VMX operation takes away. */
static bool ignored(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    exit->reason = VM_EXIT_IRQ;
    return true;
}

/* The host's interrupts, should any be kept from making the guest exit, are let in now. */
static bool ran_long(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    vmx_wind_timer();
    return ignored(vcpu, exit);
}

static bool fatal(struct vm_exit *exit, const char *what)
{
    return x86_exit_fatal(exit, what, vmread(VMCS_EXIT_REASON));
}

static bool machine_check(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    return x86_exit_machine_check(exit, vmread(VMCS_EXIT_REASON));
}

static bool alignment_check(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    vmx_inject_exception(vcpu, VECTOR_AC, 0);
    return false;
}

static bool host_nmi(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    vmx_host_nmi();
    return ignored(vcpu, exit);
}

/* The exceptions of VMCS_EXCEPTION_BITMAP, and NMIs. */
static bool exception(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    static const x86_exit_handler handlers[] = {
        [VECTOR_DB] = vmx_debug_exit,
        [VECTOR_NMI] = host_nmi,
        [VECTOR_AC] = alignment_check,
        [VECTOR_MC] = machine_check,
    };
    const uint64_t event = vmread(VMCS_EXIT_EVENT);
    const uint64_t vector = FIELD_GET(EVENT_VECTOR, event);

    if (event & EVENT_NMI_UNBLOCKED && !(vmread(VMCS_INTERRUPTED_EVENT) & EVENT_VALID))
        vmx_nmi_reblock();
    if (vector < ARRAY_SIZE(handlers) && handlers[vector] != NULL)
        return handlers[vector](vcpu, exit);
    return fatal(exit, "an exception that this backend did not ask for");
}

static bool ask_cpuid(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    x86_cpuid(vcpu);
    vmx_skip(vcpu);
    return false;
}

/* Cache maintenance is the host's: caches are coherent with all that a guest can reach. */
static bool nothing(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    vmx_skip(vcpu);
    return false;
}

static bool pause(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    vmx_skip(vcpu);
    exit->reason = VM_EXIT_YIELD;
    return true;
}

static bool halt(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    vmx_skip(vcpu);
    exit->reason = VM_EXIT_HALT;
    return true;
}

static bool hypercall(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return x86_exit_hypercall(vcpu, exit, x86_guest->get(vcpu, REG_CPL));
}

static bool port(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t info = vmread(VMCS_QUALIFICATION);

    return x86_exit_port(vcpu, exit, FIELD_GET(IO_PORT, info), FIELD_GET(IO_SIZE_LESS_1, info) + 1,
                         !(info & IO_IN), info & IO_STRING);
}

static bool msr(struct hv_vcpu *vcpu, struct vm_exit *exit, bool write)
{
    switch (x86_exit_msr(vcpu, exit, write)) {
    case MSR_FAULT: return x86_exit_refused(vcpu, exit);
    case MSR_MODEL: return true;
    case MSR_DONE: break;
    }
    vmx_skip(vcpu);
    return false;
}

static bool read_msr(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return msr(vcpu, exit, false);
}

static bool write_msr(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return msr(vcpu, exit, true);
}

static bool set_extended_control(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    if (!x86_xsetbv(vcpu))
        return x86_exit_refused(vcpu, exit);
    vmx_skip(vcpu);
    return false;
}

static bool task_switch(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return x86_exit_task_switch(vcpu, exit, vmread(VMCS_INTERRUPTED_EVENT) & EVENT_VALID,
                                vmread(VMCS_EXIT_REASON));
}

/* --- control registers: bits that guests do not own, and CR8 --- */

#define PDPTES 4
#define PDPTE_P BIT(0)
#define PDPTE_RESERVED (GENMASK(2, 1) | GENMASK(8, 5))
#define CR3_PDPT GENMASK(31, 5)

/* What an exit in the middle of nothing wants to know of it: 64-bit code? */
static bool is_64_bit(void)
{
    return vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E && vmread(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L;
}

static uint64_t general(const struct hv_vcpu *vcpu)
{
    const uint64_t value =
        vcpu->register_of == GPR_RSP ? x86_guest->get(vcpu, REG_RSP) : vcpu->gpr[vcpu->register_of];

    return is_64_bit() ? value : (uint32_t)value;
}

/* PAE paging's pointers as the write would load them, SDM 3A 4.4.1. False: it is to fault. */
static bool read_pdptes(struct hv_vcpu *vcpu, uint64_t pdpte[PDPTES])
{
    const uint64_t reserved = PDPTE_RESERVED | GENMASK(63, x86_features.physical_bits);
    const gpa_t at = gpa(vmread(VMCS_GUEST_CR3) & CR3_PDPT);

    if (x86_guest_read(vcpu, at, pdpte, PDPTES * sizeof(*pdpte)) != OK)
        __builtin_memset(pdpte, 0, PDPTES * sizeof(*pdpte)); /* never written */
    for (unsigned i = 0; i < PDPTES; i++)
        if (pdpte[i] & PDPTE_P && pdpte[i] & reserved)
            return false;
    return true;
}

static bool write_control(struct hv_vcpu *vcpu, struct vm_exit *exit, uint64_t cr0, uint64_t cr4,
                          bool is_cr0)
{
    const bool pae = cr0 & CR0_PG && cr4 & CR4_PAE && !(vmread(VMCS_GUEST_EFER) & EFER_LME);
    uint64_t pdpte[PDPTES];

    if (pae && !read_pdptes(vcpu, pdpte))
        return x86_exit_refused(vcpu, exit);
    if (!(is_cr0 ? x86_set_cr0(vcpu, cr0) : x86_set_cr4(vcpu, cr4)))
        return x86_exit_refused(vcpu, exit);
    for (unsigned i = 0; pae && i < PDPTES; i++)
        vmwrite(VMCS_GUEST_PDPTE + 2 * i, pdpte[i]);
    vmx_skip(vcpu);
    return false;
}

/* CLTS and LMSW touch bits that guests own: no exit. */
static bool access_control(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t info = vmread(VMCS_QUALIFICATION);
    const uint64_t number = FIELD_GET(CR_NUMBER, info);
    const uint64_t access = FIELD_GET(CR_ACCESS, info);

    vcpu->register_of = (uint8_t)FIELD_GET(CR_REGISTER, info);
    if (number == 8 && (access == CR_MOV_TO || access == CR_MOV_FROM))
        return x86_exit_cr8(vcpu, exit, access == CR_MOV_TO, general(vcpu));
    if (number == 0 && access == CR_MOV_TO)
        return write_control(vcpu, exit, general(vcpu), x86_guest->get(vcpu, REG_CR4), true);
    if (number == 4 && access == CR_MOV_TO)
        return write_control(vcpu, exit, x86_guest->get(vcpu, REG_CR0), general(vcpu), false);
    return fatal(exit, "a control register access that this backend did not ask for");
}

/* --- memory --- */

void vmx_recall(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    exit->memory.external = false;
    exit->memory.decoded =
        is_64_bit() && x86_mmio_recall(vcpu, vmread(VMCS_GUEST_RIP), vmread(VMCS_GUEST_CR3), exit);
}

static bool memory(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t info = vmread(VMCS_QUALIFICATION);

    if (unlikely(info & EPT_NMI_UNBLOCKED) && !(vmread(VMCS_INTERRUPTED_EVENT) & EVENT_VALID))
        vmx_nmi_reblock();
    exit->reason = VM_EXIT_MEMORY;
    exit->memory.gpa = gpa(vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
    exit->memory.gva = info & EPT_LINEAR_VALID ? vmread(VMCS_GUEST_LINEAR_ADDRESS) : 0;
    exit->memory.access = info & EPT_WRITES    ? VM_ACCESS_WRITE
                          : info & EPT_FETCHES ? VM_ACCESS_EXEC
                                               : VM_ACCESS_READ;
    exit->memory.table_walk = info & EPT_LINEAR_VALID && !(info & EPT_TRANSLATED);
    exit->memory.permission = info & EPT_ALLOWS;
    vmx_recall(vcpu, exit);
    return true;
}

static bool malformed(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    return fatal(exit, "the guest's EPT tables are malformed (EPT misconfiguration)");
}

/* --- the table --- */

static const x86_exit_handler exits[VMX_EXITS] = {
    [VMX_EXIT_EXCEPTION] = exception,
    [VMX_EXIT_INTERRUPT] = irq,
    [VMX_EXIT_TRIPLE_FAULT] = x86_exit_reset,
    [VMX_EXIT_INIT] = ignored,
    [VMX_EXIT_SIPI] = ignored,
    [VMX_EXIT_INTERRUPT_WINDOW] = vmx_window_exit,
    [VMX_EXIT_NMI_WINDOW] = vmx_nmi_window_exit,
    [VMX_EXIT_TASK_SWITCH] = task_switch,
    [VMX_EXIT_CPUID] = ask_cpuid,
    [VMX_EXIT_GETSEC] = x86_exit_undefined,
    [VMX_EXIT_HLT] = halt,
    [VMX_EXIT_INVD] = nothing,
    [VMX_EXIT_RDPMC] = x86_exit_refused,
    [VMX_EXIT_RSM] = x86_exit_undefined,
    [VMX_EXIT_VMCALL] = hypercall,
    [VMX_EXIT_VMCLEAR] = x86_exit_undefined,
    [VMX_EXIT_VMLAUNCH] = x86_exit_undefined,
    [VMX_EXIT_VMPTRLD] = x86_exit_undefined,
    [VMX_EXIT_VMPTRST] = x86_exit_undefined,
    [VMX_EXIT_VMREAD] = x86_exit_undefined,
    [VMX_EXIT_VMRESUME] = x86_exit_undefined,
    [VMX_EXIT_VMWRITE] = x86_exit_undefined,
    [VMX_EXIT_VMXOFF] = x86_exit_undefined,
    [VMX_EXIT_VMXON] = x86_exit_undefined,
    [VMX_EXIT_CR] = access_control,
    [VMX_EXIT_IO] = port,
    [VMX_EXIT_RDMSR] = read_msr,
    [VMX_EXIT_WRMSR] = write_msr,
    [VMX_EXIT_MWAIT] = x86_exit_undefined,
    [VMX_EXIT_MONITOR] = x86_exit_undefined,
    [VMX_EXIT_PAUSE] = pause,
    [VMX_EXIT_TPR_BELOW_THRESHOLD] = vmx_priority_exit,
    [VMX_EXIT_APIC_ACCESS] = vmx_apic_access_exit,
    [VMX_EXIT_EPT_VIOLATION] = memory,
    [VMX_EXIT_EPT_MISCONFIGURATION] = malformed,
    [VMX_EXIT_INVEPT] = x86_exit_undefined,
    [VMX_EXIT_PREEMPTION_TIMER] = ran_long,
    [VMX_EXIT_INVVPID] = x86_exit_undefined,
    [VMX_EXIT_WBINVD] = nothing,
    [VMX_EXIT_XSETBV] = set_extended_control,
    [VMX_EXIT_APIC_WRITE] = vmx_apic_write_exit,
    [VMX_EXIT_VMFUNC] = x86_exit_undefined,
    [VMX_EXIT_ENCLS] = x86_exit_undefined,
    [VMX_EXIT_PCONFIG] = x86_exit_undefined,
    [VMX_EXIT_UMWAIT] = x86_exit_undefined,
    [VMX_EXIT_TPAUSE] = x86_exit_undefined,
    [VMX_EXIT_LOADIWKEY] = x86_exit_undefined,
};

bool vmx_handle_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t reason = vmread(VMCS_EXIT_REASON);
    const uint64_t event = vmread(VMCS_INTERRUPTED_EVENT);
    const uint64_t basic = FIELD_GET(EXIT_REASON_BASIC, reason);

    if (unlikely(reason & EXIT_REASON_ENTRY_FAILED))
        return vmx_entry_failure(reason, exit);
    if (unlikely(event & EVENT_VALID))
        vmx_requeue_event(vcpu, event);
    if (likely(basic < VMX_EXITS && exits[basic] != NULL))
        return exits[basic](vcpu, exit);
    return fatal(exit, "an exit that this backend did not ask for");
}
