/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a unit test sets and reads of the fake machine. Everything is in its power-on state
 * when the process starts; fake_*_reset brings it back.
 */
#pragma once

#include "arch/mmu.h"

#define FAKE_COUNTER_HZ 62500000u

/* arch_counter() stands still until a test moves it. */
void fake_counter_set(uint64_t ticks);
/* The last arch_timer_set of the calling thread; TIMER_NEVER at first. */
uint64_t fake_timer_deadline(void);

/* What was made visible to observers without caches, since fake_mem_reset. */
struct fake_mem {
    size_t cleaned_bytes;
    size_t zeroed_bytes;
    unsigned instruction_syncs;
};
extern struct fake_mem fake_mem;
void fake_mem_reset(void);

/* Every call of a TLB operation, since fake_tlb_reset. */
#define FAKE_TLB_LOG 64

struct fake_flush {
    uint32_t tag;
    uint64_t va, bytes; /* 0, UINT64_MAX for flush_all */
    unsigned level;
};

struct fake_tlb {
    unsigned flushes;    /* all of flush_range and flush_all */
    unsigned everything; /* arch_guest_flush_everything */
    unsigned publishes;
    struct fake_flush log[FAKE_TLB_LOG]; /* the last ones: log[(flushes - 1) % FAKE_TLB_LOG] */
    unsigned tag_bits;                   /* arch_guest_tag_bits(); 8 at first */

    /* Called where not NULL, so that a test can look at the tables at that moment. */
    void (*on_flush)(const struct fake_flush *flush);
    void (*on_publish)(void);
};
extern struct fake_tlb fake_tlb;
void fake_tlb_reset(void);

/*
 * The fake's entries:  63..56 zero  55..52 prot  51..12 address  3..2 level  1 table  0 present
 */
#define FAKE_PTE_PRESENT ((uint64_t)1 << 0)
#define FAKE_PTE_TABLE ((uint64_t)1 << 1)
