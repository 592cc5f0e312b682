/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk's side of the IDE channel, for ide.c: what its commands do. */
#pragma once

#include "vm/devices/ide.h"

#define ATA_SECTOR RAM_DISK_SECTOR
#define ATA_MULTIPLE_MAX 16 /* sectors to an interrupt */

#define ATA_ST_ERR (1u << 0)
#define ATA_ST_DRQ (1u << 3)
#define ATA_ST_DSC (1u << 4)
#define ATA_ST_DRDY (1u << 6)
#define ATA_ST_BSY (1u << 7)
#define ATA_ER_ABRT (1u << 2)
#define ATA_ER_IDNF (1u << 4)
#define ATA_ER_UNC (1u << 6)
#define ATA_DEV_LBA (1u << 6)
#define ATA_DEV_1 (1u << 4)

/* The geometry that the disk announces. */
#define ATA_HEADS 16
#define ATA_SECTORS_PER_TRACK 63

enum ata_transfer {
    ATA_NO_TRANSFER,
    ATA_TO_HOST,
    ATA_TO_DISK,
};

/* Bytes alone, so that they are their own record. The shadows hold what was written before: 48-bit
 * commands. */
struct ata_registers {
    uint8_t error, status;
    uint8_t device;
    uint8_t control;
    uint8_t feature, feature_shadow;
    uint8_t count, count_shadow;
    uint8_t lba[3], lba_shadow[3];    /* low, mid, high */
    uint8_t heads, sectors_per_track; /* translation of CHS addresses, as set by the guest */
    uint8_t multiple;                 /* sectors to an interrupt; 0: not set */
    uint8_t interrupts;               /* 0 or 1: INTRQ */
    uint8_t transfer;                 /* enum ata_transfer */
    uint8_t wide;                     /* 0 or 1: the command that runs has 48-bit addresses */
    uint8_t per_block;                /* sectors to an interrupt, for it */
};

struct ide {
    struct vdev dev;
    struct irq_line line;
    bool level; /* of the line, as last set */
    struct ram_disk *disk;
    uint64_t sectors;

    struct ata_registers reg;
    /* The command that runs: `position` to `end` of the buffer are still to be moved, and
     * `remaining` sectors from `next` on come behind the buffer's, or are in it to be written. */
    uint64_t next;
    uint32_t remaining;
    uint16_t position, end;
    uint8_t buffer[ATA_MULTIPLE_MAX * ATA_SECTOR];
};

#define ATA_DIAGNOSTIC 0x90 /* the command that is for both devices, whichever is selected */

/* Runs a command. */
void ata_command(struct ide *ide, uint8_t command);

/* The guest has moved all of the buffer: the next block, or the command's end. */
void ata_block_moved(struct ide *ide);

/* How many bytes the next block of the command that runs has. */
unsigned ata_block_bytes(const struct ide *ide);

/* What the registers hold after power-on, software reset and EXECUTE DEVICE DIAGNOSTIC. */
void ata_signature(struct ide *ide);
