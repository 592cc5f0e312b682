/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit decoding: EXITCODE leads to one handler, and each either answers here (what is hot or
 * has but one answer: false, back into the guest) or fills in a vm_exit (true).
 */
#include "arch/x86/control.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/insn.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/exits.h"
#include "arch/x86/svm/svm.h"
#include "arch/x86/switch.h"

#define DR6_BS BIT(14)
#define SEGMENT_L BIT(9)
#define LEAF_XSAVE 0xdu

/* --- past the instruction --- */

void svm_advance(struct hv_vcpu *vcpu, struct vmcb *vmcb, uint64_t rip)
{
    vmcb->rip = rip;
    vmcb->interrupt_shadow = 0;
    vmcb->rflags &= ~RFLAGS_RF;
    if (unlikely(vmcb->rflags & RFLAGS_TF)) {
        x86_guest->set(vcpu, REG_DR6, vmcb->dr6 | DR6_BS);
        svm_inject_exception(vcpu, VECTOR_DB, -1);
    }
}

/* `plain`: the instruction's bytes without prefixes, for CPUs that do not tell. */
static void skip(struct hv_vcpu *vcpu, unsigned plain)
{
    struct vmcb *const vmcb = svm_vmcb(vcpu);
    const uint64_t rip = vmcb->rip;

    if (svm_features.next_rip)
        svm_advance(vcpu, vmcb, vmcb->next_rip);
    else if (likely(vcpu->plain_at[rip % ARRAY_SIZE(vcpu->plain_at)] == x86_plain_key(rip, plain)))
        svm_advance(vcpu, vmcb, rip + plain);
    else
        x86_guest_skip(vcpu, plain);
}

/* --- handlers --- */

static bool irq(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    exit->reason = VM_EXIT_IRQ;
    return true;
}

static bool fatal(const struct hv_vcpu *vcpu, struct vm_exit *exit, const char *what)
{
    return x86_exit_fatal(exit, what, svm_vmcb(vcpu)->exit_code);
}

static bool machine_check(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return x86_exit_machine_check(exit, svm_vmcb(vcpu)->exit_code);
}

static bool alignment_check(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    svm_inject_exception(vcpu, VECTOR_AC, 0);
    return false;
}

static bool ask_cpuid(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    if (unlikely((uint32_t)vcpu->gpr[GPR_RAX] == LEAF_XSAVE))
        x86_switch_note_xcr0(vcpu);
    x86_cpuid(vcpu);
    skip(vcpu, 2);
    return false;
}

/* Cache maintenance is the host's: caches are coherent with all that a guest can reach. */
static bool nothing(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    skip(vcpu, 2);
    return false;
}

static bool pause(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    skip(vcpu, 2);
    exit->reason = VM_EXIT_YIELD;
    return true;
}

static bool halt(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    skip(vcpu, 1);
    exit->reason = VM_EXIT_HALT;
    return true;
}

static bool hypercall(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return x86_exit_hypercall(vcpu, exit, svm_vmcb(vcpu)->cpl);
}

static bool port(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t info = svm_vmcb(vcpu)->exit_info[0];

    return x86_exit_port(vcpu, exit, FIELD_GET(IOIO_PORT, info), FIELD_GET(IOIO_SIZE, info),
                         !(info & IOIO_IN), info & IOIO_STRING);
}

static bool msr(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    switch (x86_exit_msr(vcpu, exit, svm_vmcb(vcpu)->exit_info[0] != 0)) {
    case MSR_FAULT: return x86_exit_refused(vcpu, exit);
    case MSR_MODEL: return true;
    case MSR_DONE: break;
    }
    skip(vcpu, 2);
    return false;
}

static bool set_extended_control(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    if (!(svm_vmcb(vcpu)->cr4 & CR4_OSXSAVE))
        return x86_exit_undefined(vcpu, exit);
    if (!x86_xsetbv(vcpu))
        return x86_exit_refused(vcpu, exit);
    skip(vcpu, 3);
    return false;
}

static bool task_switch(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const struct vmcb *const vmcb = svm_vmcb(vcpu);

    return x86_exit_task_switch(vcpu, exit, vmcb->exit_event & EVENT_VALID, vmcb->exit_code);
}

/* --- control registers: MOV CR4, MOV CR8 --- */

/* Which general register, and how long the instruction is. False: it is not a MOV any more. */
static bool decode_control(struct hv_vcpu *vcpu, const struct vmcb *vmcb)
{
    struct insn insn;

    if (svm_features.decode_assists && svm_features.next_rip) {
        vcpu->register_of = (uint8_t)FIELD_GET(CR_INFO_REGISTER, vmcb->exit_info[0]);
        vcpu->length = (uint8_t)(vmcb->next_rip - vmcb->rip);
        return vmcb->exit_info[0] & CR_INFO_IS_MOV;
    }
    if (x86_guest_decode(vcpu, &insn) != OK ||
        (insn.op != INSN_MOV_TO_CR && insn.op != INSN_MOV_FROM_CR))
        return false;
    vcpu->register_of = insn.rm;
    vcpu->length = insn.length;
    return true;
}

static uint64_t general(const struct hv_vcpu *vcpu, const struct vmcb *vmcb)
{
    return vcpu->register_of == GPR_RSP ? vmcb->rsp : vcpu->gpr[vcpu->register_of];
}

