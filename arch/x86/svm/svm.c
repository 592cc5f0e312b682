/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SVM backend: what vm/ asks of it, and which state changes hands when. APM 2 chapter 15.
 *
 *     every exit           general registers        run.S
 *                          all that the VMCB holds  VMRUN, VMLOAD, VMSAVE
 *     another vCPU loads   XSAVE state, DR0 to DR3  arch/x86/switch.h
 *
 * Nested paging is required. A guest's ASID comes from its tag; since a vCPU forgets its
 * ASID's translations when it comes to a CPU or back to one (arch/x86/tlb.h), two guests may
 * share one.
 */
#include <arch/cpu.h>
#include <arch/layout.h>

#include "arch/image.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/msr.h"
#include "arch/x86/svm/svm.h"
#include "arch/x86/switch.h"
#include "arch/x86/tlb.h"
#include "arch/x86/x86.h"

#define CPUID_SVM 0x8000000a
#define CPUID_EXT1_ECX_SVM BIT(2)

#define HYPERVISOR_TCG 0x54474354 /* "TCGT" of "TCGTCGTCGTCG" */

#define MSR_VM_CR 0xc0010114
#define VM_CR_SVMDIS BIT(4)
#define MSR_VM_HSAVE_PA 0xc0010117

#define PAUSE_COUNT 3000 /* of a spinning vCPU, until it exits */

#define SEGMENT_TABLE_LIMIT 0xffff

/* What exits. What is not here, and has no line in exit.c, runs at full speed. */
#define INTERCEPTS_1                                                                       \
    (INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_INIT | INTERCEPT_RDPMC | INTERCEPT_CPUID | \
     INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IOIO | INTERCEPT_MSR | \
     INTERCEPT_TASK_SWITCH | INTERCEPT_SHUTDOWN)
#define INTERCEPTS_2                                                                              \
    (INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE | INTERCEPT_STGI | \
     INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_WBINVD | INTERCEPT_MONITOR | INTERCEPT_MWAIT | \
     INTERCEPT_XSETBV | INTERCEPT_RDPRU)
#define INTERCEPTS_3 (INTERCEPT_INVLPGB | INTERCEPT_MCOMMIT | INTERCEPT_TLBSYNC)
/* #DB and #AC can be delivered without end by a guest that wants to keep the CPU. */
#define INTERCEPTS_EXCEPTION ((1u << VECTOR_DB) | (1u << VECTOR_AC) | (1u << VECTOR_MC))

#define MSRPM_BYTES (2 * PAGE_SIZE)

struct svm_features svm_features SEALED;
static uint32_t asid_count SEALED;
static enum vmcb_tlb_control flush_control SEALED;
static uint8_t msr_permissions[MSRPM_BYTES] __attribute__((aligned(4096)));

/* --- the machine --- */

static bool present(void)
{
    return cpuid(0x80000000, 0).eax >= 0x80000001 && cpuid(0x80000001, 0).ecx & CPUID_EXT1_ECX_SVM;
}

static status_t probe(const char **why)
{
    const struct cpuid features = cpuid(CPUID_SVM, 0);

    if (!present())
        *why = "the CPU has no SVM";
    else if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
        *why = "SVM is locked off by the firmware";
    else if (!(features.edx & SVM_FEATURE_NP))
        *why = "the CPU's SVM has no nested paging";
    else if (features.ebx < 2)
        *why = "the CPU's SVM has no address space identifiers";
    else
        return OK;
    return ERR_UNSUPPORTED;
}

/*
 * Two bits for each MSR of three ranges, to read and to write: 1 exits (APM 2 15.11).
 *
 *     0x000  0 … 0x1fff   0x800  0xc0000000 …   0x1000  0xc0010000 …   0x1800  reserved
 */
static void allow_msr(uint32_t index)
{
    const uint32_t area = index >> 16 == 0 ? 0 : index >> 16 == 0xc000 ? 1 : 2;
    const uint32_t at = area * 0x2000 + (index & 0x1fff);

    msr_permissions[at / 4] &= (uint8_t) ~(3u << at % 4 * 2);
}

