/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses, one type per space, so that mixing them does not compile.
 *
 *     gva (plain uint64_t, only ever decoded)  guest virtual
 *     gpa_t    guest physical: what the second-stage tables translate
 *     paddr_t  host physical
 *     void *   the hypervisor's own virtual addresses
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE ((size_t)1 << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)

#define SIZE_4K ((uint64_t)1 << 12)
#define SIZE_2M ((uint64_t)1 << 21)
#define SIZE_1G ((uint64_t)1 << 30)

typedef struct paddr {
    uint64_t raw;
} paddr_t;

typedef struct gpa {
    uint64_t raw;
} gpa_t;

static inline paddr_t paddr(uint64_t raw)
{
    return (paddr_t){ raw };
}

static inline paddr_t paddr_add(paddr_t base, uint64_t offset)
{
    return (paddr_t){ base.raw + offset };
}

static inline gpa_t gpa(uint64_t raw)
{
    return (gpa_t){ raw };
}

static inline gpa_t gpa_add(gpa_t base, uint64_t offset)
{
    return (gpa_t){ base.raw + offset };
}
