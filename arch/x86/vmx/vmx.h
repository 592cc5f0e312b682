/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the VMX backend share:
 *
 *     vmx.c    what vm/ asks for       registers.c   struct x86_guest_ops over the VMCS
 *     run.S    the world switch        event.c       what is delivered at the next entry
 *     exit.c   why it was left         finish.c      accesses that vm/ answered
 *     state.c  a vCPU's VMCS           capability.c  what the CPU can, what is needed
 *     apic.c   the virtual APIC        failure.c    entries that failed, in words
 *
 * The VMCS of a loaded vCPU is current on its CPU. One that is not loaded is nowhere: it is
 * cleared, and borrowed (vmx_borrow) for what vm/ may do to such a vCPU.
 */
#pragma once

#include <arch/vcpu.h>
#include <arch/vmx.h>

#include "arch/hv.h"
#include "arch/x86/backend.h"
#include "arch/x86/exception.h"
#include "arch/x86/vmx/capability.h"
#include "arch/x86/vmx/vmcs.h"

/* hv_vcpu.page */
enum vmx_page {
    VMX_PAGE_VMCS,
    VMX_PAGE_STATE, /* struct vmx_state */
};

/* STAR, LSTAR, CSTAR, SFMASK, KERNEL_GS_BASE: the hypervisor does not use them. */
#define VMX_SWITCHED_MSRS 5

/* What the VMCS does not hold. */
struct vmx_state {
    uint64_t msr[VMX_SWITCHED_MSRS]; /* while not loaded */
    uint32_t primary;                /* VMCS_PRIMARY_CONTROLS, as last written */
    uint32_t host_cpu;               /* whose state the host-state area has, + 1; 0: nobody's */
    bool launched;                   /* since it was loaded: VMRESUME, not VMLAUNCH */
};

static inline struct vmx_state *vmx_state(const struct hv_vcpu *vcpu)
{
    return (struct vmx_state *)(uintptr_t)vcpu->page[VMX_PAGE_STATE];
}

/* vmx.c: constant after the backend was chosen. */
extern struct vmx_capability vmx_cpu;

/* run.S: false where the entry failed and no guest ran. */
bool vmx_enter(struct hv_vcpu *vcpu, bool launched);
extern const char vmx_exited[]; /* VMCS_HOST_RIP */

/* state.c: controls and guest state of a new vCPU; the host's of the calling CPU. */
void vmx_reset_control(const struct hv_vcpu *vcpu);
void vmx_write_host_state(void);
uint64_t vmx_ept_pointer(paddr_t root);
/* The current VMCS's preemption timer starts anew, where the CPU has one. */
void vmx_wind_timer(void);
void vmx_prepare_machine(void);
/* Which MSRs the current VMCS's guest accesses without an exit: with x2APIC's, or without. */
void vmx_allow_msrs(bool x2apic);

/* exit.c: true when vm/ has to deal with it and `exit` says how. */
bool vmx_handle_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);

/* exit.c: whether the instruction of a memory exit is known: the rest of exit->memory. */
void vmx_recall(struct hv_vcpu *vcpu, struct vm_exit *exit);

/* exit.c: RIP moves past the instruction that exited. */
void vmx_skip(struct hv_vcpu *vcpu);

/* exit.c: RIP moves to `rip`, and what the instruction before it leaves pending is settled. */
void vmx_advance(struct hv_vcpu *vcpu, uint64_t rip);

/* failure.c: VM_EXIT_FATAL in words: vmx_enter said false; or `reason` has its highest bit set. */
void vmx_enter_failed(struct vm_exit *exit);
bool vmx_entry_failure(uint64_t reason, struct vm_exit *exit);

/* finish.c */
void vmx_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value);
void vmx_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit);

/* event.c: hv_ops's events, and the hooks around an entry. */
bool vmx_irq_ready(const struct hv_vcpu *vcpu);
void vmx_inject_irq(struct hv_vcpu *vcpu, uint8_t vector);
void vmx_inject_nmi(struct hv_vcpu *vcpu);
void vmx_ask_window(struct hv_vcpu *vcpu, bool ask);
void vmx_inject_exception(struct hv_vcpu *vcpu, uint8_t vector, int64_t error_code);
/* Primary controls on or off. */
void vmx_intercept(struct hv_vcpu *vcpu, uint32_t what, bool on);
/* Before an entry when vcpu->event or vcpu->pending is not 0. */
void vmx_prepare_event(struct hv_vcpu *vcpu);
/* After an exit that interrupted a delivery: VMCS_INTERRUPTED_EVENT, which is valid. */
void vmx_requeue_event(struct hv_vcpu *vcpu, uint64_t event);
/* Exits. */
bool vmx_window_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
bool vmx_nmi_window_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
bool vmx_debug_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
/* An exit in the middle of IRET, which had unblocked NMIs already. */
void vmx_nmi_reblock(void);

/* apic.c: hv_ops's, and what an entry is to do about PENDING_APIC. */
void vmx_watch_priority(struct hv_vcpu *vcpu, uint8_t class);
bool vmx_set_apic(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers);
bool vmx_apic_place(paddr_t *page);
void vmx_prepare_apic(struct hv_vcpu *vcpu);
/* In a VMCS after reset: no APIC. */
void vmx_reset_apic(void);
/* Exits. */
bool vmx_priority_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
bool vmx_apic_access_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
bool vmx_apic_write_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);

/* registers.c */
extern const struct x86_guest_ops vmx_guest_ops;
