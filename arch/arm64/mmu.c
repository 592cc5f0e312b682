/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor formats (Arm ARM D8.3) of EL2's stage 1 and of stage 2, and their TLBs.
 *
 *     63   54 53       12 11 10 9  8 7    6 5      2 1 0
 *     +-----+-------------+--+----+-------+--------+---+
 *     | XN  | address     |AF| SH | AP    | attr   |t v|   t: table, or page at level 3
 *     +-----+-------------+--+----+-------+--------+---+
 *
 * Stage 1: attr = MAIR index, AP = {RO, 1}. Stage 2: attr = MemAttr, AP = {write, read}.
 */
#include "arch/mmu.h"

#include <arch/cpu.h>

#include "arch/arm64/arm64.h"
#include "arch/arm64/regs.h"
#include "arch/bits.h"

#define DESC_ADDRESS GENMASK(47, 12)

#define S2_ATTR_NORMAL (0xfULL << 2)
#define S2_ATTR_DEVICE (0x1ULL << 2) /* nGnRE */
#define S2_READ BIT(6)
#define S2_WRITE BIT(7)

#define TAG_SHIFT 48 /* VTTBR_EL2.VMID */

static uint64_t leaf_type(unsigned level)
{
    return level == 3 ? DESC_VALID | DESC_PAGE : DESC_VALID;
}

static uint64_t make_table(paddr_t table)
{
    return table.raw | DESC_VALID | DESC_TABLE;
}

static bool is_present(uint64_t entry)
{
    return entry & DESC_VALID;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 3 || !(entry & DESC_TABLE);
}

static paddr_t target(uint64_t entry)
{
    return paddr(entry & DESC_ADDRESS);
}

static void publish(void)
{
    dsb(ishst);
    isb();
}

static uint64_t hyp_make_leaf(paddr_t to, unsigned level, unsigned prot)
{
    return to.raw | leaf_type(level) | DESC_AF | DESC_AP1 |
           (prot & PT_DEVICE ? DESC_ATTR_DEVICE : DESC_ATTR_NORMAL | DESC_SH_INNER) |
           (prot & PT_WRITE ? 0 : DESC_RO) | (prot & PT_EXEC ? 0 : DESC_XN);
}

static unsigned hyp_prot(uint64_t entry)
{
    return PT_READ | (entry & DESC_RO ? 0 : PT_WRITE) | (entry & DESC_XN ? 0 : PT_EXEC) |
           (entry & DESC_ATTR_DEVICE ? PT_DEVICE : 0);
}

static const struct pt_format hyp_format = {
    .name = "EL2 stage 1",
    .top_level = 0,
    .root_pages = 1,
    .va_bits = 48,
    .leaf_levels = BIT(1) | BIT(2) | BIT(3),
    .make_leaf = hyp_make_leaf,
    .make_table = make_table,
    .is_present = is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = hyp_prot,
    .publish = publish,
};

static uint64_t guest_make_leaf(paddr_t to, unsigned level, unsigned prot)
{
    return to.raw | leaf_type(level) | DESC_AF |
           (prot & PT_DEVICE ? S2_ATTR_DEVICE : S2_ATTR_NORMAL | DESC_SH_INNER) |
           (prot & PT_READ ? S2_READ : 0) | (prot & PT_WRITE ? S2_WRITE : 0) |
           (prot & PT_EXEC ? 0 : DESC_XN);
}

static unsigned guest_prot(uint64_t entry)
{
    return (entry & S2_READ ? PT_READ : 0) | (entry & S2_WRITE ? PT_WRITE : 0) |
           (entry & DESC_XN ? 0 : PT_EXEC) |
           ((entry & S2_ATTR_NORMAL) == S2_ATTR_DEVICE ? PT_DEVICE : 0);
}

/* 40 bits of guest-physical space: two concatenated tables at level 1 (VTCR_VALUE). */
static const struct pt_format guest_format = {
    .name = "stage 2",
    .top_level = 1,
    .root_pages = 2,
    .va_bits = 40,
    .leaf_levels = BIT(1) | BIT(2) | BIT(3),
    .make_leaf = guest_make_leaf,
    .make_table = make_table,
    .is_present = is_present,
    .is_leaf = is_leaf,
    .target = target,
    .prot = guest_prot,
    .publish = publish,
};

const struct pt_format *const arch_hyp_format = &hyp_format;
const struct pt_format *arch_guest_format = &guest_format;

/* --- EL2's TLB --- */

#define FLUSH_ONE_BY_ONE 64 /* pages; past this, everything */

static void hyp_flush_all(uint32_t tag)
{
    (void)tag;
    dsb(ishst);
    __asm__ volatile("tlbi alle2is");
    dsb(ish);
    isb();
}

