/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table walker, against a plain array of pages, and watched by a TLB that keeps all
 * it ever saw until it is told to forget: at every moment in which other CPUs may look at the
 * tables, no page may translate in two ways.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "arch/fake/fake.h"
#include "kernel/bootmem.h"
#include "kernel/pagetable.h"
#include "kernel/pmm.h"
#include "tests/unit/random.h"

#define ARENA_PAGES 2048
#define WINDOW_PAGES 1536 /* 6 MiB, across a boundary of a higher level */
#define TAG 7

static _Alignas(16) uint8_t bootmem[1 << 16];
static pmm_arena_t arena;
static struct page_table pt;

/* A translation; prot 0: none. */
struct page {
    uint64_t to;
    unsigned prot;
    unsigned level; /* not in the model */
};

static uint64_t window;                 /* address of the first page watched */
static struct page tlb[WINDOW_PAGES];   /* what some CPU may still know */
static struct page model[WINDOW_PAGES]; /* what should be there */

static uint64_t level_bytes(unsigned level)
{
    return BIT(12 + 9 * (3 - level));
}

/* As hardware walks: no lock, no walker. */
static struct page translate(uint64_t va)
{
    const struct pt_format *f = pt.format;
    unsigned level = f->top_level;
    uint64_t entry = ((uint64_t *)phys_to_virt(pt.root))[va / level_bytes(level)];

    for (; f->is_present(entry) && !f->is_leaf(entry, level); level++) {
        uint64_t *table = phys_to_virt(f->target(entry));

        entry = table[va / level_bytes(level + 1) % 512];
    }
    if (!f->is_present(entry))
        return (struct page){ 0 };
    return (struct page){ f->target(entry).raw + (va & (level_bytes(level) - 1)), f->prot(entry),
                          level };
}

static bool same_but_permissions(struct page a, struct page b)
{
    return a.to == b.to && a.level == b.level && !((a.prot ^ b.prot) & PT_DEVICE);
}

static void tlb_look(void)
{
    for (size_t i = 0; i < WINDOW_PAGES; i++) {
        struct page now = translate(window + i * PAGE_SIZE);

        if (now.prot == 0)
            continue;
        if (tlb[i].prot == 0)
            tlb[i] = now;
        assert_true(same_but_permissions(tlb[i], now));
    }
}

/* As a CPU without ranged operations: one step of the level's size after the other. */
static void tlb_forget(const struct fake_flush *flush)
{
    assert_int_equal(flush->tag, TAG);
    assert_true(IS_ALIGNED(flush->va | flush->bytes, PAGE_SIZE));
    for (size_t i = 0; i < WINDOW_PAGES; i++) {
        uint64_t leaf = ALIGN_DOWN(window + i * PAGE_SIZE, level_bytes(tlb[i].level));
        uint64_t leaf_end = leaf + level_bytes(tlb[i].level);
        uint64_t step = level_bytes(flush->level);
        uint64_t at = flush->va;

        if (leaf > at)
            at += DIV_ROUND_UP(leaf - at, step) * step;
        if (at < leaf_end && at < flush->va + flush->bytes)
            tlb[i].prot = 0;
    }
    tlb_look();
}

static int setup_format(const struct pt_format *format, uint64_t boundary)
{
    fake_ram_init();
    fake_tlb_reset();
    bootmem_add(bootmem, sizeof(bootmem));
    if (pmm_arena_init(&arena, paddr(FAKE_RAM_BASE), ARENA_PAGES * PAGE_SIZE) != OK)
        return -1;
    pmm_add_arena(&arena);
    if (page_table_init(&pt, format, &arch_guest_tlb, TAG) != OK)
        return -1;
    window = boundary - WINDOW_PAGES / 2 * PAGE_SIZE;
    memset(tlb, 0, sizeof(tlb));
    memset(model, 0, sizeof(model));
    fake_tlb.on_publish = tlb_look;
    fake_tlb.on_flush = tlb_forget;
    return 0;
}

static int setup_guest(void **state)
{
    (void)state;
    return setup_format(arch_guest_format, SIZE_1G);
}

static int setup_roots(void **state)
{
    (void)state;
    return setup_format(arch_guest_format, 512 * SIZE_1G); /* from one root page to the next */
}

static int setup_hyp(void **state)
{
    (void)state;
    return setup_format(arch_hyp_format, 512 * SIZE_1G);
}

