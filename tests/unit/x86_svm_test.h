/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVM backend without the hardware: a VMCB, and one vCPU. Include once. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/insn.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/svm/svm.h"

#define RIP 0x1000u
#define IRQ_EVENT(vector) (EVENT_VALID | (vector))
#define EXCEPTION_EVENT(vector) (EVENT_VALID | 3u << 8 | (vector))

static struct hv_vcpu vcpu;
static struct vmcb *const vmcb = (struct vmcb *)vcpu.page[SVM_PAGE_VMCB];
static struct vm_exit vm_exit;
static uint64_t forgotten; /* where accesses are no longer recalled */
static struct insn next_insn;

const struct x86_guest_ops *x86_guest = &svm_guest_ops;
struct svm_features svm_features;

/* --- what guest.c and mmio.c do --- */

void x86_guest_skip(struct hv_vcpu *which, unsigned plain)
{
    svm_advance(which, vmcb, vmcb->rip + plain);
}

uint64_t x86_guest_next(const struct hv_vcpu *which, unsigned length)
{
    (void)which;
    return vmcb->rip + length;
}

status_t x86_guest_decode(struct hv_vcpu *which, struct insn *out)
{
    (void)which;
    *out = next_insn;
    return OK;
}

bool x86_mmio_recall(struct hv_vcpu *which, uint64_t rip, uint64_t cr3, struct vm_exit *exit)
{
    (void)which;
    (void)rip;
    (void)cr3;
    (void)exit;
    return false;
}

void x86_mmio_forget(struct hv_vcpu *which, uint64_t rip)
{
    (void)which;
    forgotten = rip;
}

static inline int set_up(void **state)
{
    (void)state;
    forgotten = 0;
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&next_insn, 0, sizeof(next_insn));
    svm_features = (struct svm_features){ 0 };
    vmcb->rip = RIP;
    vmcb->rflags = RFLAGS_FIXED;
    vmcb->cr0 = CR0_PE;
    vmcb->clean = CLEAN_ALL;
    return 0;
}

static inline bool leave(uint64_t code, uint64_t info0, uint64_t info1)
{
    vmcb->exit_code = code;
    vmcb->exit_info[0] = info0;
    vmcb->exit_info[1] = info1;
    vm_exit.reason = VM_EXIT_REASONS;
    return svm_handle_exit(&vcpu, &vm_exit);
}

/* An entry as the hardware does it: the event is taken. */
static inline uint64_t enter(void)
{
    uint64_t event;

    if (vcpu.event | vcpu.pending)
        svm_prepare_event(&vcpu, vmcb);
    event = vmcb->event;
    vmcb->event = 0;
    return event;
}
