/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM disks: a VMO over an image. A page is copied from the image at its first write. */

#include "vm/ram_disk.h"

#include "arch/bits.h"
#include "arch/mem.h"
#include "arch/mmu.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/vmo.h"

struct ram_disk {
    spinlock_t lock; /* outside the VMO's */
    char name[VM_NAME_MAX + 1];
    uint64_t sectors;
    struct blob image;
    vmo_t written; /* pages that are committed hide the image */
};

static struct ram_disk disks[RAM_DISK_MAX];
static unsigned disk_count;
static spinlock_t disks_lock; /* for making them: finding one follows boot, when they are made */

static const char *check(const struct ram_disk_config *config, uint64_t size)
{
    if (config->name[0] == '\0' || strnlen(config->name, sizeof(config->name)) > VM_NAME_MAX)
        return "a name has 1 to 31 characters";
    if (size == 0)
        return "neither size nor image";
    if (size % RAM_DISK_SECTOR != 0)
        return "the size is not a multiple of 512";
    if (size < config->image.bytes)
        return "the image is larger than the size";
    return NULL;
}

static status_t create(const struct ram_disk_config *config)
{
    uint64_t size = config->size;
    struct ram_disk *disk = &disks[disk_count];
    const char *why;
    status_t status;

    if (size == 0)
        size = ALIGN_UP((uint64_t)config->image.bytes, RAM_DISK_SECTOR);
    why = check(config, size);
    if (why != NULL) {
        log_error("disk '%.31s': %s", config->name, why);
        return ERR_INVALID_ARGS;
    }
    if (ram_disk_find(config->name) != NULL)
        status = ERR_ALREADY_EXISTS;
    else
        status = disk_count < RAM_DISK_MAX ? vmo_init(&disk->written, size) : ERR_NO_MEMORY;
    if (status != OK) {
        log_error("disk '%s': not created: %s", config->name, status_str(status));
        return status;
    }
    memcpy(disk->name, config->name, sizeof(disk->name));
    disk->sectors = size / RAM_DISK_SECTOR;
    disk->image = config->image;
    disk_count++;
    return OK;
}

status_t ram_disk_create(const struct ram_disk_config *config)
{
    status_t status;

    spin_lock(&disks_lock);
    status = create(config);
    spin_unlock(&disks_lock);
    return status;
}

struct ram_disk *ram_disk_find(const char *name)
{
    for (unsigned i = 0; i < disk_count; i++)
        if (strcmp(disks[i].name, name) == 0)
            return &disks[i];
    return NULL;
}

uint64_t ram_disk_sectors(const struct ram_disk *disk)
{
    return disk->sectors;
}

/* What the image has at `offset`, then zeroes. */
static void copy_image(const struct ram_disk *disk, uint64_t offset, void *to, size_t bytes)
{
    size_t there = 0;

    if (offset < disk->image.bytes)
        there = MIN(bytes, disk->image.bytes - offset);
    if (there != 0)
        asm_mem_copy(to, (const uint8_t *)disk->image.data + offset, there);
    if (there != bytes)
        asm_mem_zero((uint8_t *)to + there, bytes - there);
}

static uint8_t *place_in(const struct vmo_extent *extent, uint64_t offset)
{
    return (uint8_t *)phys_to_virt(extent->base) + offset % extent->bytes;
}

static status_t read_sector(struct ram_disk *disk, uint64_t offset, uint8_t *to)
{
    struct vmo_extent extent;

    if (vmo_lookup(&disk->written, offset, &extent) == OK)
        asm_mem_copy(to, place_in(&extent, offset), RAM_DISK_SECTOR);
    else
        copy_image(disk, offset, to, RAM_DISK_SECTOR);
    return OK;
}

static status_t write_sector(struct ram_disk *disk, uint64_t offset, uint8_t *from)
{
    struct vmo_extent extent;
    status_t status = vmo_commit(&disk->written, offset, false, &extent);

    if (status != OK)
        return status;
    if (extent.fresh)
        copy_image(disk, ALIGN_DOWN(offset, PAGE_SIZE), place_in(&extent, 0), PAGE_SIZE);
    asm_mem_copy(place_in(&extent, offset), from, RAM_DISK_SECTOR);
    return OK;
}

static status_t
for_each_sector(struct ram_disk *disk, uint64_t sector, unsigned count, uint8_t *buffer,
                status_t (*copy)(struct ram_disk *disk, uint64_t offset, uint8_t *buffer))
{
    status_t status = OK;

    if (sector > disk->sectors || count > disk->sectors - sector)
        return ERR_INVALID_ARGS;
    for (unsigned i = 0; i < count && status == OK; i++) {
        spin_lock(&disk->lock);
        status = copy(disk, (sector + i) * RAM_DISK_SECTOR, buffer + i * RAM_DISK_SECTOR);
        spin_unlock(&disk->lock);
    }
    return status;
}

status_t ram_disk_read(struct ram_disk *disk, uint64_t sector, unsigned count, void *to)
{
    return for_each_sector(disk, sector, count, to, read_sector);
}

status_t ram_disk_write(struct ram_disk *disk, uint64_t sector, unsigned count, const void *from)
{
    /* The buffer is only read: one walk serves both directions. */
    return for_each_sector(disk, sector, count, (uint8_t *)(uintptr_t)from, write_sector);
}

void ram_disk_destroy_all(void)
{
    while (disk_count > 0) {
        struct ram_disk *disk = &disks[--disk_count];

        vmo_destroy(&disk->written);
        memset(disk, 0, sizeof(*disk));
    }
}
