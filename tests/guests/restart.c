/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does what it is told, a key each: r resets it, c crashes it, q powers it off.
 * It dirties some memory first, which must be gone after a restart.
 */
#include "tests/guests/lib/guest.h"

#define DIRTY_OFFSET (8u << 20) /* behind this image: RAM that nothing was loaded into */
#define DIRTY_BYTES (1u << 20)

extern uint8_t _start[];

void guest_main(void)
{
    uint64_t dirty = (uint64_t)_start + DIRTY_OFFSET;
    bool fresh = true;

    for (uint64_t at = dirty; at < dirty + DIRTY_BYTES; at += 4096) {
        fresh = fresh && mmio_read64(at) == 0;
        mmio_write64(at, ~0UL);
    }
    print("restart: %s, waiting\n", fresh ? "fresh" : "STALE");
    switch (uart_getc()) {
    case 'r': hvc(PSCI_SYSTEM_RESET, 0, 0, 0); break;
    case 'c':
        ((void (*)(void))0x30000000)(); /* no memory, no device */
        break;
    default: break;
    }
}