static void hyp_flush_range(uint32_t tag, uint64_t va, uint64_t bytes, unsigned level)
{
    const uint64_t step = BIT(12 + 9 * (3 - level));

    if (bytes / step > FLUSH_ONE_BY_ONE) {
        hyp_flush_all(tag);
        return;
    }
    dsb(ishst);
    for (uint64_t at = va; at < va + bytes; at += step)
        __asm__ volatile("tlbi vae2is, %0" : : "r"(at >> PAGE_SHIFT));
    dsb(ish);
    isb();
}

const struct pt_tlb_ops arch_hyp_tlb = { hyp_flush_range, hyp_flush_all };

/* --- stage 2's TLB --- */

/* An empty stage 2: what speculative walks see while another VMID is in VTTBR_EL2. */
static uint64_t empty_root[1024] __attribute__((aligned(8192)));

/* TLBI on stage 2 acts on the current VMID. Returns what to put back. */
static uint64_t enter_tag(uint32_t tag)
{
    const uint64_t old = sysreg_read(vttbr_el2);

    if (old >> TAG_SHIFT != tag) {
        sysreg_write(vttbr_el2, (uint64_t)tag << TAG_SHIFT | arm64_image_to_phys(empty_root));
        isb();
    }
    return old;
}

static void leave_tag(uint32_t tag, uint64_t old)
{
    if (old >> TAG_SHIFT != tag) {
        sysreg_write(vttbr_el2, old);
        isb();
    }
}

static void guest_flush_all(uint32_t tag)
{
    const uint64_t old = enter_tag(tag);

    dsb(ishst);
    __asm__ volatile("tlbi vmalls12e1is");
    dsb(ish);
    isb();
    leave_tag(tag, old);
}

#define TLB_RANGE_MAX (32 * 2048) /* pages that one ranged operation of scale 2 covers */

/* TLBI RIPAS2E1IS (FEAT_TLBIRANGE): (num + 1) << (5 * scale + 1) pages from `gpa` on. */
static void flush_ranged(uint64_t gpa, uint64_t pages)
{
    while (pages > 0) {
        const unsigned scale = pages >= 64 * 32 ? 2 : pages >= 64 ? 1 : 0;
        const unsigned shift = 5 * scale + 1;
        const uint64_t num = MIN(DIV_ROUND_UP(pages, BIT(shift)), 32) - 1;
        const uint64_t done = MIN((num + 1) << shift, pages);
        const uint64_t operand = FIELD_PREP(GENMASK(47, 46), 1) /* 4 KiB granule */ |
                                 FIELD_PREP(GENMASK(45, 44), scale) |
                                 FIELD_PREP(GENMASK(43, 39), num) |
                                 FIELD_PREP(GENMASK(36, 0), gpa >> PAGE_SHIFT);

        __asm__ volatile("sys #4, c8, c0, #2, %0" : : "r"(operand));
        gpa += done << PAGE_SHIFT;
        pages -= done;
    }
}

static bool has_ranged_tlbi(void)
{
    return FIELD_GET(GENMASK(59, 56), sysreg_read(id_aa64isar0_el1)) >= 2;
}

static void guest_flush_range(uint32_t tag, uint64_t gpa, uint64_t bytes, unsigned level)
{
    const uint64_t step = BIT(12 + 9 * (3 - level));
    const bool ranged = has_ranged_tlbi();

    if (ranged ? bytes >> PAGE_SHIFT > TLB_RANGE_MAX : bytes / step > FLUSH_ONE_BY_ONE) {
        guest_flush_all(tag);
        return;
    }
    const uint64_t old = enter_tag(tag);

    dsb(ishst);
    if (ranged) {
        flush_ranged(gpa, bytes >> PAGE_SHIFT);
    } else {
        for (uint64_t at = gpa; at < gpa + bytes; at += step)
            __asm__ volatile("tlbi ipas2e1is, %0" : : "r"(at >> PAGE_SHIFT));
    }
    dsb(ish);
    __asm__ volatile("tlbi vmalle1is"); /* entries that combine both stages */
    dsb(ish);
    isb();
    leave_tag(tag, old);
}

const struct pt_tlb_ops arch_guest_tlb = { guest_flush_range, guest_flush_all };

unsigned arch_guest_tag_bits(void)
{
    return FIELD_GET(GENMASK(7, 4), sysreg_read(id_aa64mmfr1_el1)) == 2 ? 16 : 8;
}

void arch_guest_flush_everything(void)
{
    dsb(ishst);
    __asm__ volatile("tlbi alle1is");
    dsb(ish);
    isb();
}

void arch_hyp_space_install(paddr_t root)
{
    sysreg_write(ttbr0_el2, root.raw);
    isb();
    __asm__ volatile("tlbi alle2");
    dsb(nsh);
    isb();
}