static bool access_cr4(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    struct vmcb *const vmcb = svm_vmcb(vcpu);

    if (!decode_control(vcpu, vmcb))
        return x86_exit_undefined(vcpu, exit);
    if (!x86_set_cr4(vcpu, general(vcpu, vmcb)))
        return x86_exit_refused(vcpu, exit);
    svm_advance(vcpu, vmcb, x86_guest_next(vcpu, vcpu->length));
    return false;
}

static bool access_cr8(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const struct vmcb *const vmcb = svm_vmcb(vcpu);

    if (!decode_control(vcpu, vmcb))
        return x86_exit_undefined(vcpu, exit);
    return x86_exit_cr8(vcpu, exit, vmcb->exit_code == SVM_EXIT_CR8_WRITE, general(vcpu, vmcb));
}

/* --- the table --- */

static const struct {
    x86_exit_handler handler;
    uint8_t plain; /* bytes of the instruction without prefixes, where vm/ may skip it */
} exits[BIT(8)] = {
    [SVM_EXIT_CR4_WRITE] = { access_cr4, 0 },
    [SVM_EXIT_CR8_READ] = { access_cr8, 0 },
    [SVM_EXIT_CR8_WRITE] = { access_cr8, 0 },
    [SVM_EXIT_EXCEPTION + VECTOR_DB] = { svm_debug_exit, 0 },
    [SVM_EXIT_EXCEPTION + VECTOR_AC] = { alignment_check, 0 },
    [SVM_EXIT_EXCEPTION + VECTOR_MC] = { machine_check, 0 },
    [SVM_EXIT_INTR] = { irq, 0 },
    [SVM_EXIT_NMI] = { irq, 0 }, /* taken behind STGI already */
    [SVM_EXIT_INIT] = { irq, 0 },
    [SVM_EXIT_VINTR] = { svm_window_exit, 0 },
    [SVM_EXIT_RDPMC] = { x86_exit_refused, 0 },
    [SVM_EXIT_CPUID] = { ask_cpuid, 2 },
    [SVM_EXIT_IRET] = { svm_iret_exit, 0 },
    [SVM_EXIT_INVD] = { nothing, 2 },
    [SVM_EXIT_PAUSE] = { pause, 2 },
    [SVM_EXIT_HLT] = { halt, 1 },
    [SVM_EXIT_INVLPGA] = { x86_exit_undefined, 0 },
    [SVM_EXIT_IOIO] = { port, 0 },
    [SVM_EXIT_MSR] = { msr, 2 },
    [SVM_EXIT_TASK_SWITCH] = { task_switch, 0 },
    [SVM_EXIT_SHUTDOWN] = { x86_exit_reset, 0 },
    [SVM_EXIT_VMRUN] = { x86_exit_undefined, 0 },
    [SVM_EXIT_VMMCALL] = { hypercall, 3 },
    [SVM_EXIT_VMLOAD] = { x86_exit_undefined, 0 },
    [SVM_EXIT_VMSAVE] = { x86_exit_undefined, 0 },
    [SVM_EXIT_STGI] = { x86_exit_undefined, 0 },
    [SVM_EXIT_CLGI] = { x86_exit_undefined, 0 },
    [SVM_EXIT_SKINIT] = { x86_exit_undefined, 0 },
    [SVM_EXIT_WBINVD] = { nothing, 2 },
    [SVM_EXIT_MONITOR] = { x86_exit_undefined, 0 },
    [SVM_EXIT_MWAIT] = { x86_exit_undefined, 0 },
    [SVM_EXIT_XSETBV] = { set_extended_control, 3 },
    [SVM_EXIT_RDPRU] = { x86_exit_undefined, 0 },
};

static bool memory(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const struct vmcb *const vmcb = svm_vmcb(vcpu);
    const uint64_t info = vmcb->exit_info[0];

    exit->reason = VM_EXIT_MEMORY;
    exit->memory.gpa = gpa(vmcb->exit_info[1]);
    exit->memory.gva = 0;
    exit->memory.access = info & NPF_WRITE   ? VM_ACCESS_WRITE
                          : info & NPF_FETCH ? VM_ACCESS_EXEC
                                             : VM_ACCESS_READ;
    exit->memory.table_walk = info & NPF_TABLE_WALK;
    exit->memory.permission = info & NPF_PRESENT;
    exit->memory.external = false;
    exit->memory.decoded = vmcb->segment[VMCB_CS].attributes & SEGMENT_L &&
                           x86_mmio_recall(vcpu, vmcb->rip, vmcb->cr3, exit);
    return true;
}

/* INVLPGB, MCOMMIT, TLBSYNC have the codes above the table's, and are hidden. */
bool svm_handle_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint32_t code = (uint32_t)svm_vmcb(vcpu)->exit_code;

    if (likely(code < ARRAY_SIZE(exits) && exits[code].handler != NULL))
        return exits[code].handler(vcpu, exit);
    if (likely(code == SVM_EXIT_NPF))
        return memory(vcpu, exit);
    if (code == SVM_EXIT_INVALID)
        return fatal(vcpu, exit, "the guest's registers contradict each other (APM 2 15.5.1)");
    if (code >= SVM_EXIT_HIDDEN_FIRST && code <= SVM_EXIT_HIDDEN_LAST)
        return x86_exit_undefined(vcpu, exit);
    return fatal(vcpu, exit, "an exit that this backend did not ask for");
}

void svm_skip(struct hv_vcpu *vcpu)
{
    skip(vcpu, exits[svm_vmcb(vcpu)->exit_code % ARRAY_SIZE(exits)].plain);
}
