/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device models.
 *
 * A model answers a guest's accesses to the bus ranges it is attached to. It owns its
 * registers and nothing else: memory, interrupts and back ends are handed to it.
 *
 *     guest access --> aspace (which range?) --> vdev_ops.read/write --> irq line, back end
 */
#pragma once

#include "arch/addr.h"
#include "arch/spinlock.h"
#include "arch/status.h"

struct vdev;
struct state_writer;
struct state_reader;

/* One access by a guest. `size` is 1, 2, 4 or 8 bytes; `offset` is from the range's base. */
struct vdev_access {
    uint64_t offset;
    uint32_t size;
    uint16_t range; /* which of the device's ranges, in the order they were attached */
    uint16_t cpu;   /* index of the vCPU that accesses */
};

/*
 * What a model implements. Calls for one device never overlap: the caller holds the
 * device's lock. None may block or allocate.
 */
struct vdev_ops {
    const char *name; /* as written in a configuration: "pl011" */

    /* The model takes care of its own locking: concurrent calls are possible. */
    bool unlocked;

    /* Its ports are a byte each: a wider access comes as bytes, the lowest port first. */
    bool byte_ports;

    /* Value read, in the low `size` bytes; the rest is ignored. Undefined offsets read 0. */
    uint64_t (*read)(struct vdev *dev, struct vdev_access access);

    /* Undefined offsets are ignored, as on the real part. */
    void (*write)(struct vdev *dev, struct vdev_access access, uint64_t value);

    /* State after power-on: what the manual says, not what was configured. */
    void (*reset)(struct vdev *dev);

    /*
     * State to and from a snapshot; restore(save(x)) equals x.
     * restore: ERR_INVALID_ARGS if the record is not one that save could have written.
     */
    void (*save)(const struct vdev *dev, struct state_writer *out);
    status_t (*restore)(struct vdev *dev, struct state_reader *in);

    /* Gives back what create took, the model's own structure last. */
    void (*destroy)(struct vdev *dev);
};

struct vdev {
    const struct vdev_ops *ops;
    spinlock_t lock;   /* outside the VM's, the interrupt controller's and console's */
    struct vdev *next; /* of the VM's devices */
};

/*
 * One access by a guest to a model that leaves its locking to the caller. Apart, so that callers
 * whose model locks itself need no room for it.
 */
static __attribute__((noinline, unused)) uint64_t vdev_read_locked(struct vdev *dev,
                                                                   struct vdev_access access)
{
    uint64_t value;

    spin_lock(&dev->lock);
    value = dev->ops->read(dev, access);
    spin_unlock(&dev->lock);
    return value;
}

static __attribute__((noinline, unused)) void
vdev_write_locked(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    spin_lock(&dev->lock);
    dev->ops->write(dev, access, value);
    spin_unlock(&dev->lock);
}

/* One access by a guest to any model. */
static inline uint64_t vdev_read(struct vdev *dev, struct vdev_access access)
{
    return dev->ops->unlocked ? dev->ops->read(dev, access) : vdev_read_locked(dev, access);
}

static inline void vdev_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    if (dev->ops->unlocked)
        dev->ops->write(dev, access, value);
    else
        vdev_write_locked(dev, access, value);
}

/* The same, decided once for all accesses to a device. */
typedef uint64_t (*vdev_reader)(struct vdev *dev, struct vdev_access access);
typedef void (*vdev_writer)(struct vdev *dev, struct vdev_access access, uint64_t value);

static inline vdev_reader vdev_reader_of(const struct vdev *dev)
{
    return dev->ops->unlocked ? dev->ops->read : vdev_read_locked;
}

static inline vdev_writer vdev_writer_of(const struct vdev *dev)
{
    return dev->ops->unlocked ? dev->ops->write : vdev_write_locked;
}

/* After power-on. The model's timers, and what is typed, may come at this moment on other CPUs. */
static inline void vdev_reset(struct vdev *dev)
{
    if (dev->ops->reset == NULL)
        return;
    if (!dev->ops->unlocked)
        spin_lock(&dev->lock);
    dev->ops->reset(dev);
    if (!dev->ops->unlocked)
        spin_unlock(&dev->lock);
}

/*
 * A wire from a device to its VM's interrupt controller. The controller fills it in; a
 * device with no wire has set == NULL. Level-sensitive: what counts is the level.
 */
struct irq_line {
    void (*set)(void *controller, uint32_t irq, bool level);
    void *controller;
    uint32_t irq; /* in the controller's numbering: arm64 INTID */
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
    if (line->set != NULL)
        line->set(line->controller, line->irq, level);
}