static int teardown(void **state)
{
    (void)state;
    page_table_destroy(&pt);
    return pmm_free_count() == ARENA_PAGES ? 0 : -1;
}

/* Tables below `table`; fails on an empty one. */
static size_t count_tables(const uint64_t *table, size_t entries, unsigned level)
{
    size_t tables = 0, present = 0;

    for (size_t i = 0; i < entries; i++) {
        if (!pt.format->is_present(table[i])) {
            assert_int_equal(table[i], 0);
            continue;
        }
        present++;
        if (!pt.format->is_leaf(table[i], level))
            tables += 1 + count_tables(phys_to_virt(pt.format->target(table[i])), 512, level + 1);
        else
            assert_true(pt.format->leaf_levels & BIT(level));
    }
    assert_true(present != 0 || level == pt.format->top_level);
    return tables;
}

/* Nothing stale in the TLB, the tables say what the model says, and none is lost or empty. */
static void check_all(void)
{
    size_t roots = pt.format->root_pages;

    for (size_t i = 0; i < WINDOW_PAGES; i++) {
        struct page now = translate(window + i * PAGE_SIZE);

        assert_int_equal(now.prot, model[i].prot);
        assert_int_equal(tlb[i].prot, now.prot);
        if (now.prot != 0) {
            assert_int_equal(now.to, model[i].to);
            assert_int_equal(tlb[i].to, now.to);
        }
    }
    assert_int_equal(pt.table_pages, roots + count_tables(phys_to_virt(pt.root), roots * 512,
                                                          pt.format->top_level));
    assert_int_equal(pmm_arena_count(&arena, VM_PAGE_WIRED), pt.table_pages);
}

static unsigned level_at(uint64_t va)
{
    struct pt_mapping mapping;

    assert_int_equal(page_table_query(&pt, va, &mapping), OK);
    return mapping.level;
}

static void an_empty_tree_maps_nothing(void **state)
{
    struct pt_mapping mapping;

    (void)state;
    assert_true(IS_ALIGNED(pt.root.raw, pt.format->root_pages * PAGE_SIZE));
    assert_int_equal(pt.table_pages, pt.format->root_pages);
    assert_int_equal(page_table_query(&pt, 0, &mapping), ERR_NOT_FOUND);
    assert_int_equal(page_table_query(&pt, BIT(pt.format->va_bits), &mapping), ERR_NOT_FOUND);
    assert_int_equal(page_table_query(&pt, UINT64_MAX, &mapping), ERR_NOT_FOUND);
    assert_int_equal(page_table_unmap(&pt, 0, BIT(pt.format->va_bits)), OK);
    assert_int_equal(page_table_protect(&pt, 0, SIZE_1G, PT_READ), OK);
    assert_int_equal(page_table_merge(&pt, 0, SIZE_1G), OK);
    assert_int_equal(fake_tlb.flushes, 0);
}

static void bad_ranges_are_refused(void **state)
{
    static const struct {
        uint64_t va, bytes;
    } bad[] = {
        { 0, 0 },
        { 1, PAGE_SIZE },
        { 0, PAGE_SIZE + 1 },
        { BIT(40), PAGE_SIZE },
        { BIT(40) - PAGE_SIZE, 2 * PAGE_SIZE },
        { ~PAGE_MASK, PAGE_SIZE },
        { PAGE_SIZE, ~PAGE_MASK },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t va = bad[i].va, bytes = bad[i].bytes;

        assert_int_equal(page_table_map(&pt, va, paddr(0), bytes, PT_READ), ERR_INVALID_ARGS);
        assert_int_equal(page_table_unmap(&pt, va, bytes), ERR_INVALID_ARGS);
        assert_int_equal(page_table_protect(&pt, va, bytes, PT_READ), ERR_INVALID_ARGS);
        assert_int_equal(page_table_merge(&pt, va, bytes), ERR_INVALID_ARGS);
    }
    assert_int_equal(page_table_map(&pt, 0, paddr(1), PAGE_SIZE, PT_READ), ERR_INVALID_ARGS);
    assert_int_equal(page_table_map(&pt, 0, paddr(~PAGE_MASK), 2 * PAGE_SIZE, PT_READ),
                     ERR_INVALID_ARGS);
    assert_int_equal(page_table_map(&pt, BIT(40) - PAGE_SIZE, paddr(0), PAGE_SIZE, PT_READ), OK);
    assert_int_equal(level_at(BIT(40) - 1), 3);
}

