/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault handler of one VMO: a fault on a page that is not there commits it.
 */
#pragma once

#include "kernel/vmo.h"

enum page_fault_flags {
    PAGE_FAULT_READ = 1,
    PAGE_FAULT_WRITE = 2,
    PAGE_FAULT_EXEC = 4,
    PAGE_FAULT_USER = 8,
};

struct page_fault_stats {
    uint64_t handled;   /* all that returned OK */
    uint64_t committed; /* of those, with new memory */
    uint64_t refused;   /* flags or address */
};

typedef struct page_fault_handler {
    vmo_t *vmo;
    pmm_arena_t *arena;
    struct page_fault_stats stats;
} page_fault_handler_t;

/* ERR_INVALID_ARGS: a NULL. */
status_t page_fault_handler_init(page_fault_handler_t *handler, vmo_t *vmo, pmm_arena_t *arena);

/*
 * `address` is the offset into the VMO. In this order: ERR_INVALID_ARGS: NULL, no access
 * bit, or WRITE without USER; ERR_NOT_FOUND: past the end; ERR_NO_MEMORY. OK: it is there now.
 */
status_t page_fault_handle(page_fault_handler_t *handler, uint64_t address, unsigned flags);
