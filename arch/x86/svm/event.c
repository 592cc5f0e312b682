/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: what the guest takes at its next entry (vmcb->event, APM 2 15.20), and what waits.
 *
 *     vcpu->event        a delivery that an exit interrupted: repeated, unless an exception is
 *                        due first
 *     PENDING_NMI        an NMI while another is handled, or something else is delivered
 *     PENDING_WINDOW     vm/ waits for IF: a virtual interrupt whose intercept tells
 *
 * Between an NMI and its IRET the IRET is intercepted. If another NMI waits then, IRET runs
 * as a single step, so that the NMI comes behind it and not onto its stack.
 */
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/exits.h"
#include "arch/x86/svm/svm.h"

#define DR6_BS BIT(14)

static bool is_pending(const struct vmcb *vmcb)
{
    return vmcb->event & EVENT_VALID;
}

static unsigned event_type(uint64_t event)
{
    return (unsigned)FIELD_GET(EVENT_TYPE, event);
}

static bool takes_interrupts(const struct vmcb *vmcb)
{
    return vmcb->rflags & RFLAGS_IF && !(vmcb->interrupt_shadow & INTERRUPT_SHADOW);
}

static void intercept(struct vmcb *vmcb, uint32_t what, bool on)
{
    vmcb->intercept[INTERCEPT_1] =
        on ? vmcb->intercept[INTERCEPT_1] | what : vmcb->intercept[INTERCEPT_1] & ~what;
    vmcb->clean &= ~CLEAN_INTERCEPTS;
}

bool svm_irq_ready(const struct hv_vcpu *vcpu)
{
    const struct vmcb *vmcb = svm_vmcb(vcpu);

    return takes_interrupts(vmcb) && !is_pending(vmcb) && !(vcpu->event & EVENT_VALID);
}

void svm_inject_irq(struct hv_vcpu *vcpu, uint8_t vector)
{
    svm_vmcb(vcpu)->event = EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_INTR) | vector;
}

/* --- windows --- */

static void set_window(struct vmcb *vmcb, bool on)
{
    const uint64_t window = V_IRQ | V_INTR_PRIO_HIGHEST | V_IGN_TPR;

    vmcb->virtual_interrupt =
        on ? vmcb->virtual_interrupt | window : vmcb->virtual_interrupt & ~window;
    vmcb->clean &= ~CLEAN_TPR;
    intercept(vmcb, INTERCEPT_VINTR, on);
}

void svm_ask_window(struct hv_vcpu *vcpu, bool ask)
{
    if (ask == ((vcpu->pending & PENDING_WINDOW) != 0))
        return;
    vcpu->pending ^= PENDING_WINDOW;
    set_window(svm_vmcb(vcpu), ask);
}

bool svm_window_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    struct vmcb *const vmcb = svm_vmcb(vcpu);
    const bool asked = vcpu->pending & PENDING_WINDOW;

    vcpu->pending &= ~(uint32_t)PENDING_WINDOW;
    set_window(vmcb, false);
    exit->reason = VM_EXIT_WINDOW;
    return asked; /* else it was for an interrupted delivery, which is repeated now */
}

/* --- NMIs --- */

static void deliver_nmi(struct hv_vcpu *vcpu, struct vmcb *vmcb)
{
    vcpu->pending &= ~(uint32_t)PENDING_NMI;
    vcpu->nmi_blocked = true;
    vmcb->event = EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_NMI) | VECTOR_NMI;
    intercept(vmcb, INTERCEPT_IRET, true);
}

void svm_inject_nmi(struct hv_vcpu *vcpu)
{
    vcpu->pending |= PENDING_NMI;
}

bool svm_iret_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    struct vmcb *const vmcb = svm_vmcb(vcpu);

    (void)exit;
    intercept(vmcb, INTERCEPT_IRET, false);
    vcpu->nmi_blocked = false;
    if (vcpu->pending & PENDING_NMI) {
        vcpu->pending |= PENDING_STEP;
        vmcb->rflags |= RFLAGS_TF;
    }
    return false;
}

/*
 * #DB exits so that a guest cannot keep the CPU in an endless delivery of it; the guest gets
 * it as it is (DR6 is in the VMCB already), unless it is our own step over IRET. A guest
 * that steps itself popped TF with its flags, and sees its own trap one instruction later.
 */
bool svm_debug_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    struct vmcb *const vmcb = svm_vmcb(vcpu);

    (void)exit;
    if (vcpu->pending & PENDING_STEP) {
        vcpu->pending &= ~(uint32_t)PENDING_STEP;
        vmcb->dr6 &= ~DR6_BS;
        vmcb->clean &= ~CLEAN_DR;
        return false;
    }
    svm_inject_exception(vcpu, VECTOR_DB, -1);
    return false;
}

/* --- exceptions --- */

void svm_inject_exception(struct hv_vcpu *vcpu, uint8_t vector, int64_t error_code)
{
    struct vmcb *vmcb = svm_vmcb(vcpu);
    const uint64_t before = is_pending(vmcb) ? vmcb->event : vcpu->event;

    vmcb->event = 0;
    if (before & EVENT_VALID && !x86_exit_displace(vcpu, before, &vector, &error_code))
        return;
    vmcb->event = EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_EXCEPTION) | vector;
    if (error_code >= 0 && vmcb->cr0 & CR0_PE) /* real mode pushes none */
        vmcb->event |= EVENT_HAS_ERROR | FIELD_PREP(EVENT_ERROR, error_code);
}

/* --- around an entry --- */

void svm_requeue_event(struct hv_vcpu *vcpu, const struct vmcb *vmcb)
{
    x86_mmio_forget(vcpu, vmcb->rip);
    if (!x86_exit_is_repeated(vmcb->exit_event))
        vcpu->event = vmcb->exit_event;
}

/* An interrupt that an exception overtook waits for IF again; all else is due at once. */
static void repeat_event(struct hv_vcpu *vcpu, struct vmcb *vmcb)
{
    if (is_pending(vmcb) || (event_type(vcpu->event) == EVENT_INTR && !takes_interrupts(vmcb))) {
        set_window(vmcb, true);
        return;
    }
    vmcb->event = vcpu->event;
    vcpu->event = 0;
}

void svm_prepare_event(struct hv_vcpu *vcpu, struct vmcb *vmcb)
{
    if (vcpu->event & EVENT_VALID)
        repeat_event(vcpu, vmcb);
    if (vcpu->pending & PENDING_NMI && !vcpu->nmi_blocked && !is_pending(vmcb) &&
        !(vcpu->pending & PENDING_STEP))
        deliver_nmi(vcpu, vmcb);
    if (vcpu->pending & PENDING_NMI && !vcpu->nmi_blocked && !(vcpu->pending & PENDING_STEP))
        set_window(vmcb, true);
}
