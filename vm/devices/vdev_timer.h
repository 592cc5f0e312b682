/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model's timer: fires with the device's lock held, and can be put away for good although
 * `fire` may be on its way, waiting for that lock on another CPU.
 */
#pragma once

#include "kernel/timer.h"
#include "vm/vdev.h"

struct vdev_timer {
    struct timer timer;
    struct vdev *dev;
    void (*fire)(struct vdev *dev);
    bool armed;        /* `fire` is wanted */
    unsigned expected; /* calls by the kernel's timer: armed, or on their way */
};

void vdev_timer_init(struct vdev_timer *timer, struct vdev *dev, void (*fire)(struct vdev *dev));

/* `fire` once when arch_counter() has reached `deadline`, instead of when it was to before.
 * The device's lock is held. */
void vdev_timer_arm(struct vdev_timer *timer, uint64_t deadline);

/* No `fire` from here on. The device's lock is held. */
void vdev_timer_disarm(struct vdev_timer *timer);

/* For destroy: nothing touches the device when this returns. The lock is not held. */
void vdev_timer_put_away(struct vdev_timer *timer);
