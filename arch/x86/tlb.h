/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest translations in the CPUs' TLBs. x86 has no broadcast for them, so every tag has a
 * generation that a flush advances, and a vCPU remembers the one that it last entered with:
 *
 *     flush                                   entry (interrupts masked)
 *     -----                                   -------------------------
 *     generation[tag]++                       this CPU's word = (entries << 32 | tag)
 *     for each CPU whose word has the tag:    generation[tag] moved?  forget the tag's
 *         kick it, wait until its word moves  VMRUN / VMRESUME
 *                                             word = 0
 *
 * The store and the load in the middle are in this order on either side, so a CPU that did not
 * see the new generation has its word seen. A CPU that is in the hypervisor, whatever lock it
 * waits for, has no word, and looks at the generation before it enters again: nobody waits
 * for it. The kick stays pending while interrupts are masked, so it ends the entry at once.
 *
 * A vCPU that moved to this CPU, or comes back after another vCPU, forgets its tag at its
 * first entry: two vCPUs of a VM share a tag but not their own page tables, and what this CPU
 * remembers of the tag may be old. So a recycled tag needs nothing.
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/bits.h"
#include "arch/x86/x86.h"

#define X86_TAG_BITS 12

/* Advanced by every flush of the tag. */
extern uint32_t x86_tlb_generation[1u << X86_TAG_BITS];

/* In vcpu_load, on the CPU that is to run it. */
void x86_tlb_load(struct hv_vcpu *vcpu);

/*
 * Right before each entry. True: the backend must forget everything under the vCPU's tag
 * (VMX: INVEPT and INVVPID of one context; SVM: TLB_CONTROL) with this very entry.
 */
static inline bool x86_tlb_enter(struct hv_vcpu *vcpu)
{
    struct x86_cpu *cpu = x86_cpu_self();
    const uint64_t word = ++cpu->entries << 32 | vcpu->tag;

    __atomic_exchange_n(&cpu->guest, word, __ATOMIC_SEQ_CST); /* and a full barrier */
    const uint32_t generation = __atomic_load_n(&x86_tlb_generation[vcpu->tag], __ATOMIC_RELAXED);
    if (likely(generation == vcpu->tlb_generation && !vcpu->tlb_stale))
        return false;
    vcpu->tlb_generation = generation;
    vcpu->tlb_stale = false;
    return true;
}

/* Right after each exit, once GS.base is the host's. */
static inline void x86_tlb_leave(void)
{
    __atomic_store_n(&x86_cpu_self()->guest, 0, __ATOMIC_RELEASE);
}
