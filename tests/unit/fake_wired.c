/* SPDX-License-Identifier: BSD-2-Clause */
/* Wired memory from malloc, so that the sanitizer sees overruns and what is never given back. */

#include "kernel/pmm.h"

#include <stdlib.h>

void *pmm_alloc_wired(size_t bytes)
{
    return calloc(1, bytes);
}

void pmm_free_wired(void *memory)
{
    free(memory);
}
