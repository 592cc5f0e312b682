/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does what it is told, a key each: r resets it by port 0xcf9, k by the keyboard
 * controller, f by port 0x92, t by a triple fault; c says that it has failed; q powers it off.
 * It dirties some memory first, which must be gone after a restart.
 */
#include "tests/guests/x86/lib/guest.h"

#define DIRTY 0x900000UL /* RAM that nothing was loaded into */
#define DIRTY_BYTES (1u << 20)

static void triple_fault(void)
{
    load_idt(0);
    asm volatile("ud2");
}

void guest_main(void)
{
    bool fresh = true;

    for (volatile uint64_t *at = (uint64_t *)DIRTY; at < (uint64_t *)(DIRTY + DIRTY_BYTES);
         at += 512) {
        fresh = fresh && *at == 0;
        *at = ~0UL;
    }
    print("restart: %s, waiting\n", fresh ? "fresh" : "STALE");
    switch (uart_getc()) {
    case 'r': out8(0xcf9, 6); break;
    case 'k': out8(0x64, 0xfe); break;
    case 'f': out8(0x92, 1); break;
    case 't': triple_fault(); break;
    case 'c': out8(0xf4, 7); break;
    default: return;
    }
    for (;;)
        asm volatile("hlt");
}