static void the_largest_leaves_are_used(void **state)
{
    (void)state;
    /* 1 GiB - 2 MiB - 4 KiB up to 3 GiB + 2 MiB + 4 KiB */
    uint64_t va = SIZE_1G - SIZE_2M - SIZE_4K;

    assert_int_equal(page_table_map(&pt, va, paddr(va + 8 * SIZE_1G),
                                    2 * SIZE_1G + 2 * SIZE_2M + 2 * SIZE_4K, PT_READ),
                     OK);
    assert_int_equal(level_at(va), 3);
    assert_int_equal(level_at(va + SIZE_4K), 2);
    assert_int_equal(level_at(SIZE_1G), 1);
    assert_int_equal(level_at(2 * SIZE_1G), 1);
    assert_int_equal(level_at(3 * SIZE_1G), 2);
    assert_int_equal(level_at(3 * SIZE_1G + SIZE_2M), 3);
    assert_int_equal(fake_tlb.flushes, 0);

    struct pt_mapping mapping;

    assert_int_equal(page_table_query(&pt, SIZE_1G + 0x12345678, &mapping), OK);
    assert_int_equal(mapping.to.raw, 9 * SIZE_1G + 0x12345678);
    assert_int_equal(mapping.prot, PT_READ);
    assert_int_equal(page_table_query(&pt, va - 1, &mapping), ERR_NOT_FOUND);
    assert_int_equal(page_table_query(&pt, 3 * SIZE_1G + SIZE_2M + SIZE_4K, &mapping),
                     ERR_NOT_FOUND);
}

static void a_target_aligned_otherwise_is_mapped_by_pages(void **state)
{
    (void)state;
    assert_int_equal(page_table_map(&pt, 0, paddr(SIZE_4K), SIZE_2M, PT_READ), OK);
    assert_int_equal(level_at(0), 3);
    assert_int_equal(page_table_map(&pt, SIZE_1G, paddr(SIZE_2M), SIZE_1G, PT_READ), OK);
    assert_int_equal(level_at(SIZE_1G), 2);
}

static void mapping_the_same_again_is_ok(void **state)
{
    size_t tables;

    (void)state;
    assert_int_equal(page_table_map(&pt, 0, paddr(SIZE_1G), SIZE_1G, PT_READ | PT_WRITE), OK);
    tables = pt.table_pages;
    assert_int_equal(
        page_table_map(&pt, SIZE_2M, paddr(SIZE_1G + SIZE_2M), SIZE_4K, PT_READ | PT_WRITE), OK);
    assert_int_equal(page_table_map(&pt, 0, paddr(SIZE_1G), SIZE_1G + SIZE_4K, PT_READ | PT_WRITE),
                     OK);
    assert_int_equal(level_at(0), 1);
    assert_int_equal(pt.table_pages, tables + 2);
    assert_int_equal(fake_tlb.flushes, 0);
}

static void a_conflict_leaves_everything_as_it_was(void **state)
{
    struct pt_mapping mapping;

    (void)state;
    assert_int_equal(page_table_map(&pt, 4 * SIZE_2M, paddr(0x5000), SIZE_4K, PT_READ), OK);
    assert_int_equal(page_table_map(&pt, 0, paddr(0), SIZE_4K, PT_READ), OK);
    assert_int_equal(page_table_map(&pt, 0, paddr(0), SIZE_1G, PT_READ), ERR_ALREADY_EXISTS);
    assert_int_equal(page_table_map(&pt, 0, paddr(0), SIZE_4K, PT_WRITE), ERR_ALREADY_EXISTS);
    assert_int_equal(page_table_map(&pt, 0, paddr(0x1000), SIZE_4K, PT_READ), ERR_ALREADY_EXISTS);
    assert_int_equal(page_table_query(&pt, SIZE_4K, &mapping), ERR_NOT_FOUND);
    assert_int_equal(level_at(0), 3); /* was there before, and stays */
    assert_int_equal(level_at(4 * SIZE_2M), 3);
    assert_int_equal(pt.table_pages, 2u + 3);
    assert_int_equal(fake_tlb.flushes, 0);

    /* Tables that were made for the first 4 MiB are forgotten before they are freed. */
    assert_int_equal(page_table_map(&pt, 2 * SIZE_2M, paddr(0x1000), 3 * SIZE_2M, PT_READ),
                     ERR_ALREADY_EXISTS);
    assert_int_equal(pt.table_pages, 2u + 3);
    assert_int_equal(fake_tlb.flushes, 1);
    assert_true(fake_tlb.log[0].va <= 2 * SIZE_2M);
    assert_true(fake_tlb.log[0].va + fake_tlb.log[0].bytes > 3 * SIZE_2M);
}

