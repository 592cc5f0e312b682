/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IDE channel, as in ATA/ATAPI-6, chapter 7, with a disk as device 0 and nothing as device 1:
 * its registers, its interrupt, and the data port. Commands are in ide_ata.c.
 *
 *     0  data (8, 16 or 32 bits)    4  LBA mid, cylinder low     control port:
 *     1  error / features           5  LBA high, cylinder high      alternate status /
 *     2  sector count               6  device, head                 device control
 *     3  LBA low, sector            7  status / command
 *
 * A snapshot keeps the disk's contents with the disk; the record here is the command that
 * runs, with what is in its buffer.
 */

#include "vm/devices/ide.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "kernel/pmm.h"
#include "vm/devices/ide_ata.h"
#include "vm/state.h"

enum { DATA, ERROR, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS };

#define DEVICE_FIXED 0xa0 /* read as 1 since ATA-1 */
#define CONTROL_NIEN BIT(1)
#define CONTROL_SRST BIT(2)
#define CONTROL_HOB BIT(7) /* reads give what was written before the last value */
#define CONTROL_KEPT (CONTROL_NIEN | CONTROL_SRST | CONTROL_HOB)

static struct ide *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct ide, dev);
}

static bool is_absent(const struct ide *ide)
{
    return (ide->reg.device & ATA_DEV_1) != 0;
}

static void update_line(struct ide *ide)
{
    const bool level = ide->reg.interrupts && !(ide->reg.control & CONTROL_NIEN) && !is_absent(ide);

    if (level != ide->level) {
        ide->level = level;
        irq_line_set(&ide->line, level);
    }
}

/* --- the data port --- */

static unsigned movable(const struct ide *ide, enum ata_transfer transfer, unsigned size)
{
    if (ide->reg.transfer != transfer || is_absent(ide))
        return 0;
    return MIN(size, (unsigned)(ide->end - ide->position));
}

static void moved(struct ide *ide, unsigned bytes)
{
    ide->position = (uint16_t)(ide->position + bytes);
    if (likely(ide->position != ide->end))
        return;
    ata_block_moved(ide);
    update_line(ide);
}

static uint64_t read_data(struct ide *ide, unsigned size)
{
    const unsigned bytes = movable(ide, ATA_TO_HOST, size);
    uint64_t value = 0;

    if (bytes == 0)
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)ide->buffer[ide->position + i] << (8 * i);
    moved(ide, bytes);
    return value;
}

static void write_data(struct ide *ide, unsigned size, uint64_t value)
{
    const unsigned bytes = movable(ide, ATA_TO_DISK, size);

    if (bytes == 0)
        return;
    for (unsigned i = 0; i < bytes; i++)
        ide->buffer[ide->position + i] = (uint8_t)(value >> (8 * i));
    moved(ide, bytes);
}

/* --- registers --- */

static uint8_t status(const struct ide *ide)
{
    return ide->reg.control & CONTROL_SRST ? ATA_ST_BSY : ide->reg.status;
}

static uint8_t read_register(struct ide *ide, uint64_t offset)
{
    const struct ata_registers *reg = &ide->reg;
    const bool shadow = (reg->control & CONTROL_HOB) != 0;

    switch (offset) {
    case ERROR: return reg->error;
    case COUNT: return shadow ? reg->count_shadow : reg->count;
    case LBA_LOW:
    case LBA_MID:
    case LBA_HIGH: return (shadow ? reg->lba_shadow : reg->lba)[offset - LBA_LOW];
    case DEVICE: return reg->device | DEVICE_FIXED;
    case STATUS:
        ide->reg.interrupts = 0;
        update_line(ide);
        return status(ide);
    default: return 0;
    }
}

/* Nothing answers for device 1, and pulls the lines up: 0 is what a PC's channel gives. */
static uint64_t ide_read(struct vdev *dev, struct vdev_access access)
{
    struct ide *ide = from_vdev(dev);

    if (access.range == IDE_RANGE_COMMAND && access.offset == DATA)
        return read_data(ide, access.size);
    if (is_absent(ide))
        return access.range == IDE_RANGE_COMMAND && access.offset == DEVICE
                   ? ide->reg.device | DEVICE_FIXED
                   : 0;
    return access.range == IDE_RANGE_COMMAND ? read_register(ide, access.offset) : status(ide);
}

static void shift_in(uint8_t *now, uint8_t *shadow, uint8_t value)
{
    *shadow = *now;
    *now = value;
}

static void write_register(struct ide *ide, uint64_t offset, uint8_t value)
{
    struct ata_registers *reg = &ide->reg;

    reg->control &= (uint8_t)~CONTROL_HOB;
    switch (offset) {
    case ERROR: shift_in(&reg->feature, &reg->feature_shadow, value); break;
    case COUNT: shift_in(&reg->count, &reg->count_shadow, value); break;
    case LBA_LOW:
    case LBA_MID:
    case LBA_HIGH:
        shift_in(&reg->lba[offset - LBA_LOW], &reg->lba_shadow[offset - LBA_LOW], value);
        break;
    case DEVICE: reg->device = value & (uint8_t)~DEVICE_FIXED; break;
    case STATUS:
        if (!is_absent(ide) || value == ATA_DIAGNOSTIC)
            ata_command(ide, value);
        break;
    default: break;
    }
}

