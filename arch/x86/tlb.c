/* SPDX-License-Identifier: BSD-2-Clause */
/* TLBs: the hypervisor's own, and what guests' CPUs remember (see tlb.h). */
#include "arch/x86/tlb.h"

#include <arch/cpu.h>
#include <arch/lapic.h>
#include <arch/vectors.h>

#include "arch/mmu.h"

#define WORD_TAG GENMASK(31, 0)

/* --- own --- */

#define FLUSH_ONE_BY_ONE 64 /* pages; past this, everything */

/*
 * On the calling CPU. Others are not told: device registers and stacks are never unmapped, and
 * what is only made read-only (hyp_seal) they may find out later: at boot, or never.
 */
static void hyp_flush_all(uint32_t tag)
{
    (void)tag;
    write_cr3(read_cr3()); /* nothing is global */
}

static void hyp_flush_range(uint32_t tag, uint64_t va, uint64_t bytes, unsigned level)
{
    const uint64_t step = BIT(12 + 9 * (3 - level));

    if (bytes / step > FLUSH_ONE_BY_ONE) {
        hyp_flush_all(tag);
        return;
    }
    for (uint64_t at = va; at < va + bytes; at += step) {
        const uint64_t canonical = (uint64_t)((int64_t)(at << 16) >> 16);

        __asm__ volatile("invlpg (%0)" : : "r"(canonical) : "memory");
    }
}

const struct pt_tlb_ops arch_hyp_tlb = { hyp_flush_range, hyp_flush_all };

/* --- guests' --- */

uint32_t x86_tlb_generation[1u << X86_TAG_BITS];

void x86_tlb_load(struct hv_vcpu *vcpu)
{
    struct x86_cpu *const cpu = x86_cpu_self();

    if (cpu->last != vcpu || vcpu->tlb_cpu != cpu->index + 1)
        vcpu->tlb_stale = true;
    cpu->last = vcpu;
    vcpu->tlb_cpu = cpu->index + 1;
}

static uint64_t guest_word(const struct x86_cpu *cpu)
{
    return __atomic_load_n(&cpu->guest, __ATOMIC_SEQ_CST);
}

/* The first pass kicks all, the second waits, so that they leave at the same time. */
static void guest_flush_all(uint32_t tag)
{
    uint64_t seen[X86_MAX_CPUS];

    __atomic_fetch_add(&x86_tlb_generation[tag], 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < X86_MAX_CPUS; i++) {
        seen[i] = guest_word(&x86_cpus[i]);
        if (seen[i] != 0 && FIELD_GET(WORD_TAG, seen[i]) == tag)
            lapic_send(x86_cpus[i].apic_id, VECTOR_KICK);
        else
            seen[i] = 0;
    }
    for (unsigned i = 0; i < X86_MAX_CPUS; i++) {
        while (seen[i] != 0 && guest_word(&x86_cpus[i]) == seen[i])
            cpu_relax();
    }
}

static void guest_flush_range(uint32_t tag, uint64_t gpa, uint64_t bytes, unsigned level)
{
    (void)gpa; /* no CPU has an operation for less than all of a tag's */
    (void)bytes;
    (void)level;
    guest_flush_all(tag);
}

const struct pt_tlb_ops arch_guest_tlb = { guest_flush_range, guest_flush_all };

unsigned arch_guest_tag_bits(void)
{
    return X86_TAG_BITS;
}

/* A tag's new owner forgets, at its first entry on each CPU, what the old one left. */
void arch_guest_flush_everything(void)
{
}