static void prepare_machine(void)
{
    const struct cpuid features = cpuid(CPUID_SVM, 0);
    struct x86_msr_range range;

    svm_features = (struct svm_features){
        .next_rip = features.edx & SVM_FEATURE_NEXT_RIP,
        .decode_assists = features.edx & SVM_FEATURE_DECODE_ASSISTS,
    };
    flush_control = features.edx & SVM_FEATURE_FLUSH_BY_ASID ? TLB_CONTROL_ASID : TLB_CONTROL_ALL;
    asid_count = features.ebx;
    __builtin_memset(msr_permissions, 0xff, sizeof(msr_permissions));
    for (unsigned i = 0; x86_msr_passed(i, &range); i++)
        for (uint32_t index = range.first; index <= range.last; index++)
            allow_msr(index);
}

/* After its probe, on the boot CPU. */
static const struct pt_format *format(void)
{
    prepare_machine();
    return x86_npt_format;
}

static status_t cpu_enable(const char **why)
{
    const status_t status = probe(why);

    if (status == OK)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    return status;
}

/*
 * QEMU, as of 7.2: FXRSTOR, XRSTOR and FLDENV on any CPU write a flag of the boot CPU's, and may
 * undo what VMRUN or #VMEXIT does to other flags in the same word at that moment. Then a guest
 * goes on in the host's state, or the host in the guest's. CPUs that take turns (-icount) are not
 * concerned, but there is no telling.
 */
static const char *spare_boot_cpu(void)
{
    return cpuid_hypervisor().ebx == HYPERVISOR_TCG ? "QEMU's others disturb SVM there" : NULL;
}

/* --- a vCPU --- */

static uint64_t page_at(const struct hv_vcpu *vcpu, enum svm_page page)
{
    return virt_to_phys(vcpu->page[page]).raw;
}

/* CR4 by the CPU's rules where they are ours too, but QEMU ends a guest that breaks one. */
static void reset_control(struct vmcb *vmcb)
{
    vmcb->intercept[INTERCEPT_CR] =
        INTERCEPT_CR_READ(8) | INTERCEPT_CR_WRITE(8) |
        (x86_features.hides_cr4 || !svm_features.next_rip ? INTERCEPT_CR_WRITE(4) : 0);
    vmcb->intercept[INTERCEPT_EXCEPTION] = INTERCEPTS_EXCEPTION;
    vmcb->intercept[INTERCEPT_1] = INTERCEPTS_1;
    vmcb->intercept[INTERCEPT_2] = INTERCEPTS_2;
    vmcb->intercept[INTERCEPT_3] = INTERCEPTS_3;
    vmcb->pause_count = PAUSE_COUNT;
    vmcb->iopm = x86_image_to_phys(x86_all_ports).raw;
    vmcb->msrpm = x86_image_to_phys(msr_permissions).raw;
    vmcb->virtual_interrupt = V_INTR_MASKING;
    vmcb->np_control = NP_ENABLE;
    vmcb->segment[VMCB_GDTR].limit = SEGMENT_TABLE_LIMIT;
    vmcb->segment[VMCB_IDTR].limit = SEGMENT_TABLE_LIMIT;
}

static void vcpu_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    vcpu->root = root;
    vcpu->tag = tag;
    vmcb->n_cr3 = root.raw;
    vmcb->asid = 1 + tag % (asid_count - 1); /* 0 is the host's */
    vmcb->clean &= ~(CLEAN_NP | CLEAN_ASID);
    vcpu->pending |= PENDING_FLUSH;
}

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    __builtin_memset(vmcb, 0, sizeof(*vmcb));
    reset_control(vmcb);
    x86_vcpu_reset(vcpu, reset);
    x86_vcpu_reset_registers(vcpu, reset);
    vcpu_set_space(vcpu, vcpu->root, vcpu->tag);
}

/* The host's GS and TR, for after each exit, are this CPU's. */
static void vcpu_load(struct hv_vcpu *vcpu)
{
    wrmsr(MSR_VM_HSAVE_PA, page_at(vcpu, SVM_PAGE_HOST_SAVE));
    __asm__ volatile("vmsave %0" : : "a"(page_at(vcpu, SVM_PAGE_HOST)) : "memory");
    svm_vmcb(vcpu)->clean = 0;
    x86_tlb_load(vcpu);
    x86_switch_in(vcpu);
    vcpu->loaded = true;
}

static void vcpu_put(struct hv_vcpu *vcpu)
{
    vcpu->loaded = false;
    x86_switch_out(vcpu);
}

