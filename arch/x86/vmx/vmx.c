/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMX backend: what vm/ asks of it, and which state changes hands when. SDM 3C chapters
 * 23 to 31.
 *
 *     every exit           general registers, CR2       run.S
 *                          all that the VMCS holds      the CPU
 *     another vCPU loads   the VMCS itself              VMCLEAR, VMPTRLD
 *                          STAR … KERNEL_GS_BASE, DR6   here
 *                          XSAVE state, DR0 to DR3      arch/x86/switch.h
 *
 * EPT, VPIDs and unrestricted guests are required. A vCPU's VPID is its tag.
 */
#include <arch/cpu.h>
#include <arch/layout.h>

#include "arch/image.h"
#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/msr.h"
#include "arch/x86/switch.h"
#include "arch/x86/tlb.h"
#include "arch/x86/vmx/vmx.h"
#include "arch/x86/x86.h"

#define CPUID_1_ECX_VMX BIT(5)

/* SDM 3D appendix A. The true controls are 12 behind the others. */
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_PIN 0x481
#define MSR_VMX_PRIMARY 0x482
#define MSR_VMX_EXIT 0x483
#define MSR_VMX_ENTRY 0x484
#define MSR_VMX_MISC 0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_SECONDARY 0x48b
#define MSR_VMX_EPT_VPID 0x48c
#define VMX_TRUE_CONTROLS 12

struct vmx_capability vmx_cpu SEALED;
static uint8_t vmxon_region[X86_MAX_CPUS][PAGE_SIZE] __attribute__((aligned(4096)));

/* --- the machine --- */

static bool present(void)
{
    return cpuid(1, 0).ecx & CPUID_1_ECX_VMX;
}

static uint64_t may_be_one(uint64_t control, uint32_t bits)
{
    return control >> 32 & bits;
}

/* An MSR that is not announced is not there. */
static struct vmx_capability read_capability(void)
{
    struct vmx_capability cpu = {
        .feature_control = rdmsr(MSR_FEATURE_CONTROL),
        .basic = rdmsr(MSR_VMX_BASIC),
        .misc = rdmsr(MSR_VMX_MISC),
    };
    const uint32_t from = cpu.basic & BASIC_TRUE_CONTROLS ? VMX_TRUE_CONTROLS : 0;

    cpu.control[VMX_PIN] = rdmsr(MSR_VMX_PIN + from);
    cpu.control[VMX_PRIMARY] = rdmsr(MSR_VMX_PRIMARY + from);
    cpu.control[VMX_EXIT] = rdmsr(MSR_VMX_EXIT + from);
    cpu.control[VMX_ENTRY] = rdmsr(MSR_VMX_ENTRY + from);
    if (may_be_one(cpu.control[VMX_PRIMARY], PRIMARY_SECONDARY))
        cpu.control[VMX_SECONDARY] = rdmsr(MSR_VMX_SECONDARY);
    if (may_be_one(cpu.control[VMX_SECONDARY], SECONDARY_EPT | SECONDARY_VPID))
        cpu.ept_vpid = rdmsr(MSR_VMX_EPT_VPID);
    return cpu;
}

static status_t probe(const char **why)
{
    struct vmx_capability cpu;

    *why = "the CPU has no VMX";
    if (!present())
        return ERR_UNSUPPORTED;
    cpu = read_capability();
    return vmx_check(&cpu, why) ? OK : ERR_UNSUPPORTED;
}

/* After its probe, on the boot CPU. */
static const struct pt_format *format(void)
{
    vmx_cpu = read_capability();
    vmx_prepare_machine();
    return x86_ept_format(vmx_cpu.ept_vpid & EPT_PAGES_1G ? 1 : 2);
}

static void write_revision(void *region)
{
    const uint32_t revision = (uint32_t)FIELD_GET(BASIC_REVISION, vmx_cpu.basic);

    __builtin_memcpy(region, &revision, sizeof(revision));
}

