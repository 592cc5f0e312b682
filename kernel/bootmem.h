/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for structures as large as memory itself (page arrays), handed out once at boot,
 * before an arena over the rest exists, and never given back.
 *
 *     range added last   [ start ... handed out ... | bootmem_end() ... free ... )
 *
 * Only the range added last is handed out from, so that what another bank needs never
 * comes out of a bank whose arena exists already: per bank add, make the arena, and reserve
 * in it what lies before bootmem_end().
 */
#pragma once

#include "arch/addr.h"

/* The memory to hand out from, from now on. Boot CPU only, as all of these. */
void bootmem_add(void *start, size_t bytes);

/* Not zeroed. `align` is a power of two. NULL: none left. */
void *bootmem_alloc(size_t bytes, size_t align);

/* First byte not handed out of the range that was added last; NULL before that. */
void *bootmem_end(void);
