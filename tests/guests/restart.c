/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does what it is told, a key each: r resets it, c crashes it, q powers it off.
 * It dirties some memory and the interrupt controller first, which must be gone after a restart.
 * With `storm` it resets at once, with `flood` it prints for ever.
 */
#include "tests/guests/lib/gic.h"

#define DIRTY_OFFSET (8u << 20) /* behind this image: RAM that nothing was loaded into */
#define DIRTY_BYTES (1u << 20)

#define SPI 48

extern uint8_t _start[];

/* Is the interrupt controller as at power-on? Then it is made different. */
static bool fresh_controller(void)
{
    uint64_t priority = GICD_BASE + GICD_IPRIORITYR + SPI;
    bool fresh = (mmio_read32(GICD_BASE + GICD_CTLR) & 3) == 0 && mmio_read8(priority) == 0 &&
                 !gic_is_pending(SPI) && !gic_is_active(SPI) &&
                 (mmio_read32(gic_bank(SPI, GICD_ISENABLER + SPI / 8)) >> SPI % 32 & 1) == 0 &&
                 (mmio_read32(gic_bank(20, GICD_ISENABLER)) >> 20 & 1) == 0 &&
                 gic_running_priority() == PRIORITY_IDLE;

    gic_init();
    gic_set_edge(SPI, true);
    gic_set_priority(SPI, 0xa0);
    gic_enable(SPI);
    gic_enable(20);
    gic_set_pending(SPI);
    gic_ack(); /* and stays active */
    gic_set_pending(SPI);
    return fresh;
}

void guest_main(void)
{
    uint64_t dirty = (uint64_t)_start + DIRTY_OFFSET;
    bool fresh = fresh_controller();

    if (option_given("storm"))
        hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
    while (option_given("flood"))
        print("flood\n");

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