/* Firmware may have left the choice to us: it is made once, until the next reset. */
static void allow_vmx(void)
{
    const uint64_t control = rdmsr(MSR_FEATURE_CONTROL);

    if (!(control & FEATURE_CONTROL_LOCKED))
        wrmsr(MSR_FEATURE_CONTROL, control | FEATURE_CONTROL_VMX | FEATURE_CONTROL_LOCKED);
}

static status_t cpu_enable(const char **why)
{
    uint8_t *const region = vmxon_region[x86_cpu_self()->index];
    const status_t status = probe(why);

    if (status != OK)
        return status;
    allow_vmx();
    write_cr0(read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0));
    write_cr4(read_cr4() | rdmsr(MSR_VMX_CR4_FIXED0));
    write_revision(region);
    if (vmxon(x86_image_to_phys(region).raw))
        return OK;
    *why = "this CPU announces VMX, but refuses VMXON";
    return ERR_UNSUPPORTED;
}

/* --- a vCPU's VMCS --- */

static uint64_t vmcs_of(const struct hv_vcpu *vcpu)
{
    return virt_to_phys(vcpu->page[VMX_PAGE_VMCS]).raw;
}

/*
 * The VMCS of a vCPU that is not loaded becomes current for a moment, instead of that of
 * another; the return value gives it back.
 */
static uint64_t borrow(const struct hv_vcpu *vcpu)
{
    const uint64_t other = vmptrst();

    if (!vcpu->loaded)
        vmptrld(vmcs_of(vcpu));
    return other;
}

static void give_back(const struct hv_vcpu *vcpu, uint64_t other)
{
    if (vcpu->loaded)
        return;
    vmclear(vmcs_of(vcpu));
    if (other != VMX_NO_VMCS)
        vmptrld(other);
}

static void vcpu_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag)
{
    const uint64_t other = borrow(vcpu);

    vcpu->root = root;
    vcpu->tag = tag;
    vmwrite(VMCS_EPT_POINTER, vmx_ept_pointer(root));
    vmwrite(VMCS_VPID, tag);
    vcpu->tlb_stale = true;
    give_back(vcpu, other);
}

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    uint64_t other;

    __builtin_memset(vcpu->page, 0, sizeof(vcpu->page));
    write_revision(vcpu->page[VMX_PAGE_VMCS]);
    vmclear(vmcs_of(vcpu));
    other = borrow(vcpu);
    vmx_reset_control(vcpu);
    x86_vcpu_reset(vcpu, reset);
    x86_vcpu_reset_registers(vcpu, reset);
    give_back(vcpu, other);
    vcpu_set_space(vcpu, vcpu->root, vcpu->tag);
}

/* --- on a CPU --- */

static const uint32_t switched_msrs[VMX_SWITCHED_MSRS] = { MSR_STAR, MSR_LSTAR, MSR_CSTAR,
                                                           MSR_SFMASK, MSR_KERNEL_GS_BASE };

static void vcpu_load(struct hv_vcpu *vcpu)
{
    struct vmx_state *const state = vmx_state(vcpu);
    const uint32_t host_cpu = x86_cpu_self()->index + 1;

    vmptrld(vmcs_of(vcpu));
    state->launched = false;
    if (state->host_cpu != host_cpu)
        vmx_write_host_state();
    state->host_cpu = host_cpu;
    for (unsigned i = 0; i < VMX_SWITCHED_MSRS; i++)
        wrmsr(switched_msrs[i], state->msr[i]);
    write_dr6(vcpu->dr6);
    x86_tlb_load(vcpu);
    x86_switch_in(vcpu);
    vcpu->loaded = true;
}

static void vcpu_put(struct hv_vcpu *vcpu)
{
    struct vmx_state *const state = vmx_state(vcpu);

    vcpu->loaded = false;
    x86_switch_out(vcpu);
    vcpu->dr6 = read_dr6();
    for (unsigned i = 0; i < VMX_SWITCHED_MSRS; i++)
        state->msr[i] = rdmsr(switched_msrs[i]);
    vmclear(vmcs_of(vcpu));
}

