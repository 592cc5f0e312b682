/* SPDX-License-Identifier: BSD-2-Clause */
/* CFI parallel NOR flash: see flash.c. */
#pragma once

#include "kernel/vmo.h"
#include "vm/vdev.h"

#define FLASH_BANK_BYTES ((uint64_t)64 << 20) /* machine virt: two of them */
#define FLASH_SECTOR_BYTES ((uint64_t)256 << 10)
#define FLASH_BANK_WIDTH 4

/* Ranges of the device, in the order that they are attached. */
enum flash_range {
    FLASH_RANGE_MEMORY, /* REGION_ROM over the VMO; reads trap when asked to */
    FLASH_RANGE_REST,   /* REGION_DEVICE behind it, to the end of the bank */
};

/* Reads of FLASH_RANGE_MEMORY are to come to the model, or not. The device's lock is held. */
struct flash_reads {
    void *context;
    void (*trap)(void *context, bool trap);
};

extern const struct vdev_ops flash_ops;

/*
 * A bank of `bank_bytes` (a power of two, 512 KiB to 64 MiB), of which the first
 * memory->size bytes are backed; `memory` is the caller's, and outlives the device. All of it
 * is erased: the caller loads firmware afterwards. memory NULL: nothing is backed. `reads`
 * NULL: every read of the guest comes to the model.
 * ERR_INVALID_ARGS: sizes are no multiple of the sector's, or memory is larger than the bank.
 * ERR_NO_MEMORY.
 */
status_t flash_create(struct vdev **out, vmo_t *memory, uint64_t bank_bytes,
                      const struct flash_reads *reads);

/* All backed sectors to 0xff. Not while a guest runs. ERR_NO_MEMORY. */
status_t flash_erase_all(struct vdev *dev);
