/* SPDX-License-Identifier: BSD-2-Clause */
/* Wired memory from malloc, so that the sanitizer sees overruns and what is never given back. */

#include "kernel/pmm.h"

#include <stdlib.h>
#include <string.h>

#include "arch/addr.h"

void *pmm_alloc_wired(size_t bytes)
{
    void *memory;

    if (posix_memalign(&memory, PAGE_SIZE, bytes) != 0)
        return NULL;
    return memset(memory, 0, bytes);
}

void pmm_free_wired(void *memory)
{
    free(memory);
}
