/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two page-table formats in one ink, shaped like the real ones:
 *
 *     guest       levels 1-3, two concatenated root pages, 40 bits   (as stage 2)
 *     hypervisor  levels 0-3, one root page, 48 bits                 (as EPT, or EL2's own)
 *
 * and TLB operations that are counted, remembered, and shown to the test.
 */

#include "arch/fake/fake.h"

#include "arch/bits.h"

#define PTE_LEVEL GENMASK(3, 2)
#define PTE_ADDRESS GENMASK(51, 12)
#define PTE_PROT GENMASK(55, 52)

struct fake_tlb fake_tlb = { .tag_bits = 8 };

void fake_tlb_reset(void)
{
    fake_tlb = (struct fake_tlb){ .tag_bits = 8 };
}

static uint64_t make_leaf(paddr_t to, unsigned level, unsigned prot)
{
    return to.raw | FAKE_PTE_PRESENT | FIELD_PREP(PTE_LEVEL, level) | FIELD_PREP(PTE_PROT, prot);
}

static uint64_t make_table(paddr_t table)
{
    return table.raw | FAKE_PTE_PRESENT | FAKE_PTE_TABLE;
}

static bool is_present(uint64_t entry)
{
    return (entry & FAKE_PTE_PRESENT) != 0;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 3 || (entry & FAKE_PTE_TABLE) == 0;
}

static paddr_t target(uint64_t entry)
{
    return paddr(entry & PTE_ADDRESS);
}

static unsigned prot_of(uint64_t entry)
{
    return (unsigned)FIELD_GET(PTE_PROT, entry);
}

static void publish(void)
{
    fake_tlb.publishes++;
    if (fake_tlb.on_publish != NULL)
        fake_tlb.on_publish();
}

static const struct pt_format guest_format = {
    .name = "fake-guest",
    .top_level = 1,
    .root_pages = 2,
    .va_bits = 40,
    .leaf_levels = BIT(1) | BIT(2) | BIT(3),
    .make_leaf = make_leaf,
    .make_table = make_table,
    .is_present = is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = prot_of,
    .publish = publish,
};

static const struct pt_format hyp_format = {
    .name = "fake-hypervisor",
    .top_level = 0,
    .root_pages = 1,
    .va_bits = 48,
    .leaf_levels = BIT(1) | BIT(2) | BIT(3),
    .make_leaf = make_leaf,
    .make_table = make_table,
    .is_present = is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = prot_of,
    .publish = publish,
};

const struct pt_format *arch_guest_format = &guest_format;
const struct pt_format *const arch_hyp_format = &hyp_format;

static void flush_range(uint32_t tag, uint64_t va, uint64_t bytes, unsigned level)
{
    struct fake_flush *flush = &fake_tlb.log[fake_tlb.flushes++ % FAKE_TLB_LOG];

    *flush = (struct fake_flush){ tag, va, bytes, level };
    if (fake_tlb.on_flush != NULL)
        fake_tlb.on_flush(flush);
}

static void flush_all(uint32_t tag)
{
    flush_range(tag, 0, UINT64_MAX, 0);
}

const struct pt_tlb_ops arch_hyp_tlb = { flush_range, flush_all };
const struct pt_tlb_ops arch_guest_tlb = { flush_range, flush_all };

unsigned arch_guest_tag_bits(void)
{
    return fake_tlb.tag_bits;
}

void arch_guest_flush_everything(void)
{
    fake_tlb.everything++;
}

void arch_hyp_space_install(paddr_t root)
{
    (void)root; /* the process keeps its own */
}