/* True: everything under the guest's ASID is to be forgotten. */
static bool prepare_entry(struct hv_vcpu *vcpu, struct vmcb *vmcb)
{
    const bool flush = vcpu->pending & PENDING_FLUSH;

    vcpu->pending &= ~(uint32_t)PENDING_FLUSH;
    svm_prepare_event(vcpu, vmcb);
    return flush;
}

static void run_to_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);
    const uint64_t at = page_at(vcpu, SVM_PAGE_VMCB);
    const uint64_t host = page_at(vcpu, SVM_PAGE_HOST);

    do {
        bool flush = false;

        if (unlikely(vcpu->event | vcpu->pending)) {
            if (vcpu->pending & PENDING_RESET) {
                exit->reason = VM_EXIT_RESET;
                return;
            }
            flush = prepare_entry(vcpu, vmcb);
        }
        vmcb->rax = vcpu->gpr[GPR_RAX];
        flush |= x86_tlb_enter(vcpu);
        vmcb->tlb_control = likely(!flush) ? TLB_CONTROL_NONE : flush_control;
        svm_enter(vcpu, at, host);
        x86_tlb_leave();
        vcpu->gpr[GPR_RAX] = vmcb->rax;
        vmcb->clean = CLEAN_ALL;
        vmcb->event = 0;
        if (unlikely(vmcb->exit_event & EVENT_VALID))
            svm_requeue_event(vcpu, vmcb);
    } while (!svm_handle_exit(vcpu, exit));
}

static void vcpu_run(struct hv_vcpu *vcpu, hv_answer answer)
{
    struct vm_exit exit;

    do
        run_to_exit(vcpu, &exit);
    while (answer(vcpu, &exit));
}

/*
 * HLT always exits: the VMCB cannot say that a CPU is halted, so after a host interrupt it
 * would go on as if it had been woken.
 */
static void vcpu_trap_halt(struct hv_vcpu *vcpu, bool trap)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);

    vcpu->trap_halt = trap;
    vmcb->intercept[INTERCEPT_1] = trap ? vmcb->intercept[INTERCEPT_1] | INTERCEPT_PAUSE
                                        : vmcb->intercept[INTERCEPT_1] & ~INTERCEPT_PAUSE;
    vmcb->clean &= ~CLEAN_INTERCEPTS;
}

static status_t emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    if (exit->reason == VM_EXIT_MEMORY)
        x86_mmio_learn(vcpu);
    return x86_emulate(vcpu, exit, bus);
}

/* Every access of TPR or CR8 exits, so vm/ sees by itself when it falls. */
static void watch_priority(struct hv_vcpu *vcpu, uint8_t class)
{
    (void)vcpu;
    (void)class;
}

static bool set_apic(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers)
{
    (void)registers;
    vcpu->apic = (uint8_t)how;
    return false;
}

static bool apic_place(paddr_t *page)
{
    (void)page;
    return false;
}

static uint64_t frame_pointer(const struct hv_vcpu *vcpu)
{
    return vcpu->gpr[GPR_RBP];
}

static const struct hv_ops svm_ops = {
    .name = "SVM",
    .probe = probe,
    .cpu_enable = cpu_enable,
    .spare_boot_cpu = spare_boot_cpu,
    .vcpu_reset = vcpu_reset,
    .vcpu_set_space = vcpu_set_space,
    .vcpu_load = vcpu_load,
    .vcpu_put = vcpu_put,
    .vcpu_run = vcpu_run,
    .vcpu_trap_halt = vcpu_trap_halt,
    .finish_read = svm_finish_read,
    .finish_write = svm_finish_write,
    .emulate = emulate,
    .inject_bus_fault = x86_open_bus,
    .skip = svm_skip,
    .irq_ready = svm_irq_ready,
    .inject_irq = svm_inject_irq,
    .inject_nmi = svm_inject_nmi,
    .ask_window = svm_ask_window,
    .watch_priority = watch_priority,
    .inject_gp = x86_inject_gp,
    .set_apic = set_apic,
    .apic_place = apic_place,
    .pc = x86_guest_pc,
    .frame_pointer = frame_pointer,
    .translate = x86_guest_translate,
    .describe = x86_guest_describe,
};

const struct x86_backend svm_backend = {
    .present = present,
    .ops = &svm_ops,
    .guest = &svm_guest_ops,
    .format = format,
};