/* Seldom needed. True: the translations of the guest's own tables are to be forgotten. */
static __attribute__((noinline)) bool prepare_entry(struct hv_vcpu *vcpu)
{
    const bool flush = vcpu->pending & PENDING_FLUSH;

    if (vcpu->pending & PENDING_APIC)
        vmx_prepare_apic(vcpu);
    vcpu->pending &= ~(uint32_t)(PENDING_FLUSH | PENDING_APIC);
    vmx_prepare_event(vcpu);
    return flush;
}

/* Of the second stage that changed; or only of the guest's own, where a control register did. */
static void forget(const struct hv_vcpu *vcpu, bool second_stage)
{
    if (second_stage)
        invept(vmx_invept_type(&vmx_cpu), vmx_ept_pointer(vcpu->root));
    invvpid(vmx_invvpid_type(&vmx_cpu), vcpu->tag);
}

static void run_to_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    struct vmx_state *const state = vmx_state(vcpu);

    do {
        bool flush = false, second_stage, entered;

        if (unlikely(vcpu->event | vcpu->pending)) {
            if (vcpu->pending & PENDING_RESET) {
                exit->reason = VM_EXIT_RESET;
                return;
            }
            flush = prepare_entry(vcpu);
        }
        second_stage = x86_tlb_enter(vcpu);
        if (unlikely(flush || second_stage))
            forget(vcpu, second_stage);
        entered = vmx_enter(vcpu, state->launched);
        x86_tlb_leave();
        if (unlikely(!entered)) {
            vmx_enter_failed(exit);
            return;
        }
        state->launched = true;
    } while (!vmx_handle_exit(vcpu, exit));
}

static void vcpu_run(struct hv_vcpu *vcpu, hv_answer answer)
{
    struct vm_exit exit;

    do
        run_to_exit(vcpu, &exit);
    while (answer(vcpu, &exit));
}

/*
 * HLT always exits, as under SVM: a guest that halts its CPU with interrupts off would stay in
 * the hardware's halted state, from which some emulators do not let the host's interrupts out.
 */
static void vcpu_trap_halt(struct hv_vcpu *vcpu, bool trap)
{
    vcpu->trap_halt = trap;
    vmx_intercept(vcpu, PRIMARY_PAUSE, trap);
}

static status_t emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    if (exit->reason == VM_EXIT_MEMORY)
        x86_mmio_learn(vcpu);
    return x86_emulate(vcpu, exit, bus);
}

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    const uint64_t other = borrow(vcpu);
    const uint64_t at = x86_guest_pc(vcpu);

    give_back(vcpu, other);
    return at;
}

static uint64_t frame_pointer(const struct hv_vcpu *vcpu)
{
    return vcpu->gpr[GPR_RBP];
}

static void describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    const uint64_t other = borrow(vcpu);

    x86_guest_describe(vcpu, print, context);
    give_back(vcpu, other);
}

static const struct hv_ops vmx_ops = {
    .name = "VMX",
    .probe = probe,
    .cpu_enable = cpu_enable,
    .vcpu_reset = vcpu_reset,
    .vcpu_set_space = vcpu_set_space,
    .vcpu_load = vcpu_load,
    .vcpu_put = vcpu_put,
    .vcpu_run = vcpu_run,
    .vcpu_trap_halt = vcpu_trap_halt,
    .finish_read = vmx_finish_read,
    .finish_write = vmx_finish_write,
    .emulate = emulate,
    .inject_bus_fault = x86_open_bus,
    .skip = vmx_skip,
    .irq_ready = vmx_irq_ready,
    .inject_irq = vmx_inject_irq,
    .inject_nmi = vmx_inject_nmi,
    .ask_window = vmx_ask_window,
    .watch_priority = vmx_watch_priority,
    .inject_gp = x86_inject_gp,
    .set_apic = vmx_set_apic,
    .apic_place = vmx_apic_place,
    .pc = pc,
    .frame_pointer = frame_pointer,
    .translate = x86_guest_translate,
    .describe = describe,
};

const struct x86_backend vmx_backend = {
    .present = present,
    .ops = &vmx_ops,
    .guest = &vmx_guest_ops,
    .format = format,
};
