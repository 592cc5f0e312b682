/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: what the guest takes at its next entry (VMCS_ENTRY_EVENT, SDM 3C 24.8.3, 26.6), and
 * what waits. An exit clears the field's valid bit.
 *
 *     vcpu->event        a delivery that an exit interrupted: repeated, unless an exception is
 *                        due first
 *     PENDING_NMI        an NMI while another is handled, or something else is delivered; the
 *                        CPU knows when IRET ends that (virtual NMIs), and the NMI window tells
 *     PENDING_WINDOW     vm/ waits for IF: the interrupt window tells
 */
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/exits.h"
#include "arch/x86/vmx/vmx.h"

#define DR7_GD BIT(13)

static bool is_pending(void)
{
    return vmread(VMCS_ENTRY_EVENT) & EVENT_VALID;
}

static unsigned event_type(uint64_t event)
{
    return (unsigned)FIELD_GET(EVENT_TYPE, event);
}

static bool takes_interrupts(void)
{
    return vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF &&
           !(vmread(VMCS_INTERRUPTIBILITY) & BLOCKED_SHADOW);
}

static void deliver(uint64_t event)
{
    vmwrite(VMCS_ENTRY_EVENT, (uint32_t)event);
    if (event & EVENT_HAS_ERROR)
        vmwrite(VMCS_ENTRY_ERROR_CODE, FIELD_GET(EVENT_ERROR, event));
}

/* An entry that delivers ends the shadow of STI or MOV SS; it may refuse to when that is set. */
static void end_shadow(void)
{
    const uint64_t blocked = vmread(VMCS_INTERRUPTIBILITY);

    if (blocked & BLOCKED_SHADOW)
        vmwrite(VMCS_INTERRUPTIBILITY, blocked & ~BLOCKED_SHADOW);
}

bool vmx_irq_ready(const struct hv_vcpu *vcpu)
{
    return takes_interrupts() && !is_pending() && !(vcpu->event & EVENT_VALID);
}

void vmx_inject_irq(struct hv_vcpu *vcpu, uint8_t vector)
{
    (void)vcpu;
    deliver(EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_INTR) | vector);
}

/* --- windows --- */

void vmx_intercept(struct hv_vcpu *vcpu, uint32_t what, bool on)
{
    struct vmx_state *const state = vmx_state(vcpu);
    const uint32_t primary = on ? state->primary | what : state->primary & ~what;

    if (primary == state->primary)
        return;
    state->primary = primary;
    vmwrite(VMCS_PRIMARY_CONTROLS, primary);
}

static void set_window(struct hv_vcpu *vcpu, bool on)
{
    vmx_intercept(vcpu, PRIMARY_INTERRUPT_WINDOW, on);
}

void vmx_ask_window(struct hv_vcpu *vcpu, bool ask)
{
    if (ask == ((vcpu->pending & PENDING_WINDOW) != 0))
        return;
    vcpu->pending ^= PENDING_WINDOW;
    set_window(vcpu, ask);
}

bool vmx_window_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const bool asked = vcpu->pending & PENDING_WINDOW;

    vcpu->pending &= ~(uint32_t)PENDING_WINDOW;
    set_window(vcpu, false);
    exit->reason = VM_EXIT_WINDOW;
    return asked; /* else it was for an interrupted delivery, which is repeated now */
}

/* --- NMIs --- */

static void deliver_nmi(struct hv_vcpu *vcpu)
{
    vcpu->pending &= ~(uint32_t)PENDING_NMI;
    end_shadow();
    deliver(EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_NMI) | VECTOR_NMI);
}

void vmx_inject_nmi(struct hv_vcpu *vcpu)
{
    vcpu->pending |= PENDING_NMI;
}

bool vmx_nmi_window_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    vmx_intercept(vcpu, PRIMARY_NMI_WINDOW, false);
    return false; /* it is pending, and can be delivered now */
}

