/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM disks. They are the hypervisor's, found by name, and outlive the VMs: what one VM has
 * written another reads after it. A disk takes memory only for what is written; the rest
 * reads as the image that it was made from, where it lies, and behind that as zero.
 */
#pragma once

#include "vm/config/config.h"

#define RAM_DISK_SECTOR 512u
#define RAM_DISK_MAX 16

struct ram_disk;

struct ram_disk_config {
    char name[VM_NAME_MAX + 1];
    uint64_t size;     /* bytes, a multiple of RAM_DISK_SECTOR; 0: the image's, rounded up */
    struct blob image; /* stays as long as the disk; none: all zero at first */
};

/*
 * ERR_ALREADY_EXISTS: the name is taken. ERR_INVALID_ARGS: no name, no size, one that is not
 * whole sectors or smaller than the image. ERR_NO_MEMORY, also for more than RAM_DISK_MAX.
 * Each is logged.
 */
status_t ram_disk_create(const struct ram_disk_config *config);

/* NULL: none of that name. */
struct ram_disk *ram_disk_find(const char *name);

uint64_t ram_disk_sectors(const struct ram_disk *disk);

/*
 * `count` sectors from `sector` on. Several VMs may do it at once; each sector is then read
 * and written whole. ERR_INVALID_ARGS: past the end, nothing copied. ERR_NO_MEMORY: for what
 * is written; sectors before that one are.
 */
status_t ram_disk_read(struct ram_disk *disk, uint64_t sector, unsigned count, void *to);
status_t ram_disk_write(struct ram_disk *disk, uint64_t sector, unsigned count, const void *from);

/* Gives all disks back; no VM uses one any more. */
void ram_disk_destroy_all(void);
