/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ATA disk, PIO commands, as in AT Attachment with Packet Interface 6 (ATA/ATAPI-6), chapters
 * 6 to 9. Sectors pass through a buffer of up to 16:
 *
 *     read    disk --block--> buffer --DRQ, INTRQ--> guest reads it all --> next block
 *     write   DRQ --> guest fills the buffer --> disk --INTRQ, DRQ if there is more-->
 *
 * A command takes effect at once, so BSY is never seen.
 */

#include "vm/devices/ide_ata.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"

#define COUNT_FULL 256u /* what a count of 0 means; 65536 with 48-bit addresses */
#define LBA28_END BIT(28)
#define CYLINDERS_MAX 16383u
#define POWER_ACTIVE 0xff

enum feature {
    FEATURE_TRANSFER_MODE = 0x03,
    FEATURE_NO_LOOK_AHEAD = 0x55,
    FEATURE_KEEP_AT_RESET = 0x66,
    FEATURE_NO_WRITE_CACHE = 0x82,
    FEATURE_LOOK_AHEAD = 0xaa,
    FEATURE_DEFAULTS_AT_RESET = 0xcc,
    FEATURE_WRITE_CACHE = 0x02,
};

static void done(struct ide *ide)
{
    ide->reg.status = ATA_ST_DRDY | ATA_ST_DSC;
    ide->reg.transfer = ATA_NO_TRANSFER;
    ide->reg.interrupts = 1;
}

static void fail(struct ide *ide, uint8_t error)
{
    done(ide);
    ide->reg.error = error;
    ide->reg.status |= ATA_ST_ERR;
}

static void abort_command(struct ide *ide)
{
    fail(ide, ATA_ER_ABRT);
}

/* --- addresses --- */

static uint64_t lba28(const struct ata_registers *reg)
{
    return reg->lba[0] | (uint64_t)reg->lba[1] << 8 | (uint64_t)reg->lba[2] << 16;
}

static uint64_t lba_of_chs(const struct ata_registers *reg)
{
    const uint64_t cylinder = reg->lba[1] | (uint64_t)reg->lba[2] << 8;
    const unsigned head = reg->device & 0x0f, sector = reg->lba[0];

    if (head >= reg->heads || sector == 0 || sector > reg->sectors_per_track)
        return UINT64_MAX; /* past the end of every disk */
    return (cylinder * reg->heads + head) * reg->sectors_per_track + sector - 1;
}

static uint64_t address(const struct ata_registers *reg)
{
    if (reg->wide)
        return lba28(reg) | (uint64_t)reg->lba_shadow[0] << 24 |
               (uint64_t)reg->lba_shadow[1] << 32 | (uint64_t)reg->lba_shadow[2] << 40;
    if (reg->device & ATA_DEV_LBA)
        return lba28(reg) | (uint64_t)(reg->device & 0x0f) << 24;
    return lba_of_chs(reg);
}

static uint32_t sector_count(const struct ata_registers *reg)
{
    const uint32_t full = reg->wide ? COUNT_FULL * COUNT_FULL : COUNT_FULL;
    const uint32_t count = reg->count | (reg->wide ? (uint32_t)reg->count_shadow << 8 : 0);

    return count == 0 ? full : count;
}

/* The command's sectors; false: some of them are not there, and the command has failed. */
static bool find_sectors(struct ide *ide)
{
    const uint64_t first = address(&ide->reg);
    const uint32_t count = sector_count(&ide->reg);

    if (first >= ide->sectors || count > ide->sectors - first) {
        fail(ide, ATA_ER_IDNF);
        return false;
    }
    ide->next = first;
    ide->remaining = count;
    return true;
}

/* --- transfers --- */

static void offer_buffer(struct ide *ide, unsigned bytes)
{
    ide->position = 0;
    ide->end = (uint16_t)bytes;
    ide->reg.status = ATA_ST_DRDY | ATA_ST_DSC | ATA_ST_DRQ;
}

static uint32_t block_sectors(const struct ide *ide)
{
    return MIN(ide->remaining, (uint32_t)ide->reg.per_block);
}

unsigned ata_block_bytes(const struct ide *ide)
{
    return block_sectors(ide) * ATA_SECTOR;
}

static void read_block(struct ide *ide)
{
    const uint32_t count = block_sectors(ide);

    if (ram_disk_read(ide->disk, ide->next, count, ide->buffer) != OK) {
        fail(ide, ATA_ER_UNC);
        return;
    }
    ide->next += count;
    ide->remaining -= count;
    offer_buffer(ide, count * ATA_SECTOR);
    ide->reg.interrupts = 1;
}

static void write_block(struct ide *ide)
{
    const uint32_t count = block_sectors(ide);

    if (ram_disk_write(ide->disk, ide->next, count, ide->buffer) != OK) {
        fail(ide, ATA_ER_UNC);
        return;
    }
    ide->next += count;
    ide->remaining -= count;
    if (ide->remaining != 0) {
        offer_buffer(ide, ata_block_bytes(ide));
        ide->reg.interrupts = 1;
    } else {
        done(ide);
    }
}

