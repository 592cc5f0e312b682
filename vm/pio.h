/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's port space: which device answers which of the 65536 ports. It changes only while no
 * vCPU of the VM runs, so looking one up takes no lock.
 */
#pragma once

#include "vm/vdev.h"

#define PIO_MAX_RANGES 32

struct pio_range {
    uint16_t first, count;
    uint8_t dev_range; /* handed to the model: vdev_access.range */
    struct vdev *dev;
};

struct pio_bus {
    struct pio_range ranges[PIO_MAX_RANGES]; /* sorted by first, not overlapping */
    unsigned count;
    unsigned near; /* the range of the last access, by whichever vCPU */
};

/*
 * An access belongs to the device of its first port, also where it reaches past the end of
 * that range: so the dword at 0xcf8 is the host bridge's, and the byte at 0xcf9 another's.
 * A model with byte_ports gets one byte of it after the other, each found by its own port.
 */

/* ERR_INVALID_ARGS: empty or past 0xffff. ERR_ALREADY_EXISTS: overlaps. ERR_NO_MEMORY: full. */
status_t pio_map(struct pio_bus *bus, const struct pio_range *range);

/* How many ranges are the device's. */
unsigned pio_ranges_of(const struct pio_bus *bus, const struct vdev *dev);

/*
 * Accesses of 1, 2 or 4 bytes; of a value only the low `size` bytes count, read or written.
 * Reads of nothing give all ones, writes to nothing vanish, as on a PC.
 */
uint64_t pio_read(struct pio_bus *bus, uint16_t port, unsigned size, unsigned cpu);
void pio_write(struct pio_bus *bus, uint16_t port, unsigned size, uint64_t value, unsigned cpu);
