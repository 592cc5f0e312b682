/* SPDX-License-Identifier: BSD-2-Clause */
/* Making something with one page more each time until that is enough: no failure leaks. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "kernel/pmm.h"

/* `make` gives OK or ERR_NO_MEMORY, after which `unmake` gives back what it took. */
static inline void starve(status_t (*make)(void), void (*unmake)(void))
{
    const size_t free_before = pmm_free_count();
    paddr_t *held = calloc(free_before + 1, sizeof(*held));
    size_t held_pages = 0;
    status_t status = ERR_NO_MEMORY;

    while (pmm_alloc(0, VM_PAGE_ALLOCATED, &held[held_pages]) == OK)
        held_pages++;
    for (size_t given = 0; status != OK; given++) {
        assert_true(held_pages > 0);
        pmm_free(held[--held_pages]);
        status = make();
        assert_true(status == OK || status == ERR_NO_MEMORY);
        unmake();
        assert_int_equal(pmm_free_count(), given + 1);
    }
    while (held_pages > 0)
        pmm_free(held[--held_pages]);
    assert_int_equal(pmm_free_count(), free_before);
    free(held);
}
