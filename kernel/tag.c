/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bit for each tag, in two sets:
 *
 *     free --tag_alloc--> taken --tag_free--> taken and resting --flush of everything--> free
 */

#include "kernel/tag.h"

#include "arch/mmu.h"
#include "arch/spinlock.h"
#include "kernel/panic.h"

#define TAG_BITS_MAX 16
#define WORDS_MAX (BIT(TAG_BITS_MAX) / 64)

static spinlock_t tag_lock;                    /* inside every other but the arenas' */
static uint64_t taken[WORDS_MAX] = { BIT(0) }; /* 0 is nobody's */
static uint64_t resting[WORDS_MAX];
static uint32_t search_from; /* word: no tag is free below it */

static uint32_t word_count(void)
{
    return (uint32_t)(BIT(MIN(arch_guest_tag_bits(), TAG_BITS_MAX)) / 64);
}

static bool find_free(uint32_t *out)
{
    for (; search_from < word_count(); search_from++) {
        uint64_t free = ~taken[search_from];

        if (free != 0) {
            *out = search_from * 64 + (uint32_t)__builtin_ctzll(free);
            return true;
        }
    }
    return false;
}

static void recycle(void)
{
    arch_guest_flush_everything();
    for (uint32_t word = 0; word < word_count(); word++) {
        taken[word] &= ~resting[word];
        resting[word] = 0;
    }
    search_from = 0;
}

status_t tag_alloc(uint32_t *out)
{
    spin_lock(&tag_lock);
    bool found = find_free(out);

    if (!found) {
        recycle();
        found = find_free(out);
    }
    if (found)
        taken[*out / 64] |= BIT(*out % 64);
    spin_unlock(&tag_lock);
    return found ? OK : ERR_NO_MEMORY;
}

void tag_free(uint32_t tag)
{
    spin_lock(&tag_lock);
    assert(tag != 0 && tag / 64 < word_count() && (taken[tag / 64] & BIT(tag % 64)) &&
           !(resting[tag / 64] & BIT(tag % 64)));
    resting[tag / 64] |= BIT(tag % 64);
    spin_unlock(&tag_lock);
}
