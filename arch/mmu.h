/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table formats. Every table that Socle builds is a radix tree of 512-entry tables of
 * 4 KiB; a format says how an entry is written. kernel/pagetable.c walks them all.
 *
 *     level 0 (512 GiB an entry) -> level 1 (1 GiB) -> level 2 (2 MiB) -> level 3 (4 KiB)
 */
#pragma once

#include "arch/addr.h"

/* What a mapping allows and how memory behaves; a format turns it into descriptor bits. */
enum pt_prot {
    PT_READ = 1 << 0,
    PT_WRITE = 1 << 1,
    PT_EXEC = 1 << 2,
    PT_DEVICE = 1 << 3,  /* device memory; normal write-back without it */
    PT_COMBINE = 1 << 4, /* with PT_DEVICE: writes may be combined, as a frame buffer's */
};

struct pt_format {
    const char *name;
    uint8_t top_level;   /* level of the root table: 0, or 1 with concatenated roots */
    uint8_t root_pages;  /* pages of the root table, contiguous and aligned: 1, or more */
    uint8_t va_bits;     /* input addresses at or above 1 << va_bits are refused */
    uint8_t leaf_levels; /* bit n: level n may hold a leaf (block or page) */

    /* An address is in its place in an entry: make_leaf(to + n) equals make_leaf(to) + n. An
     * entry that is 0 says nothing. */
    uint64_t (*make_leaf)(paddr_t to, unsigned level, unsigned prot);
    uint64_t (*make_table)(paddr_t table);
    bool (*is_present)(uint64_t entry);
    bool (*is_leaf)(uint64_t entry, unsigned level); /* of a present entry */
    paddr_t (*target)(uint64_t entry);               /* of a leaf or a table */
    unsigned (*prot)(uint64_t entry);                /* of a leaf */

    /*
     * A store to an entry became visible to the walkers of other CPUs (barrier, and cache
     * maintenance where walkers do not snoop).
     */
    void (*publish)(void);
};

/*
 * Tells every CPU to forget [va, va + bytes) of the tree tagged `asid` (VMID, ASID or VPID).
 * `level` is that of the smallest leaves that changed, for ranged invalidation.
 */
struct pt_tlb_ops {
    void (*flush_range)(uint32_t tag, uint64_t va, uint64_t bytes, unsigned level);
    void (*flush_all)(uint32_t tag);
};

/* The hypervisor's own first-stage tables. */
extern const struct pt_format *const arch_hyp_format;
extern const struct pt_tlb_ops arch_hyp_tlb;
extern const struct pt_tlb_ops arch_guest_tlb;

/* A guest's second stage: stage 2, EPT or NPT. Chosen with the backend, then constant. */
extern const struct pt_format *arch_guest_format;

/* Width of second-stage tags that the hardware has: 8 or 16 bits of VMID. */
unsigned arch_guest_tag_bits(void);

/* Forget every guest translation on every CPU: when tags are recycled. */
void arch_guest_flush_everything(void);

/* Installs the hypervisor's final tables on the calling CPU. */
void arch_hyp_space_install(paddr_t root);

/*
 * phys_to_virt(paddr_t) and virt_to_phys(const void *): host-physical RAM as the hypervisor
 * sees it, through the direct map. Inline, so found in the architecture's own folder.
 */
#include <arch/layout.h>
