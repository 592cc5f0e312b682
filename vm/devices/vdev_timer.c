/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer_cancel() cannot stop a call that has begun on another CPU. So each call that was
 * armed and not cancelled is expected, and one that arrives when another one is expected
 * after it belongs to a deadline that was given up.
 */

#include "vm/devices/vdev_timer.h"

static void arrive(struct timer *kernel_timer)
{
    struct vdev_timer *timer = container_of(kernel_timer, struct vdev_timer, timer);
    struct vdev *dev = timer->dev;

    spin_lock(&dev->lock);
    timer->expected--;
    if (timer->armed && timer->expected == 0) {
        timer->armed = false;
        timer->fire(dev);
    }
    spin_unlock(&dev->lock);
}

void vdev_timer_init(struct vdev_timer *timer, struct vdev *dev, void (*fire)(struct vdev *dev))
{
    *timer = (struct vdev_timer){ .timer.fire = arrive, .dev = dev, .fire = fire };
}

void vdev_timer_arm(struct vdev_timer *timer, uint64_t deadline)
{
    vdev_timer_disarm(timer);
    timer->armed = true;
    timer->expected++;
    timer_arm(&timer->timer, deadline);
}

void vdev_timer_disarm(struct vdev_timer *timer)
{
    timer->armed = false;
    if (timer_cancel(&timer->timer))
        timer->expected--;
}

void vdev_timer_put_away(struct vdev_timer *timer)
{
    bool busy;

    do {
        spin_lock(&timer->dev->lock);
        vdev_timer_disarm(timer);
        busy = timer->expected != 0;
        spin_unlock(&timer->dev->lock);
    } while (busy);
}