void ata_block_moved(struct ide *ide)
{
    if (ide->reg.transfer == ATA_TO_DISK) {
        write_block(ide);
    } else if (ide->remaining != 0) {
        read_block(ide);
    } else {
        ide->reg.transfer = ATA_NO_TRANSFER; /* without an interrupt: all was told before */
        ide->reg.status = ATA_ST_DRDY | ATA_ST_DSC;
    }
}

static void start_read(struct ide *ide)
{
    if (!find_sectors(ide))
        return;
    ide->reg.transfer = ATA_TO_HOST;
    read_block(ide);
}

static void start_write(struct ide *ide)
{
    if (!find_sectors(ide))
        return;
    ide->reg.transfer = ATA_TO_DISK;
    offer_buffer(ide, ata_block_bytes(ide));
}

static void verify(struct ide *ide)
{
    if (find_sectors(ide))
        done(ide);
}

static void set_multiple(struct ide *ide)
{
    const uint8_t count = ide->reg.count;

    if (count > ATA_MULTIPLE_MAX || (count & (count - 1)) != 0) {
        ide->reg.multiple = 0;
        abort_command(ide);
        return;
    }
    ide->reg.multiple = count;
    done(ide);
}

/* --- what the disk is --- */

/* ASCII, two characters to a word, the first one in its high byte, padded with spaces. */
static void put_text(uint8_t *words, const char *text, unsigned bytes)
{
    const unsigned length = (unsigned)strlen(text);

    for (unsigned i = 0; i < bytes; i++)
        words[i ^ 1] = (uint8_t)(i < length ? text[i] : ' ');
}

static void put_words(uint8_t *words, unsigned first, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < 2 * count; i++)
        words[2 * first + i] = (uint8_t)(value >> (8 * i));
}

/* Words that are the same for every disk. */
/* clang-format off */
static const struct {
    uint8_t word;
    uint16_t value;
} identity[] = {
    { 0, 0x0040 },                           /* an ATA disk, not removable */
    { 3, ATA_HEADS },
    { 6, ATA_SECTORS_PER_TRACK },
    { 47, 0x8000 | ATA_MULTIPLE_MAX },
    { 48, 0x0001 },                          /* 32-bit data port */
    { 49, 0x0a00 },                          /* LBA; IORDY may be there */
    { 53, 0x0003 },                          /* words 54 to 58 and 64 to 70 count */
    { 64, 0x0003 },                          /* PIO modes 3 and 4 */
    { 67, 120 },                             /* ns for a PIO cycle, without and with IORDY */
    { 68, 120 },
    { 80, 0x007e },                          /* ATA-1 to ATA-6 */
    { 83, 0x7400 }, { 86, 0x3400 },          /* FLUSH CACHE and EXT, 48-bit addresses */
    { 82, 0x4060 }, { 85, 0x4060 },          /* NOP, write cache, look-ahead */
    { 84, 0x4000 }, { 87, 0x4000 },
    { 93, 0x6001 },                          /* hardware reset: device 0, found as such */
};
/* clang-format on */

static uint64_t cylinders(const struct ide *ide, unsigned heads, unsigned sectors_per_track)
{
    return MIN(ide->sectors / (heads * sectors_per_track), (uint64_t)CYLINDERS_MAX);
}

static void identify(struct ide *ide)
{
    const struct ata_registers *reg = &ide->reg;
    const uint64_t current = cylinders(ide, reg->heads, reg->sectors_per_track);
    uint8_t *words = ide->buffer;

    memset(words, 0, ATA_SECTOR);
    for (unsigned i = 0; i < ARRAY_SIZE(identity); i++)
        put_words(words, identity[i].word, identity[i].value, 1);
    put_text(&words[2 * 10], "SOCLE0", 20);
    put_text(&words[2 * 23], "1.0", 8);
    put_text(&words[2 * 27], "SOCLE RAM DISK", 40);
    put_words(words, 1, cylinders(ide, ATA_HEADS, ATA_SECTORS_PER_TRACK), 1);
    put_words(words, 54, current, 1);
    put_words(words, 55, reg->heads, 1);
    put_words(words, 56, reg->sectors_per_track, 1);
    put_words(words, 57, current * reg->heads * reg->sectors_per_track, 2);
    put_words(words, 59, reg->multiple != 0 ? 0x100u | reg->multiple : 0, 1);
    put_words(words, 60, MIN(ide->sectors, LBA28_END - 1), 2);
    put_words(words, 100, ide->sectors, 4);

    ide->remaining = 0;
    ide->reg.transfer = ATA_TO_HOST;
    offer_buffer(ide, ATA_SECTOR);
    ide->reg.interrupts = 1;
}

