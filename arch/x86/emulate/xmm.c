/* SPDX-License-Identifier: BSD-2-Clause */
/* By way of the legacy save area, SDM 1 10.5: a register's number is no more than an index. */
#include "arch/x86/emulate/xmm.h"

#include <assert.h>

struct fx_area {
    uint8_t x87[160]; /* and MXCSR */
    uint64_t xmm[16][2];
    uint8_t rest[96];
} __attribute__((aligned(16)));

static_assert(sizeof(struct fx_area) == 512, "FXSAVE's layout");

static void save(struct fx_area *area)
{
    __asm__ volatile("fxsave64 %0" : "=m"(*area));
}

void x86_xmm_read(unsigned n, uint64_t value[2])
{
    struct fx_area area;

    save(&area);
    value[0] = area.xmm[n][0];
    value[1] = area.xmm[n][1];
}

void x86_xmm_write(unsigned n, const uint64_t value[2])
{
    struct fx_area area;

    save(&area);
    area.xmm[n][0] = value[0];
    area.xmm[n][1] = value[1];
    __asm__ volatile("fxrstor64 %0" : : "m"(area));
}
