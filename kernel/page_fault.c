/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on a VMO: the flags are judged, then the page is committed. */

#include "kernel/page_fault.h"

#define ACCESS_FLAGS (PAGE_FAULT_READ | PAGE_FAULT_WRITE | PAGE_FAULT_EXEC)

status_t page_fault_handler_init(page_fault_handler_t *handler, vmo_t *vmo, pmm_arena_t *arena)
{
    if (handler == NULL || vmo == NULL || arena == NULL)
        return ERR_INVALID_ARGS;
    *handler = (page_fault_handler_t){ .vmo = vmo, .arena = arena };
    return OK;
}

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool flags_valid(unsigned flags)
{
    if (!(flags & ACCESS_FLAGS))
        return false;
    return !(flags & PAGE_FAULT_WRITE) || (flags & PAGE_FAULT_USER);
}

status_t page_fault_handle(page_fault_handler_t *handler, uint64_t address, unsigned flags)
{
    struct vmo_extent extent;

    if (handler == NULL)
        return ERR_INVALID_ARGS;
    if (!flags_valid(flags)) {
        count(&handler->stats.refused);
        return ERR_INVALID_ARGS;
    }
    if (address >> PAGE_SHIFT >= handler->vmo->page_count) {
        count(&handler->stats.refused);
        return ERR_NOT_FOUND;
    }

    status_t status = vmo_commit(handler->vmo, address, false, &extent);

    if (status == OK)
        count(&handler->stats.handled);
    if (status == OK && extent.fresh)
        count(&handler->stats.committed);
    return status;
}
