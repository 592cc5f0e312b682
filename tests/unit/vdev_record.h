/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of a device model's state: as it saves one, and what it says to one. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "vm/state.h"
#include "vm/vdev.h"

/* Its bytes; the rest of `room` is 0. */
static inline size_t vdev_save(const struct vdev *dev, uint8_t *record, size_t room)
{
    struct state_writer out;

    memset(record, 0, room);
    state_writer_init(&out, record, room);
    dev->ops->save(dev, &out);
    assert_int_equal(state_writer_status(&out), OK);
    return out.bytes;
}

static inline status_t vdev_restore(struct vdev *dev, const uint8_t *record, size_t bytes)
{
    struct state_reader in;
    status_t status;

    state_reader_init(&in, record, bytes);
    if (dev->ops->unlocked)
        return dev->ops->restore(dev, &in);
    spin_lock(&dev->lock);
    status = dev->ops->restore(dev, &in);
    spin_unlock(&dev->lock);
    return status;
}
