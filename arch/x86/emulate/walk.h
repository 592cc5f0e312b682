/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's own page tables, walked as its CPU does: SDM 3A chapter 4, APM 2 chapter 5.
 */
#pragma once

#include "arch/hv.h"
#include "arch/status.h"

/* A page fault's error code, and how memory is accessed: WRITE, USER and FETCH of it. */
#define PF_PRESENT BIT(0)
#define PF_WRITE BIT(1)
#define PF_USER BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH BIT(4)

/* What a walk depends on. */
struct x86_paging {
    uint64_t cr0, cr3, cr4, efer;
    bool smap_off;         /* RFLAGS.AC: the supervisor may touch what is the user's */
    uint8_t physical_bits; /* MAXPHYADDR: address bits above it are reserved; 52 where unknown */
};

/* Of the vCPU, which is loaded; physical_bits is 52. */
struct x86_paging x86_paging_of(const struct hv_vcpu *vcpu);

/*
 * Linear to guest-physical, with the permission checks of `access`. Entries get their accessed
 * and dirty bits by bus->exchange_memory; where the bus has none, they are left alone. Tables
 * are read by bus->read_memory. PAE's four PDPTEs are read from memory each time.
 *
 * ERR_NOT_FOUND: a page fault; *error is its code.
 * ERR_BAD_STATE: the guest changed an entry meanwhile; to be tried again.
 * ERR_INVALID_ARGS: not canonical: #GP or #SS.
 * ERR_UNSUPPORTED: a table is not in RAM.
 */
status_t x86_walk(const struct x86_paging *paging, const struct hv_bus *bus, uint64_t linear,
                  uint32_t access, gpa_t *out, uint32_t *error);

/* Bits 63 to 47 are the same. */
static inline bool x86_is_canonical(uint64_t linear)
{
    return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}
