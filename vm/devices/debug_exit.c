/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug exit: what it means stands in the header. */

#include "vm/devices/debug_exit.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/state.h"

struct debug_exit {
    struct vdev dev;
    struct pc_events events;
};

static struct debug_exit *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct debug_exit, dev);
}

static uint64_t debug_exit_read(struct vdev *dev, struct vdev_access access)
{
    (void)dev;
    (void)access;
    return 0;
}

static void debug_exit_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    const struct pc_events *events = &from_vdev(dev)->events;

    if (access.offset == 0)
        events->debug_exit(events->context, access.cpu, (uint8_t)value);
}

static void debug_exit_reset(struct vdev *dev)
{
    (void)dev;
}

static void debug_exit_save(const struct vdev *dev, struct state_writer *out)
{
    (void)dev;
    (void)out;
}

static status_t debug_exit_restore(struct vdev *dev, struct state_reader *in)
{
    (void)dev;
    return state_status(in);
}

static void debug_exit_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops debug_exit_ops = {
    .name = "debug-exit",
    .byte_ports = true,
    .read = debug_exit_read,
    .write = debug_exit_write,
    .reset = debug_exit_reset,
    .save = debug_exit_save,
    .restore = debug_exit_restore,
    .destroy = debug_exit_destroy,
};

status_t debug_exit_create(struct vdev **out, const struct pc_events *events)
{
    struct debug_exit *port = pmm_alloc_wired(sizeof(*port));

    if (port == NULL)
        return ERR_NO_MEMORY;
    port->dev.ops = &debug_exit_ops;
    port->events = *events;
    *out = &port->dev;
    return OK;
}
