/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reset ports of a PC, as in Intel's I/O controller hub data sheets (ICH9, 13.7):
 *
 *     0xcf9  reset control   1 system reset rather than INIT   2 reset: at its 0 -> 1
 *                            3 full reset: power is cycled
 *     0x92   port 92         0 fast INIT: at its 0 -> 1        1 A20 enabled
 *
 * All that resets at all resets the whole machine. Address line 20 is always there: its bit
 * is only remembered.
 */

#include "vm/devices/pc_reset.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/state.h"

/* clang-format off */
static const struct reset_port {
    uint8_t trigger, kept, at_reset;
} reset_ports[] = {
    [PC_RESET_RANGE_CONTROL] = { .trigger = BIT(2), .kept = 0x0e, .at_reset = 0 },
    [PC_RESET_RANGE_PORT92] =  { .trigger = BIT(0), .kept = 0x03, .at_reset = BIT(1) },
};
/* clang-format on */

#define PORTS ARRAY_SIZE(reset_ports)

struct pc_reset {
    struct vdev dev;
    struct pc_events events;
    uint8_t value[PORTS];
};

static struct pc_reset *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct pc_reset, dev);
}

static uint64_t pc_reset_read(struct vdev *dev, struct vdev_access access)
{
    return access.range < PORTS ? from_vdev(dev)->value[access.range] : 0;
}

static void pc_reset_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct pc_reset *ports = from_vdev(dev);
    uint8_t rising;

    if (access.range >= PORTS)
        return;
    rising = (uint8_t)value & (uint8_t)~ports->value[access.range];
    ports->value[access.range] = (uint8_t)value & reset_ports[access.range].kept;
    if (rising & reset_ports[access.range].trigger)
        ports->events.reset(ports->events.context);
}

static void pc_reset_reset(struct vdev *dev)
{
    for (unsigned i = 0; i < PORTS; i++)
        from_vdev(dev)->value[i] = reset_ports[i].at_reset;
}

static void pc_reset_save(const struct vdev *dev, struct state_writer *out)
{
    state_put_bytes(out, from_vdev(dev)->value, PORTS);
}

static status_t pc_reset_restore(struct vdev *dev, struct state_reader *in)
{
    uint8_t value[PORTS];

    state_get_bytes(in, value, sizeof(value));
    for (unsigned i = 0; i < PORTS; i++)
        if (value[i] & ~reset_ports[i].kept)
            state_reject(in);
    if (state_status(in) != OK)
        return ERR_INVALID_ARGS;
    for (unsigned i = 0; i < PORTS; i++)
        from_vdev(dev)->value[i] = value[i];
    return OK;
}

static void pc_reset_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops pc_reset_ops = {
    .name = "pc-reset",
    .byte_ports = true,
    .read = pc_reset_read,
    .write = pc_reset_write,
    .reset = pc_reset_reset,
    .save = pc_reset_save,
    .restore = pc_reset_restore,
    .destroy = pc_reset_destroy,
};

status_t pc_reset_create(struct vdev **out, const struct pc_events *events)
{
    struct pc_reset *ports = pmm_alloc_wired(sizeof(*ports));

    if (ports == NULL)
        return ERR_NO_MEMORY;
    ports->dev.ops = &pc_reset_ops;
    ports->events = *events;
    pc_reset_reset(&ports->dev);
    *out = &ports->dev;
    return OK;
}
