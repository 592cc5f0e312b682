/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints on what an emulated instruction touches: SDM 3B 17.2.4 and 17.2.5, APM 2 13.1.
 *
 *     DR7  31 30  29 28  …  19 18  17 16   …   7  6  …  1  0
 *          LEN3   R/W3       LEN0   R/W0       G3 L3    G0 L0
 */
#include "arch/x86/emulate/watch.h"

#include "arch/x86/emulate/emulation.h"
#include "arch/x86/switch.h"

#define BREAKPOINTS 4
#define FIELDS_SHIFT 16
#define FIELDS_BITS 4

/* LEN's 0 to 3. */
static const uint8_t lengths[] = { 1, 2, 8, 4 };

/* Does it hold for one of these kinds, and cover a byte of them? Its address is aligned. */
static bool is_met(uint64_t dr7, unsigned n, uint64_t address, unsigned kinds, uint64_t at,
                   unsigned size)
{
    const uint64_t fields = dr7 >> (FIELDS_SHIFT + FIELDS_BITS * n);
    const uint64_t length = lengths[fields >> 2 & 3];
    const uint64_t first = address & ~(length - 1);

    return dr7 >> (2 * n) & 3 && kinds & BIT(fields & 3) &&
           (at - first < length || first - at < size);
}

void emulate_watch(struct emulation *e, enum emulation_watch kinds, uint64_t at, unsigned size)
{
    uint64_t address[BREAKPOINTS];

    if (kinds == WATCH_PORT && !(e->paging.cr4 & CR4_DE))
        return;
    x86_switch_breakpoints(address);
    for (unsigned n = 0; n < BREAKPOINTS; n++)
        if (is_met(e->watched, n, address[n], kinds, at, size))
            e->met |= BIT(n);
}
