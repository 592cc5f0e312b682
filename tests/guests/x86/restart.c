/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does what it is told, a key each: r resets it by port 0xcf9, k by the keyboard
 * controller, f by port 0x92, t by a triple fault, 1 to 4 by one outside of 64-bit mode; c says
 * that it has failed; q powers it off. It dirties some memory first, which must be gone after a
 * restart.
 */
#include "tests/guests/x86/lib/snippet.h"

#define DIRTY 0x900000UL /* RAM that nothing was loaded into */
#define DIRTY_BYTES (1u << 20)

static void triple_fault(void)
{
    load_idt(0);
    asm volatile("ud2");
}

/* The table's limit and base are in DS, which is empty. */
SNIPPET(no_table, "lidtl 0\n ud2");

static void triple_fault_in(unsigned which)
{
    static const struct mode modes[] = {
        { .real = true, .bits = 16 },
        { .bits = 32 },
        { .bits = 32, .paging = MODE_PAGED_32 },
        { .bits = 32, .paging = MODE_PAGED_PAE },
    };

    mode_prepare();
    mode_select(&modes[which]);
    snippet_load(&no_table, modes[which].bits);
    mode_run();
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
    const int key = uart_getc();

    switch (key) {
    case 'r': out8(0xcf9, 6); break;
    case 'k': out8(0x64, 0xfe); break;
    case 'f': out8(0x92, 1); break;
    case 't': triple_fault(); break;
    case '1' ... '4': triple_fault_in((unsigned)key - '1'); break;
    case 'c': out8(0xf4, 7); break;
    default: return;
    }
    for (;;)
        asm volatile("hlt");
}
