/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator against a model, and several CPUs at once.
 *
 *     model: one byte a page, 0 free, else the block's number
 */
#include "tests/unit/pmm_test.h"

#include <pthread.h>

#include "tests/unit/random.h"

#define MODEL_PAGES 5000
#define MODEL_BLOCKS 250

static uint8_t model[MODEL_PAGES];
static vm_page_t *blocks[MODEL_BLOCKS]; /* NULL: none; [n] is number n + 1 */

static void model_set(const vm_page_t *block, uint8_t from, uint8_t to)
{
    size_t index = (size_t)(block - arena.pages);

    for (size_t i = index; i < index + BIT(block->order); i++) {
        assert_true(i < MODEL_PAGES);
        assert_int_equal(model[i], from);
        model[i] = to;
    }
}

static void random_step(uint64_t *seed)
{
    unsigned n = (unsigned)random_below(seed, MODEL_BLOCKS);
    unsigned order = (unsigned)random_below(seed, random_below(seed, 4) == 0 ? 11 : 4);

    if (blocks[n] != NULL) {
        model_set(blocks[n], (uint8_t)(n + 1), 0);
        assert_int_equal(pmm_arena_free_page(&arena, blocks[n]), OK);
        blocks[n] = NULL;
    } else if (pmm_arena_alloc_block(&arena, order, VM_PAGE_WIRED, &blocks[n]) == OK) {
        assert_int_equal(blocks[n]->order, order);
        assert_true(IS_ALIGNED(address_of(blocks[n]), PAGE_SIZE << order));
        model_set(blocks[n], 0, (uint8_t)(n + 1));
    } else {
        blocks[n] = NULL;
    }
}

static void random_blocks_never_overlap_and_merge_back(void **state)
{
    static const uint64_t bases[] = { BASE, BASE + PAGE_SIZE, BASE + 511 * PAGE_SIZE, 0 };
    uint64_t seed = 1;

    (void)state;
    for (unsigned b = 0; b < ARRAY_SIZE(bases); b++) {
        make(bases[b], MODEL_PAGES);
        uint32_t before[PMM_ORDERS];
        memcpy(before, arena.free_list, sizeof(before));

        for (unsigned step = 0; step < 20000; step++) {
            random_step(&seed);
            if (step % 64 == 0) {
                size_t used = 0;

                for (size_t i = 0; i < MODEL_PAGES; i++)
                    used += model[i] != 0;
                assert_int_equal(pmm_arena_count(&arena, VM_PAGE_WIRED), used);
                assert_int_equal(sum_of_counts(), MODEL_PAGES);
            }
        }
        for (unsigned n = 0; n < MODEL_BLOCKS; n++) {
            if (blocks[n] != NULL)
                assert_int_equal(pmm_arena_free_page(&arena, blocks[n]), OK);
            blocks[n] = NULL;
        }
        memset(model, 0, sizeof(model));
        assert_int_equal(pmm_arena_free_count(&arena), MODEL_PAGES);
        for (unsigned order = 0; order < PMM_ORDERS; order++) /* merged: the same blocks */
            assert_int_equal(arena.free_list[order] != 0, before[order] != 0);
    }
}

static void random_pointers_are_never_freed(void **state)
{
    uint64_t seed = 2;
    vm_page_t *page;

    (void)state;
    make(BASE + 7 * PAGE_SIZE, 3000);
    assert_int_equal(pmm_arena_alloc_block(&arena, 10, VM_PAGE_ALLOCATED, &page), OK);
    for (unsigned i = 0; i < 20000; i++) {
        uintptr_t guess = (uintptr_t)arena.pages + random_below(&seed, 3002 * sizeof(*page)) - 16;

        if (guess != (uintptr_t)page)
            assert_int_equal(pmm_arena_free_page(&arena, (vm_page_t *)guess), ERR_INVALID_ARGS);
    }
    assert_int_equal(pmm_arena_free_count(&arena), 3000 - 1024);
}

/* Takes, shares and gives back blocks of its own. */
static void *hammer(void *arg)
{
    uint64_t seed = (uintptr_t)arg;
    vm_page_t *own[16] = { NULL };
    bool fine = true;

    for (unsigned i = 0; i < 5000; i++) {
        vm_page_t **slot = &own[random_below(&seed, ARRAY_SIZE(own))];
        unsigned order = (unsigned)random_below(&seed, 4);

        if (*slot == NULL) {
            fine &= pmm_arena_alloc_block(&arena, order, VM_PAGE_WIRED, slot) == OK;
        } else {
            fine &= pmm_arena_ref_page(&arena, *slot) == OK;
            fine &= pmm_arena_free_page(&arena, *slot) == OK;
            fine &= pmm_arena_free_page(&arena, *slot) == OK;
            *slot = NULL;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
        fine &= own[i] == NULL || pmm_arena_free_page(&arena, own[i]) == OK;
    return fine ? arg : NULL;
}

static void several_cpus_at_once_lose_nothing(void **state)
{
    pthread_t threads[4];

    (void)state;
    make(BASE + PAGE_SIZE, 2000);
    for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)), 0);
    for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *result;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, (void *)(i + 1));
    }
    assert_int_equal(pmm_arena_free_count(&arena), 2000);
    assert_int_equal(pmm_arena_reserve(&arena, arena.base, 2000 * PAGE_SIZE), OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(random_blocks_never_overlap_and_merge_back),
        TEST(random_pointers_are_never_freed),
        TEST(several_cpus_at_once_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