static void unmap_splits_at_its_edges_and_frees_empty_tables(void **state)
{
    struct pt_mapping mapping;
    uint64_t hole = SIZE_1G + 5 * SIZE_2M + 7 * SIZE_4K;

    (void)state;
    assert_int_equal(page_table_map(&pt, 0, paddr(0), 3 * SIZE_1G, PT_READ), OK);
    assert_int_equal(page_table_unmap(&pt, hole, SIZE_4K), OK);
    assert_int_equal(page_table_query(&pt, hole, &mapping), ERR_NOT_FOUND);
    assert_int_equal(level_at(hole - 1), 3);
    assert_int_equal(level_at(SIZE_1G), 2);
    assert_int_equal(level_at(2 * SIZE_1G), 1);
    assert_int_equal(page_table_query(&pt, hole + SIZE_4K + 5, &mapping), OK);
    assert_int_equal(mapping.to.raw, hole + SIZE_4K + 5);
    assert_int_equal(pt.table_pages, 2u + 2);
    assert_int_equal(page_table_unmap(&pt, 0, 3 * SIZE_1G), OK);
    assert_int_equal(pt.table_pages, 2);
}

static void one_unmap_is_one_flush(void **state)
{
    const struct fake_flush *flush = &fake_tlb.log[0];

    (void)state;
    assert_int_equal(page_table_map(&pt, 0, paddr(0x1000), SIZE_2M, PT_READ), OK);
    assert_int_equal(page_table_map(&pt, SIZE_2M, paddr(0x0), SIZE_2M, PT_READ), OK);
    assert_int_equal(page_table_unmap(&pt, 0, SIZE_1G), OK);
    assert_int_equal(fake_tlb.flushes, 1);
    assert_int_equal(flush->va, 0);
    assert_in_range(flush->bytes, 2 * SIZE_2M, SIZE_1G);
    assert_int_equal(flush->level, 3);
}

static void merge_undoes_a_split(void **state)
{
    size_t tables;

    (void)state;
    assert_int_equal(page_table_map(&pt, 0, paddr(0), 2 * SIZE_1G, PT_READ | PT_WRITE), OK);
    tables = pt.table_pages;
    assert_int_equal(page_table_protect(&pt, SIZE_1G + SIZE_4K, SIZE_4K, PT_READ), OK);
    assert_int_equal(pt.table_pages, tables + 2);
    assert_int_equal(page_table_merge(&pt, 0, 2 * SIZE_1G), OK); /* not all the same */
    assert_int_equal(pt.table_pages, tables + 2);
    assert_int_equal(page_table_protect(&pt, SIZE_1G, SIZE_2M, PT_READ | PT_WRITE), OK);
    assert_int_equal(page_table_merge(&pt, SIZE_1G, SIZE_2M), OK);
    assert_int_equal(level_at(SIZE_1G + SIZE_4K), 2);
    assert_int_equal(page_table_merge(&pt, 0, 2 * SIZE_1G - SIZE_4K), OK); /* not all inside */
    assert_int_equal(level_at(SIZE_1G + SIZE_4K), 2);
    assert_int_equal(page_table_merge(&pt, 0, 2 * SIZE_1G), OK);
    assert_int_equal(level_at(SIZE_1G + SIZE_4K), 1);
    assert_int_equal(pt.table_pages, tables);
}

static void protect_of_the_same_flushes_nothing(void **state)
{
    (void)state;
    assert_int_equal(page_table_map(&pt, 0, paddr(0), SIZE_2M, PT_READ), OK);
    assert_int_equal(page_table_protect(&pt, 0, SIZE_2M, PT_READ), OK);
    assert_int_equal(fake_tlb.flushes, 0);
    assert_int_equal(level_at(0), 2);
}

