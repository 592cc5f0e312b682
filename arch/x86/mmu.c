/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry formats of the hypervisor's own tables, of NPT and of EPT.
 *
 *     63 62  52 51       12 11   8  7  6 5  4   3   2  1 0
 *     +--+-----+-----------+-----+--+--+--+---+---+---+-+-+
 *     |NX|     | address   |     |PS|D |A |PCD|PWT| U |W|P|   own (U = 0), NPT (U = 1)
 *     +--+-----+-----------+-----+--+--+--+---+---+---+-+-+
 *     |  |     | address   |     |PS|IP| memory type  |X|W|R|  EPT
 *     +--+-----+-----------+-----+--+--+--------------+-+-+-+
 *
 * NPT (APM 2 15.25.5) takes every guest access for a user's. EPT: SDM 3C 28.3.2; the guest's
 * PAT is ignored (IP) for RAM, so that no guest makes two memory types of a page.
 */
#include "arch/mmu.h"

#include <arch/cpu.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/x86/x86.h"

#define ENTRY_ADDRESS GENMASK(51, 12)
#define ENTRY_LARGE BIT(7)

#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USER BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_ACCESSED BIT(5)
#define PTE_DIRTY BIT(6)
#define PTE_NX BIT(63)

#define EPT_READ BIT(0)
#define EPT_WRITE BIT(1)
#define EPT_EXEC BIT(2)
#define EPT_ALL (EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_TYPE GENMASK(5, 3)
#define EPT_TYPE_UC 0
#define EPT_TYPE_WB 6
#define EPT_IGNORE_PAT BIT(6)

#define CPUID_EXTENDED_FEATURES 0x80000001
#define EDX_PAGE_1G BIT(26)

#define LEAVES_2M (BIT(2) | BIT(3))
#define LEAVES_1G (BIT(1) | LEAVES_2M)

static paddr_t target(uint64_t entry)
{
    return paddr(entry & ENTRY_ADDRESS);
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 3 || (entry & ENTRY_LARGE);
}

static uint64_t large(unsigned level)
{
    return level == 3 ? 0 : ENTRY_LARGE;
}

/* Stores become visible in order, and walkers snoop; the flush that may follow does the rest. */
static void publish(void)
{
    __asm__ volatile("" : : : "memory");
}

/* --- own tables and NPT --- */

/* By the PAT of features.c. */
static uint64_t memory_type(unsigned prot)
{
    if (!(prot & PT_DEVICE))
        return 0;
    return prot & PT_COMBINE ? PTE_PWT : PTE_PCD | PTE_PWT;
}

static uint64_t make_leaf(paddr_t to, unsigned level, unsigned prot)
{
    return to.raw | PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | large(level) |
           (prot & PT_WRITE ? PTE_WRITE : 0) | (prot & PT_EXEC ? 0 : PTE_NX) | memory_type(prot);
}

static uint64_t make_table(paddr_t table)
{
    return table.raw | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
}

static uint64_t npt_make_leaf(paddr_t to, unsigned level, unsigned prot)
{
    return make_leaf(to, level, prot) | PTE_USER;
}

static uint64_t npt_make_table(paddr_t table)
{
    return make_table(table) | PTE_USER;
}

static bool is_present(uint64_t entry)
{
    return entry & PTE_PRESENT;
}

static unsigned prot_of(uint64_t entry)
{
    const unsigned type = !(entry & PTE_PWT) ? 0
                          : entry & PTE_PCD  ? PT_DEVICE
                                             : PT_DEVICE | PT_COMBINE;

    return PT_READ | (entry & PTE_WRITE ? PT_WRITE : 0) | (entry & PTE_NX ? 0 : PT_EXEC) | type;
}

static struct pt_format hyp_format SEALED = {
    .name = "x86-64",
    .top_level = 0,
    .root_pages = 1,
    .va_bits = 48, /* without the sign extension above them */
    .leaf_levels = LEAVES_2M,
    .make_leaf = make_leaf,
    .make_table = make_table,
    .is_present = is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = prot_of,
    .publish = publish,
};

static struct pt_format npt_format SEALED = {
    .name = "NPT",
    .top_level = 0,
    .root_pages = 1,
    .va_bits = 48,
    .leaf_levels = LEAVES_2M,
    .make_leaf = npt_make_leaf,
    .make_table = npt_make_table,
    .is_present = is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = prot_of,
    .publish = publish,
};

/* --- EPT --- */

static uint64_t ept_make_leaf(paddr_t to, unsigned level, unsigned prot)
{
    const uint64_t type = prot & PT_DEVICE ? FIELD_PREP(EPT_TYPE, EPT_TYPE_UC)
                                           : FIELD_PREP(EPT_TYPE, EPT_TYPE_WB) | EPT_IGNORE_PAT;

    return to.raw | type | large(level) | (prot & PT_READ ? EPT_READ : 0) |
           (prot & PT_WRITE ? EPT_WRITE : 0) | (prot & PT_EXEC ? EPT_EXEC : 0);
}

static uint64_t ept_make_table(paddr_t table)
{
    return table.raw | EPT_ALL;
}

static bool ept_is_present(uint64_t entry)
{
    return entry & EPT_ALL;
}

static unsigned ept_prot(uint64_t entry)
{
    return (entry & EPT_READ ? PT_READ : 0) | (entry & EPT_WRITE ? PT_WRITE : 0) |
           (entry & EPT_EXEC ? PT_EXEC : 0) |
           (FIELD_GET(EPT_TYPE, entry) == EPT_TYPE_UC ? PT_DEVICE : 0);
}

static struct pt_format ept_format SEALED = {
    .name = "EPT",
    .top_level = 0,
    .root_pages = 1,
    .va_bits = 48,
    .leaf_levels = LEAVES_2M,
    .make_leaf = ept_make_leaf,
    .make_table = ept_make_table,
    .is_present = ept_is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = ept_prot,
    .publish = publish,
};

const struct pt_format *const arch_hyp_format = &hyp_format;
const struct pt_format *const x86_npt_format = &npt_format;
const struct pt_format *arch_guest_format SEALED = &npt_format;

const struct pt_format *x86_ept_format(unsigned largest_leaf)
{
    ept_format.leaf_levels = largest_leaf == 1 ? LEAVES_1G : LEAVES_2M;
    return &ept_format;
}

bool x86_has_1g_pages(void)
{
    return hyp_format.leaf_levels & BIT(1);
}

void x86_mmu_init(void)
{
    if (!(cpuid(CPUID_EXTENDED_FEATURES, 0).edx & EDX_PAGE_1G))
        return;
    hyp_format.leaf_levels = LEAVES_1G;
    npt_format.leaf_levels = LEAVES_1G;
}

void arch_hyp_space_install(paddr_t root)
{
    write_cr3(root.raw);
}