static void write_control(struct ide *ide, uint8_t value)
{
    const bool ends = (ide->reg.control & CONTROL_SRST) && !(value & CONTROL_SRST);

    ide->reg.control = value & CONTROL_KEPT;
    if (ide->reg.control & CONTROL_SRST) {
        ide->reg.interrupts = 0;
        ide->reg.transfer = ATA_NO_TRANSFER;
        ide->reg.status = ATA_ST_DRDY | ATA_ST_DSC;
    }
    if (ends)
        ata_signature(ide);
}

static void ide_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct ide *ide = from_vdev(dev);
    const bool in_reset = (ide->reg.control & CONTROL_SRST) != 0;

    if (access.range == IDE_RANGE_CONTROL)
        write_control(ide, (uint8_t)value);
    else if (access.offset == DATA)
        write_data(ide, access.size, value);
    else if (!in_reset)
        write_register(ide, access.offset, (uint8_t)value);
    update_line(ide);
}

/* --- life --- */

static void ide_reset(struct vdev *dev)
{
    struct ide *ide = from_vdev(dev);

    ide->reg = (struct ata_registers){
        .heads = ATA_HEADS,
        .sectors_per_track = ATA_SECTORS_PER_TRACK,
        .multiple = ATA_MULTIPLE_MAX,
        .per_block = 1,
    };
    ide->next = 0;
    ide->remaining = 0;
    ide->position = ide->end = 0;
    ata_signature(ide);
    update_line(ide);
}

static void ide_save(const struct vdev *dev, struct state_writer *out)
{
    const struct ide *ide = from_vdev(dev);

    state_put_bytes(out, &ide->reg, sizeof(ide->reg)); /* bytes only */
    state_put_u64(out, ide->next);
    state_put_u32(out, ide->remaining);
    state_put_u16(out, ide->position);
    state_put_u16(out, ide->end);
    if (ide->reg.transfer != ATA_NO_TRANSFER)
        state_put_bytes(out, ide->buffer, ide->end);
}

static bool are_registers_possible(const struct ata_registers *reg)
{
    const bool runs = reg->transfer != ATA_NO_TRANSFER;

    return !(reg->device & DEVICE_FIXED) && !(reg->control & ~CONTROL_KEPT) && reg->heads >= 1 &&
           reg->heads <= ATA_HEADS && reg->sectors_per_track != 0 &&
           reg->multiple <= ATA_MULTIPLE_MAX && (reg->multiple & (reg->multiple - 1)) == 0 &&
           reg->interrupts <= 1 && reg->transfer <= ATA_TO_DISK && reg->wide <= 1 &&
           reg->per_block <= ATA_MULTIPLE_MAX && runs == ((reg->status & ATA_ST_DRQ) != 0) &&
           !(reg->status & ATA_ST_BSY);
}

/* A command that runs has something to move, and moves it between the disk and the buffer. */
static bool is_transfer_possible(const struct ide *ide)
{
    if (ide->reg.transfer == ATA_NO_TRANSFER)
        return true;
    if (ide->reg.per_block == 0 || ide->position >= ide->end || ide->end > sizeof(ide->buffer) ||
        ide->end % ATA_SECTOR != 0 || ide->next > ide->sectors ||
        ide->remaining > ide->sectors - ide->next)
        return false;
    return ide->reg.transfer == ATA_TO_HOST || ide->end == ata_block_bytes(ide);
}

static status_t ide_restore(struct vdev *dev, struct state_reader *in)
{
    struct ide *ide = from_vdev(dev);

    state_get_bytes(in, &ide->reg, sizeof(ide->reg));
    ide->next = state_get_u64(in);
    ide->remaining = state_get_u32(in);
    ide->position = state_get_u16(in);
    ide->end = state_get_u16(in);
    if (!are_registers_possible(&ide->reg) || !is_transfer_possible(ide))
        state_reject(in);
    else if (ide->reg.transfer != ATA_NO_TRANSFER)
        state_get_bytes(in, ide->buffer, ide->end);
    if (state_status(in) != OK) {
        ide_reset(dev);
        return ERR_INVALID_ARGS;
    }
    update_line(ide);
    return OK;
}

static void ide_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops ide_ops = {
    .name = "ide",
    .read = ide_read,
    .write = ide_write,
    .reset = ide_reset,
    .save = ide_save,
    .restore = ide_restore,
    .destroy = ide_destroy,
};

status_t ide_create(struct vdev **out, struct ram_disk *disk, struct irq_line line)
{
    struct ide *ide = pmm_alloc_wired(sizeof(*ide));

    if (ide == NULL)
        return ERR_NO_MEMORY;
    ide->dev.ops = &ide_ops;
    ide->line = line;
    ide->disk = disk;
    ide->sectors = ram_disk_sectors(disk);
    ide_reset(&ide->dev);
    *out = &ide->dev;
    return OK;
}
