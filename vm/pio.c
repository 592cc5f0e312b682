/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port space: a sorted array of ranges, searched by halving; but first it is tried where the last
 * access was, since drivers poll.
 */

#include "vm/pio.h"

#include "arch/bits.h"

#define PORTS 0x10000u

/* How many ranges start at or below `port`; the last of them is the only one it can be in. */
static unsigned starting_up_to(const struct pio_bus *bus, unsigned port)
{
    unsigned low = 0, high = bus->count;

    while (low < high) {
        const unsigned middle = (low + high) / 2;

        if (bus->ranges[middle].first <= port)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool contains(const struct pio_range *range, unsigned port)
{
    return port - range->first < range->count;
}

static __attribute__((noinline)) const struct pio_range *search(struct pio_bus *bus, unsigned port)
{
    const unsigned upper = starting_up_to(bus, port);

    if (upper == 0 || !contains(&bus->ranges[upper - 1], port))
        return NULL;
    __atomic_store_n(&bus->near, upper - 1, __ATOMIC_RELAXED);
    return &bus->ranges[upper - 1];
}

/* NULL: nothing is there. */
static const struct pio_range *find(struct pio_bus *bus, unsigned port)
{
    const struct pio_range *near = &bus->ranges[__atomic_load_n(&bus->near, __ATOMIC_RELAXED)];

    return likely(contains(near, port)) ? near : search(bus, port);
}

status_t pio_map(struct pio_bus *bus, const struct pio_range *range)
{
    const unsigned end = (unsigned)range->first + range->count;
    const unsigned at = starting_up_to(bus, range->first);

    if (range->count == 0 || end > PORTS)
        return ERR_INVALID_ARGS;
    if (find(bus, range->first) != NULL || starting_up_to(bus, end - 1) != at)
        return ERR_ALREADY_EXISTS;
    if (bus->count == PIO_MAX_RANGES)
        return ERR_NO_MEMORY;
    for (unsigned i = bus->count++; i > at; i--)
        bus->ranges[i] = bus->ranges[i - 1];
    bus->ranges[at] = *range;
    return OK;
}

unsigned pio_ranges_of(const struct pio_bus *bus, const struct vdev *dev)
{
    unsigned ranges = 0;

    for (unsigned i = 0; i < bus->count; i++)
        ranges += bus->ranges[i].dev == dev;
    return ranges;
}

static struct vdev_access access_of(const struct pio_range *range, uint16_t port, unsigned size,
                                    unsigned cpu)
{
    return (struct vdev_access){
        .offset = (uint16_t)(port - range->first),
        .size = size,
        .range = range->dev_range,
        .cpu = (uint16_t)cpu,
    };
}

/* Past the last port there is nothing. */
static __attribute__((noinline)) uint64_t read_bytes(struct pio_bus *bus, uint16_t port,
                                                     unsigned size, unsigned cpu)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (port + i < PORTS ? pio_read(bus, (uint16_t)(port + i), 1, cpu) & 0xff : 0xff)
                 << (8 * i);
    return value;
}

static __attribute__((noinline)) void write_bytes(struct pio_bus *bus, uint16_t port, unsigned size,
                                                  uint64_t value, unsigned cpu)
{
    for (unsigned i = 0; i < size && port + i < PORTS; i++)
        pio_write(bus, (uint16_t)(port + i), 1, value >> (8 * i), cpu);
}

uint64_t pio_read(struct pio_bus *bus, uint16_t port, unsigned size, unsigned cpu)
{
    const struct pio_range *range = find(bus, port);

    if (unlikely(range == NULL))
        return UINT64_MAX;
    if (unlikely(size > 1) && range->dev->ops->byte_ports)
        return read_bytes(bus, port, size, cpu);
    return vdev_read(range->dev, access_of(range, port, size, cpu));
}

void pio_write(struct pio_bus *bus, uint16_t port, unsigned size, uint64_t value, unsigned cpu)
{
    const struct pio_range *range = find(bus, port);

    if (unlikely(range == NULL))
        return;
    if (unlikely(size > 1) && range->dev->ops->byte_ports)
        write_bytes(bus, port, size, value, cpu);
    else
        vdev_write(range->dev, access_of(range, port, size, cpu), low_bytes(value, size));
}
