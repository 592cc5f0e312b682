/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware configuration device: see fw_cfg.c. */
#pragma once

#include "vm/vdev.h"

#define FW_CFG_BYTES 0x18 /* of its MMIO range */
#define FW_CFG_MAX_FILES 32
#define FW_CFG_NAME_BYTES 56 /* with the final NUL */

/* Items that firmware finds by number. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,  /* u64 */
    FW_CFG_NOGRAPHIC = 0x04, /* u16 */
    FW_CFG_NB_CPUS = 0x05,   /* u16 */
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e, /* u16 */
    FW_CFG_MAX_CPUS = 0x0f,  /* u16 */
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
};

/* Guest memory for DMA; each refuses what is not the guest's, whatever the address. */
struct fw_cfg_memory {
    void *context;
    status_t (*read)(void *context, gpa_t from, void *to, size_t bytes);
    status_t (*write)(void *context, gpa_t to, const void *from, size_t bytes);
};

extern const struct vdev_ops fw_cfg_ops;

/* ERR_NO_MEMORY. */
status_t fw_cfg_create(struct vdev **out, const struct fw_cfg_memory *memory);

/*
 * Items are added before the guest runs. Data is used where it lies, and lives as long as
 * the device. ERR_INVALID_ARGS: name empty or too long, data over 4 GiB, key beyond the
 * numbered ones. ERR_ALREADY_EXISTS: name or key taken. ERR_NO_MEMORY: FW_CFG_MAX_FILES.
 */
status_t fw_cfg_add_file(struct vdev *dev, const char *name, const void *data, size_t bytes);
status_t fw_cfg_add_bytes(struct vdev *dev, enum fw_cfg_key key, const void *data, size_t bytes);

/* A little-endian integer, copied; size is 2, 4 or 8 bytes. */
status_t fw_cfg_add_integer(struct vdev *dev, enum fw_cfg_key key, uint64_t value, unsigned size);
