/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the SVM backend share:
 *
 *     svm.c    what vm/ asks for       registers.c  struct x86_guest_ops over the VMCB
 *     run.S    the world switch        event.c      what is delivered at the next entry
 *     exit.c   why it was left         finish.c     accesses that vm/ answered
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/hv.h"
#include "arch/x86/backend.h"
#include "arch/x86/exception.h"
#include "arch/x86/svm/vmcb.h"

/* hv_vcpu.page */
enum svm_page {
    SVM_PAGE_VMCB,
    SVM_PAGE_HOST_SAVE, /* VM_HSAVE_PA: VMRUN's own */
    SVM_PAGE_HOST,      /* a VMCB for the host's VMSAVE and VMLOAD */
};

/* CPUID 0x8000000a's EDX, and the number of ASIDs, its EBX. */
#define SVM_FEATURE_NP BIT(0)
#define SVM_FEATURE_NEXT_RIP BIT(3)
#define SVM_FEATURE_FLUSH_BY_ASID BIT(6)
#define SVM_FEATURE_DECODE_ASSISTS BIT(7)

struct svm_features {
    bool next_rip;
    bool decode_assists;
};
extern struct svm_features svm_features;

static inline struct vmcb *svm_vmcb(const struct hv_vcpu *vcpu)
{
    return (struct vmcb *)(uintptr_t)vcpu->page[SVM_PAGE_VMCB];
}

/* run.S */
void svm_enter(struct hv_vcpu *vcpu, uint64_t vmcb, uint64_t host);

/* exit.c: true when vm/ has to deal with it and `exit` says how. */
bool svm_handle_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);

/* exit.c: RIP moves past the instruction that exited. */
void svm_skip(struct hv_vcpu *vcpu);

/* exit.c: RIP moves to `rip`, and what the instruction before it leaves pending is settled. */
void svm_advance(struct hv_vcpu *vcpu, struct vmcb *vmcb, uint64_t rip);

/* finish.c */
void svm_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value);
void svm_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit);

/* event.c: hv_ops's events, and the hooks around an entry. */
bool svm_irq_ready(const struct hv_vcpu *vcpu);
void svm_inject_irq(struct hv_vcpu *vcpu, uint8_t vector);
void svm_inject_nmi(struct hv_vcpu *vcpu);
void svm_ask_window(struct hv_vcpu *vcpu, bool ask);
void svm_inject_exception(struct hv_vcpu *vcpu, uint8_t vector, int64_t error_code);
/* Before an entry when vcpu->event or vcpu->pending is not 0. */
void svm_prepare_event(struct hv_vcpu *vcpu, struct vmcb *vmcb);
/* After an exit that interrupted a delivery: vmcb->exit_event is valid. */
void svm_requeue_event(struct hv_vcpu *vcpu, const struct vmcb *vmcb);
/* Exits. */
bool svm_window_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
bool svm_iret_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);
bool svm_debug_exit(struct hv_vcpu *vcpu, struct vm_exit *exit);

/* registers.c */
extern const struct x86_guest_ops svm_guest_ops;