void vmx_nmi_reblock(void)
{
    vmwrite(VMCS_INTERRUPTIBILITY, vmread(VMCS_INTERRUPTIBILITY) | BLOCKED_BY_NMI);
}

/* --- exceptions --- */

/*
 * #DB exits so that a guest cannot keep the CPU in an endless delivery of it. What its delivery
 * does to DR6 and DR7 is left to us (SDM 3C 27.2.1). INT1 is a #DB of its own: no reason in DR6.
 */
bool vmx_debug_exit(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t met = vmread(VMCS_QUALIFICATION);

    (void)exit;
    if (event_type(vmread(VMCS_EXIT_EVENT)) == EVENT_SOFTWARE_PRIVILEGED)
        vmx_skip(vcpu);
    else
        x86_guest->set(vcpu, REG_DR6,
                       (x86_guest->get(vcpu, REG_DR6) & ~DEBUG_MET) |
                           (met & (DEBUG_MET | DEBUG_BD | DEBUG_BS)));
    vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
    vmx_inject_exception(vcpu, VECTOR_DB, -1);
    return false;
}

/* In real mode no error code is pushed, and none may be asked for. */
static bool has_error(const struct hv_vcpu *vcpu, int64_t error_code)
{
    return error_code >= 0 && x86_guest->get(vcpu, REG_CR0) & CR0_PE;
}

void vmx_inject_exception(struct hv_vcpu *vcpu, uint8_t vector, int64_t error_code)
{
    const uint64_t queued = vmread(VMCS_ENTRY_EVENT);
    const uint64_t before =
        queued & EVENT_VALID ? queued | vmread(VMCS_ENTRY_ERROR_CODE) << 32 : vcpu->event;
    uint64_t event;

    vmwrite(VMCS_ENTRY_EVENT, 0);
    if (before & EVENT_VALID && !x86_exit_displace(vcpu, before, &vector, &error_code))
        return;
    event = EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_EXCEPTION) | vector;
    if (has_error(vcpu, error_code))
        event |= EVENT_HAS_ERROR | FIELD_PREP(EVENT_ERROR, error_code);
    end_shadow();
    deliver(event);
}

/* --- around an entry --- */

/* An NMI blocked others as its delivery began; it is to come once more. */
void vmx_requeue_event(struct hv_vcpu *vcpu, uint64_t event)
{
    x86_mmio_forget(vcpu, vmread(VMCS_GUEST_RIP));
    if (x86_exit_is_repeated(event))
        return;
    if (event_type(event) == EVENT_NMI) {
        vmwrite(VMCS_INTERRUPTIBILITY, vmread(VMCS_INTERRUPTIBILITY) & ~BLOCKED_BY_NMI);
        vcpu->pending |= PENDING_NMI;
        return;
    }
    vcpu->event = event & (EVENT_VALID | EVENT_TYPE | EVENT_VECTOR);
    if (event & EVENT_HAS_ERROR && has_error(vcpu, 0)) /* Bochs tells of one in real mode, too */
        vcpu->event |=
            EVENT_HAS_ERROR | FIELD_PREP(EVENT_ERROR, vmread(VMCS_INTERRUPTED_ERROR_CODE));
}

/* An interrupt that an exception overtook waits for IF again; all else is due at once. */
static void repeat_event(struct hv_vcpu *vcpu)
{
    if (is_pending() || (event_type(vcpu->event) == EVENT_INTR && !takes_interrupts())) {
        set_window(vcpu, true);
        return;
    }
    deliver(vcpu->event);
    vcpu->event = 0;
}

void vmx_prepare_event(struct hv_vcpu *vcpu)
{
    if (vcpu->event & EVENT_VALID)
        repeat_event(vcpu);
    if (!(vcpu->pending & PENDING_NMI))
        return;
    if (is_pending() || vmread(VMCS_INTERRUPTIBILITY) & (BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI))
        vmx_intercept(vcpu, PRIMARY_NMI_WINDOW, true);
    else
        deliver_nmi(vcpu);
}