void ata_signature(struct ide *ide)
{
    struct ata_registers *reg = &ide->reg;

    reg->error = 1; /* device 0 passed, device 1 passed or is not there */
    reg->status = ATA_ST_DRDY | ATA_ST_DSC;
    reg->transfer = ATA_NO_TRANSFER;
    reg->device = 0;
    reg->count = reg->lba[0] = 1;
    reg->lba[1] = reg->lba[2] = 0;
}

static void diagnose(struct ide *ide)
{
    ata_signature(ide);
    ide->reg.interrupts = 1;
}

static void set_translation(struct ide *ide)
{
    if (ide->reg.count == 0) {
        abort_command(ide);
        return;
    }
    ide->reg.heads = (uint8_t)((ide->reg.device & 0x0f) + 1);
    ide->reg.sectors_per_track = ide->reg.count;
    done(ide);
}

static void set_features(struct ide *ide)
{
    switch (ide->reg.feature) {
    case FEATURE_TRANSFER_MODE:
        if (ide->reg.count >> 3 > 1) { /* not PIO */
            abort_command(ide);
            return;
        }
        break;
    case FEATURE_WRITE_CACHE:
    case FEATURE_NO_WRITE_CACHE:
    case FEATURE_LOOK_AHEAD:
    case FEATURE_NO_LOOK_AHEAD:
    case FEATURE_KEEP_AT_RESET:
    case FEATURE_DEFAULTS_AT_RESET: break;
    default: abort_command(ide); return;
    }
    done(ide);
}

static void check_power(struct ide *ide)
{
    ide->reg.count = POWER_ACTIVE;
    done(ide);
}

/* --- commands --- */

enum { WIDE = 1 << 0, MULTIPLE = 1 << 1 };

static const struct ata_operation {
    void (*run)(struct ide *ide);
    uint8_t code, how;
} operations[] = {
    { start_read, 0x20, 0 },                /* READ SECTOR(S) */
    { start_read, 0x21, 0 },                /* the same without retries */
    { start_read, 0x24, WIDE },             /* READ SECTOR(S) EXT */
    { start_read, 0x29, WIDE | MULTIPLE },  /* READ MULTIPLE EXT */
    { start_read, 0xc4, MULTIPLE },         /* READ MULTIPLE */
    { start_write, 0x30, 0 },               /* WRITE SECTOR(S) */
    { start_write, 0x31, 0 },               /* the same without retries */
    { start_write, 0x34, WIDE },            /* WRITE SECTOR(S) EXT */
    { start_write, 0x39, WIDE | MULTIPLE }, /* WRITE MULTIPLE EXT */
    { start_write, 0xc5, MULTIPLE },        /* WRITE MULTIPLE */
    { verify, 0x40, 0 },                    /* READ VERIFY SECTOR(S) */
    { verify, 0x41, 0 },                    /* the same without retries */
    { verify, 0x42, WIDE },                 /* READ VERIFY SECTOR(S) EXT */
    { done, 0x10, 0 },                      /* RECALIBRATE */
    { done, 0x70, 0 },                      /* SEEK */
    { diagnose, ATA_DIAGNOSTIC, 0 },        /* EXECUTE DEVICE DIAGNOSTIC */
    { set_translation, 0x91, 0 },           /* INITIALIZE DEVICE PARAMETERS */
    { set_multiple, 0xc6, 0 },              /* SET MULTIPLE MODE */
    { done, 0xe0, 0 },                      /* STANDBY IMMEDIATE */
    { done, 0xe1, 0 },                      /* IDLE IMMEDIATE */
    { done, 0xe2, 0 },                      /* STANDBY */
    { done, 0xe3, 0 },                      /* IDLE */
    { check_power, 0xe5, 0 },               /* CHECK POWER MODE */
    { done, 0xe6, 0 },                      /* SLEEP; a command wakes it */
    { done, 0xe7, 0 },                      /* FLUSH CACHE: what is written is written */
    { done, 0xea, 0 },                      /* FLUSH CACHE EXT */
    { identify, 0xec, 0 },                  /* IDENTIFY DEVICE */
    { set_features, 0xef, 0 },              /* SET FEATURES */
    { abort_command, 0x00, 0 },             /* NOP */
};

static const struct ata_operation *find_operation(uint8_t code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++)
        if (operations[i].code == code)
            return &operations[i];
    return NULL;
}

void ata_command(struct ide *ide, uint8_t command)
{
    const struct ata_operation *operation = find_operation(command);
    const uint8_t how = operation != NULL ? operation->how : 0;

    ide->reg.error = 0;
    ide->reg.interrupts = 0;
    ide->reg.transfer = ATA_NO_TRANSFER;
    ide->reg.wide = (how & WIDE) != 0;
    ide->reg.per_block = how & MULTIPLE ? ide->reg.multiple : 1;
    if (operation == NULL || ide->reg.per_block == 0)
        abort_command(ide);
    else
        operation->run(ide);
}
