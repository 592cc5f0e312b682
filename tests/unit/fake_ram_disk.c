/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_ram_disk.h"

#include <string.h>

uint64_t ram_disk_sectors(const struct ram_disk *disk)
{
    return disk->sectors;
}

static uint8_t *sector_at(struct ram_disk *disk, uint64_t sector)
{
    const uint64_t offset = sector * RAM_DISK_SECTOR;

    return offset < FAKE_DISK_BYTES ? &disk->bytes[offset] : NULL;
}

static bool refuses(const struct ram_disk *disk, uint64_t sector, unsigned count)
{
    return disk->fails || sector > disk->sectors || count > disk->sectors - sector;
}

status_t ram_disk_read(struct ram_disk *disk, uint64_t sector, unsigned count, void *to)
{
    if (refuses(disk, sector, count))
        return ERR_INVALID_ARGS;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *from = sector_at(disk, sector + i);
        uint8_t *at = (uint8_t *)to + i * RAM_DISK_SECTOR;

        if (from != NULL)
            memcpy(at, from, RAM_DISK_SECTOR);
        else
            memset(at, 0, RAM_DISK_SECTOR);
    }
    return OK;
}

status_t ram_disk_write(struct ram_disk *disk, uint64_t sector, unsigned count, const void *from)
{
    if (refuses(disk, sector, count))
        return ERR_NO_MEMORY;
    for (unsigned i = 0; i < count; i++) {
        uint8_t *to = sector_at(disk, sector + i);

        if (to != NULL)
            memcpy(to, (const uint8_t *)from + i * RAM_DISK_SECTOR, RAM_DISK_SECTOR);
    }
    return OK;
}