/* For every number of pages that are left, the call that runs out of them changes nothing. */
static void without_memory_nothing_changes(void **state)
{
    static paddr_t hoard[ARENA_PAGES];
    uint64_t va = window + 3 * SIZE_4K;
    size_t hoarded = 0, failed = 0;
    status_t status;

    (void)state;
    assert_int_equal(page_table_map(&pt, window + 600 * SIZE_4K, paddr(0), SIZE_4K, PT_READ), OK);
    model[600] = (struct page){ .to = 0, .prot = PT_READ };
    while (pmm_alloc(0, VM_PAGE_ALLOCATED, &hoard[hoarded]) == OK)
        hoarded++;
    for (;;) {
        status = page_table_map(&pt, va, paddr(16 * SIZE_1G), 500 * SIZE_4K, PT_READ);
        if (status == OK)
            break;
        assert_int_equal(status, ERR_NO_MEMORY);
        check_all();
        failed++;
        pmm_free(hoard[--hoarded]);
    }
    assert_true(failed > 0);
    for (size_t i = 0; i < 500; i++)
        model[3 + i] = (struct page){ .to = 16 * SIZE_1G + i * SIZE_4K, .prot = PT_READ };
    check_all();
    while (hoarded > 0)
        pmm_free(hoard[--hoarded]);
}

/* --- random operations against the model --- */

static status_t model_map(size_t first, size_t count, uint64_t to, unsigned prot)
{
    for (size_t i = 0; i < count; i++) {
        const struct page *page = &model[first + i];

        if (page->prot != 0 && (page->prot != prot || page->to != to + i * PAGE_SIZE))
            return ERR_ALREADY_EXISTS;
    }
    for (size_t i = 0; i < count; i++)
        model[first + i] = (struct page){ .to = to + i * PAGE_SIZE, .prot = prot };
    return OK;
}

static void random_step(uint64_t *seed)
{
    static const unsigned prots[] = { PT_READ, PT_READ | PT_WRITE, PT_READ | PT_EXEC,
                                      PT_READ | PT_WRITE | PT_DEVICE };
    size_t align = random_below(seed, 2) ? 256 : 1;
    size_t first = ALIGN_DOWN(random_below(seed, WINDOW_PAGES), align);
    size_t most = random_below(seed, 2) ? WINDOW_PAGES : 8;
    size_t count = 1 + random_below(seed, MIN(most, WINDOW_PAGES - first));
    uint64_t va = window + first * PAGE_SIZE, bytes = count * PAGE_SIZE;
    unsigned prot = prots[random_below(seed, ARRAY_SIZE(prots))];
    uint64_t to = va + (random_below(seed, 4) ? 4 * SIZE_1G : 0x5000);

    switch (random_below(seed, 6)) {
    case 0:
        assert_int_equal(page_table_unmap(&pt, va, bytes), OK);
        memset(&model[first], 0, count * sizeof(model[0]));
        break;
    case 1:
        assert_int_equal(page_table_protect(&pt, va, bytes, prot), OK);
        for (size_t i = first; i < first + count; i++)
            model[i].prot = model[i].prot != 0 ? prot : 0;
        break;
    case 2: assert_int_equal(page_table_merge(&pt, va, bytes), OK); break;
    default:
        assert_int_equal(page_table_map(&pt, va, paddr(to), bytes, prot),
                         model_map(first, count, to, prot));
    }
}

static void random_operations_agree_with_the_model(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (unsigned step = 0; step < 300; step++) {
        random_step(&seed);
        check_all();
    }
    assert_int_equal(page_table_unmap(&pt, 0, BIT(pt.format->va_bits)), OK);
    memset(model, 0, sizeof(model));
    check_all();
    assert_int_equal(pt.table_pages, pt.format->root_pages);
}

int main(void)
{
#define TEST(name, format) cmocka_unit_test_setup_teardown(name, setup_##format, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_tree_maps_nothing, guest),
        TEST(an_empty_tree_maps_nothing, hyp),
        TEST(bad_ranges_are_refused, guest),
        TEST(the_largest_leaves_are_used, guest),
        TEST(the_largest_leaves_are_used, hyp),
        TEST(a_target_aligned_otherwise_is_mapped_by_pages, guest),
        TEST(mapping_the_same_again_is_ok, guest),
        TEST(a_conflict_leaves_everything_as_it_was, guest),
        TEST(unmap_splits_at_its_edges_and_frees_empty_tables, guest),
        TEST(one_unmap_is_one_flush, guest),
        TEST(merge_undoes_a_split, guest),
        TEST(protect_of_the_same_flushes_nothing, guest),
        TEST(without_memory_nothing_changes, guest),
        TEST(without_memory_nothing_changes, hyp),
        TEST(random_operations_agree_with_the_model, guest),
        TEST(random_operations_agree_with_the_model, roots),
        TEST(random_operations_agree_with_the_model, hyp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
