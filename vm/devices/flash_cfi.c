/* SPDX-License-Identifier: BSD-2-Clause */
/* The query table (JEDEC JEP137, JESD68) and identifier codes of each flash chip. */

#include "vm/devices/flash_cfi.h"

#include "vm/devices/flash.h"

#define ID_MANUFACTURER 0x89 /* Intel */
#define ID_DEVICE 0x18

#define CHIP_SECTOR_BYTES (FLASH_SECTOR_BYTES / 2)

#define CFI_SIZE 0x27    /* log2 of a chip's bytes */
#define CFI_SECTORS 0x2d /* minus one, 16 bits */

/* A byte for each of a chip's words. Times are powers of two. */
/* clang-format off */
static const uint8_t table[] = {
    [0x10] = 'Q', 'R', 'Y',
    [0x13] = 0x01, 0x00, 0x31, 0x00, /* Intel extended command set, its table at 0x31 */
    [0x1b] = 0x45, 0x55,             /* supply 4.5 V to 5.5 V */
    [0x1f] = 0x07, 0x07, 0x0a,       /* us to program a word, a buffer; ms to erase */
    [0x23] = 0x04, 0x04, 0x04,       /* at most, times the above */
    [0x28] = 0x02,                   /* x8 and x16 */
    [0x2a] = FLASH_BUFFER_LOG2, 0x00,
    [0x2c] = 0x01,                   /* one kind of sectors: their number, size / 256 */
    [0x2f] = (CHIP_SECTOR_BYTES / 256) & 0xff, CHIP_SECTOR_BYTES / 256 >> 8,
    [0x31] = 'P', 'R', 'I', '1', '0',
    [0x3f] = 0x01,                   /* one protection register */
    [0x44] = 0x00,
};
/* clang-format on */

uint8_t flash_cfi_byte(uint64_t bank_bytes, uint64_t word)
{
    uint64_t sectors = bank_bytes / FLASH_SECTOR_BYTES - 1;

    switch (word) {
    case CFI_SIZE: return (uint8_t)__builtin_ctzll(bank_bytes / 2);
    case CFI_SECTORS: return (uint8_t)sectors;
    case CFI_SECTORS + 1: return (uint8_t)(sectors >> 8);
    default: return word < sizeof(table) ? table[word] : 0;
    }
}

uint8_t flash_id_byte(uint64_t word)
{
    switch (word & 0xff) {
    case 0: return ID_MANUFACTURER;
    case 1: return ID_DEVICE;
    default: return 0; /* sectors: not locked */
    }
}
