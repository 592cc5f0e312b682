/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/ide.h"

#include "tests/unit/fake_ram_disk.h"
#include "tests/unit/vdev_record.h"
#include "tests/unit/vdev_test.h"

enum { DATA, ERROR, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS };
enum { ERR = 1, DRQ = 8, READY = 0x50, ABRT = 4, IDNF = 0x10, UNC = 0x40 };
enum { NIEN = 2, SRST = 4, HOB = 0x80 };
enum {
    READ = 0x20,
    READ_EXT = 0x24,
    READ_MULTIPLE_EXT = 0x29,
    WRITE = 0x30,
    WRITE_EXT = 0x34,
    WRITE_MULTIPLE_EXT = 0x39,
    VERIFY = 0x40,
    DIAGNOSTIC = 0x90,
    SET_TRANSLATION = 0x91,
    READ_MULTIPLE = 0xc4,
    WRITE_MULTIPLE = 0xc5,
    SET_MULTIPLE = 0xc6,
    CHECK_POWER = 0xe5,
    FLUSH = 0xe7,
    FLUSH_EXT = 0xea,
    IDENTIFY = 0xec,
    SET_FEATURES = 0xef,
};

static struct ram_disk disk;
static struct wire wire;
static struct vdev *dev;

static uint8_t in(unsigned reg)
{
    return (uint8_t)range_read(dev, IDE_RANGE_COMMAND, reg, 1);
}

static void out(unsigned reg, unsigned value)
{
    range_write(dev, IDE_RANGE_COMMAND, reg, 1, value);
}

static uint8_t alternate(void)
{
    return (uint8_t)range_read(dev, IDE_RANGE_CONTROL, 0, 1);
}

static void control(uint8_t value)
{
    range_write(dev, IDE_RANGE_CONTROL, 0, 1, value);
}

static uint8_t pattern(uint64_t sector, unsigned at)
{
    return (uint8_t)(sector * 7 + at * 3 + (at >> 8));
}

static int setup(void **unused)
{
    (void)unused;
    memset(&disk, 0, sizeof(disk));
    disk.sectors = FAKE_DISK_BYTES / RAM_DISK_SECTOR;
    for (unsigned i = 0; i < FAKE_DISK_BYTES; i++)
        disk.bytes[i] = pattern(i / 512, i % 512);
    wire = (struct wire){ 0 };
    return ide_create(&dev, &disk, wire_line(&wire)) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    return 0;
}

static void address28(uint32_t lba, unsigned count)
{
    out(COUNT, count);
    out(LBA_LOW, lba & 0xff);
    out(LBA_MID, lba >> 8 & 0xff);
    out(LBA_HIGH, lba >> 16 & 0xff);
    out(DEVICE, 0xe0 | lba >> 24);
}

static void address48(uint64_t lba, unsigned count)
{
    out(COUNT, count >> 8);
    out(COUNT, count & 0xff);
    out(LBA_LOW, lba >> 24 & 0xff);
    out(LBA_LOW, lba & 0xff);
    out(LBA_MID, lba >> 32 & 0xff);
    out(LBA_MID, lba >> 8 & 0xff);
    out(LBA_HIGH, lba >> 40 & 0xff);
    out(LBA_HIGH, lba >> 16 & 0xff);
    out(DEVICE, 0x40);
}

/* An interrupt came; reading the status acknowledges it. */
static uint8_t interrupted(void)
{
    uint8_t status;

    assert_true(wire.level);
    status = alternate();
    assert_true(wire.level);
    assert_int_equal(in(STATUS), status);
    assert_false(wire.level);
    return status;
}

static void read_sector(uint64_t sector, uint8_t size)
{
    for (unsigned i = 0; i < 512; i += size) {
        const uint64_t value = range_read(dev, IDE_RANGE_COMMAND, DATA, size);

        for (unsigned k = 0; k < size; k++)
            assert_int_equal(value >> (8 * k) & 0xff, pattern(sector, i + k));
    }
}

static void write_sector(uint64_t sector, uint8_t size)
{
    for (unsigned i = 0; i < 512; i += size) {
        uint64_t value = 0;

        for (unsigned k = 0; k < size; k++)
            value |= (uint64_t)(uint8_t)~pattern(sector, i + k) << (8 * k);
        range_write(dev, IDE_RANGE_COMMAND, DATA, size, value);
    }
}

static void assert_written(uint64_t sector)
{
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(disk.bytes[sector * 512 + i], (uint8_t)~pattern(sector, i));
}

static uint64_t identity(const uint16_t *words, unsigned first, unsigned count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value << 16 | words[first + count];
    return value;
}

static void identify(uint16_t *words)
{
    out(DEVICE, 0xa0);
    out(STATUS, IDENTIFY);
    assert_int_equal(interrupted(), READY | DRQ);
    for (unsigned i = 0; i < 256; i++)
        words[i] = (uint16_t)range_read(dev, IDE_RANGE_COMMAND, DATA, 2);
    assert_int_equal(in(STATUS), READY);
}

static void it_identifies_itself(void **unused)
{
    uint16_t words[256];
    char model[41];

    (void)unused;
    identify(words);
    assert_int_equal(words[0], 0x40);
    assert_int_equal(words[1], 2048 / 16 / 63);
    assert_int_equal(words[3], 16);
    assert_int_equal(words[6], 63);
    assert_int_equal(words[49] & 0x0200, 0x0200);
    assert_int_equal(identity(words, 60, 2), 2048);
    assert_int_equal(identity(words, 100, 4), 2048);
    assert_int_equal(words[83] & 0xc400, 0x4400);
    for (unsigned i = 0; i < 20; i++) {
        model[2 * i] = (char)(words[27 + i] >> 8);
        model[2 * i + 1] = (char)words[27 + i];
    }
    model[40] = '\0';
    assert_string_equal(model, "SOCLE RAM DISK                          ");
}

static void a_large_disk_says_its_size_in_48_bits(void **unused)
{
    uint16_t words[256];
    struct vdev *small = dev;

    (void)unused;
    disk.sectors = (uint64_t)1 << 40;
    assert_int_equal(ide_create(&dev, &disk, wire_line(&wire)), OK);
    identify(words);
    assert_int_equal(identity(words, 60, 2), 0x0fffffff);
    assert_int_equal(identity(words, 100, 4), (uint64_t)1 << 40);
    assert_int_equal(words[1], 16383);
    address48(((uint64_t)1 << 40) - 1, 1);
    out(STATUS, READ_EXT);
    assert_int_equal(interrupted(), READY | DRQ);
    address48((uint64_t)1 << 40, 1);
    out(STATUS, READ_EXT);
    assert_int_equal(interrupted(), READY | ERR);
    assert_int_equal(in(ERROR), IDNF);
    dev->ops->destroy(dev);
    dev = small;
}

static void sectors_are_read_at_each_width_with_an_interrupt_each(void **unused)
{
    (void)unused;
    for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2)) {
        address28(100, 3);
        out(STATUS, READ);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(interrupted(), READY | DRQ);
            read_sector(100 + i, size);
        }
        assert_int_equal(alternate(), READY);
        assert_false(wire.level); /* the last one's end is none */
        assert_int_equal(range_read(dev, IDE_RANGE_COMMAND, DATA, 2), 0);
    }
}

static void a_count_of_zero_means_all_of_it(void **unused)
{
    (void)unused;
    address28(0, 0);
    out(STATUS, READ);
    for (unsigned i = 0; i < 256; i++)
        read_sector(i, 2);
    assert_int_equal(in(STATUS), READY);
    address48(0, 0); /* 65536: more than there are */
    out(STATUS, READ_EXT);
    assert_int_equal(interrupted(), READY | ERR);
}

static void sectors_are_written_with_an_interrupt_after_each(void **unused)
{
    (void)unused;
    address28(7, 2);
    out(STATUS, WRITE);
    assert_false(wire.level);
    assert_int_equal(in(STATUS), READY | DRQ);
    write_sector(7, 2);
    assert_int_equal(interrupted(), READY | DRQ);
    write_sector(8, 4);
    assert_int_equal(interrupted(), READY);
    assert_written(7);
    assert_written(8);
    assert_int_equal(disk.bytes[9 * 512], pattern(9, 0));
    out(STATUS, FLUSH);
    assert_int_equal(interrupted(), READY);
    out(STATUS, FLUSH_EXT);
    assert_int_equal(interrupted(), READY);
}

static void multiple_sectors_come_to_one_interrupt(void **unused)
{
    (void)unused;
    out(COUNT, 4);
    out(STATUS, SET_MULTIPLE);
    assert_int_equal(interrupted(), READY);
    address28(20, 6);
    out(STATUS, READ_MULTIPLE);
    assert_int_equal(interrupted(), READY | DRQ);
    for (unsigned i = 0; i < 4; i++)
        read_sector(20 + i, 2);
    assert_int_equal(interrupted(), READY | DRQ);
    read_sector(24, 2);
    read_sector(25, 2);
    assert_int_equal(alternate(), READY);

    address48(40, 5);
    out(STATUS, WRITE_MULTIPLE_EXT);
    for (unsigned i = 0; i < 4; i++)
        write_sector(40 + i, 4);
    assert_int_equal(interrupted(), READY | DRQ);
    write_sector(44, 4);
    assert_int_equal(interrupted(), READY);
    for (unsigned i = 40; i < 45; i++)
        assert_written(i);

    out(COUNT, 3);
    out(STATUS, SET_MULTIPLE);
    assert_int_equal(interrupted(), READY | ERR);
    assert_int_equal(in(ERROR), ABRT);
    out(STATUS, READ_MULTIPLE); /* none is set now */
    assert_int_equal(interrupted(), READY | ERR);
}

static void addresses_have_48_bits_and_can_be_read_back(void **unused)
{
    (void)unused;
    address48(0x0102030405, 0x0601);
    assert_int_equal(in(LBA_LOW) | in(LBA_MID) << 8 | in(LBA_HIGH) << 16, 0x030405);
    assert_int_equal(in(COUNT), 0x01);
    control(HOB);
    assert_int_equal(in(LBA_LOW) | in(LBA_MID) << 8 | in(LBA_HIGH) << 16, 0x000102);
    assert_int_equal(in(COUNT), 0x06);
    out(COUNT, 1); /* and the view is gone */
    assert_int_equal(in(COUNT), 0x01);
    address48(2047, 1);
    out(STATUS, READ_EXT);
    interrupted();
    read_sector(2047, 2);
}

static void cylinders_heads_and_sectors_find_the_same_places(void **unused)
{
    (void)unused;
    out(COUNT, 1);
    out(LBA_LOW, 5);
    out(LBA_MID, 1);
    out(LBA_HIGH, 0);
    out(DEVICE, 0xa2);
    out(STATUS, READ);
    read_sector((1 * 16 + 2) * 63 + 4, 2);

    out(COUNT, 32);
    out(DEVICE, 0xa3);
    out(STATUS, SET_TRANSLATION); /* 4 heads, 32 sectors */
    interrupted();
    out(COUNT, 1);
    out(DEVICE, 0xa2);
    out(STATUS, READ);
    interrupted();
    read_sector((1 * 4 + 2) * 32 + 4, 2);
    out(LBA_LOW, 0); /* sectors count from 1 */
    out(STATUS, READ);
    assert_int_equal(interrupted(), READY | ERR);
    assert_int_equal(in(ERROR), IDNF);
    out(LBA_LOW, 1);
    out(DEVICE, 0xa4);
    out(STATUS, READ);
    assert_int_equal(interrupted(), READY | ERR);
}

static void what_is_past_the_end_is_not_found(void **unused)
{
    static const struct {
        uint32_t lba;
        unsigned count;
    } wrong[] = { { 2048, 1 }, { 2047, 2 }, { 1900, 0 }, { 0x0fffffff, 1 } };

    (void)unused;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        static const uint8_t commands[] = { READ, WRITE, VERIFY };

        for (unsigned k = 0; k < sizeof(commands); k++) {
            address28(wrong[i].lba, wrong[i].count);
            out(STATUS, commands[k]);
            assert_int_equal(interrupted(), READY | ERR);
            assert_int_equal(in(ERROR), IDNF);
        }
    }
    address28(2047, 1);
    out(STATUS, VERIFY);
    assert_int_equal(interrupted(), READY);
    assert_int_equal(in(ERROR), 0);
}

static void a_failing_disk_says_so(void **unused)
{
    (void)unused;
    disk.fails = true;
    address28(0, 1);
    out(STATUS, READ);
    assert_int_equal(interrupted(), READY | ERR);
    assert_int_equal(in(ERROR), UNC);
    out(STATUS, WRITE);
    write_sector(0, 4);
    assert_int_equal(interrupted(), READY | ERR);
    assert_int_equal(in(ERROR), UNC);
}

static void unknown_commands_and_nop_are_aborted(void **unused)
{
    static const uint8_t known[] = { 0x10, 0x20, 0x21, 0x24, 0x29, 0x30, 0x31, 0x34, 0x39,
                                     0x40, 0x41, 0x42, 0x70, 0x90, 0x91, 0xc4, 0xc5, 0xc6,
                                     0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6, 0xe7, 0xea, 0xec };

    (void)unused;
    for (unsigned code = 0; code < 256; code++) {
        const bool is_known = memchr(known, (int)code, sizeof(known)) != NULL;

        control(0);
        address28(0, 1);
        out(ERROR, 0x7f); /* no feature */
        out(STATUS, code);
        if (!is_known)
            assert_int_equal(interrupted(), READY | ERR);
        assert_int_equal(in(ERROR), code == DIAGNOSTIC ? 1 : is_known ? 0 : ABRT);
        in(STATUS);
    }
}

static void features_are_those_of_pio(void **unused)
{
    (void)unused;
    out(DEVICE, 0xe0);
    out(ERROR, 0x03);
    out(COUNT, 0x0c); /* PIO 4 */
    out(STATUS, SET_FEATURES);
    assert_int_equal(interrupted(), READY);
    out(COUNT, 0x45); /* UDMA 5 */
    out(STATUS, SET_FEATURES);
    assert_int_equal(interrupted(), READY | ERR);
    out(ERROR, 0x02);
    out(STATUS, SET_FEATURES);
    assert_int_equal(interrupted(), READY);
    out(STATUS, CHECK_POWER);
    assert_int_equal(interrupted(), READY);
    assert_int_equal(in(COUNT), 0xff);
}

static void interrupts_can_be_masked(void **unused)
{
    (void)unused;
    control(NIEN);
    address28(0, 1);
    out(STATUS, READ);
    assert_false(wire.level);
    control(0);
    assert_true(wire.level); /* it waited */
    control(NIEN);
    assert_false(wire.level);
    in(STATUS);
    control(0);
    assert_false(wire.level);
}

static void software_reset_gives_the_signature(void **unused)
{
    (void)unused;
    address28(5, 1);
    out(STATUS, WRITE);
    control(SRST);
    assert_int_equal(alternate(), 0x80);
    out(COUNT, 9);
    control(0);
    assert_int_equal(alternate(), READY);
    assert_int_equal(in(ERROR), 1);
    assert_int_equal(in(COUNT) | in(LBA_LOW) << 8 | in(LBA_MID) << 16 | in(LBA_HIGH) << 24, 0x101);
    assert_int_equal(in(DEVICE), 0xa0);
    write_sector(5, 2);
    assert_int_equal(disk.bytes[5 * 512], pattern(5, 0));
}

static void there_is_no_second_device(void **unused)
{
    (void)unused;
    out(DEVICE, 0xb0);
    assert_int_equal(in(STATUS), 0);
    assert_int_equal(alternate(), 0);
    out(COUNT, 0x55); /* how Linux looks for it */
    out(LBA_LOW, 0xaa);
    assert_int_equal(in(COUNT) | in(LBA_LOW), 0);
    out(STATUS, IDENTIFY);
    assert_false(wire.level);
    assert_int_equal(range_read(dev, IDE_RANGE_COMMAND, DATA, 2), 0);
    out(STATUS, DIAGNOSTIC); /* is for both */
    assert_int_equal(interrupted(), READY);
    assert_int_equal(in(ERROR), 1);
    out(DEVICE, 0xf0);
    out(STATUS, READ);
    out(DEVICE, 0xe0);
    assert_int_equal(in(STATUS), READY);
}

static void a_transfer_goes_on_after_a_restore(void **unused)
{
    static uint8_t record[16384];
    struct vdev *first = dev;
    size_t bytes;

    (void)unused;
    address28(60, 20);
    out(STATUS, READ_MULTIPLE); /* 16 to a block */
    for (unsigned i = 0; i < 10; i++)
        read_sector(60 + i, 2);
    bytes = vdev_save(dev, record, sizeof(record));
    in(STATUS);
    assert_int_equal(ide_create(&dev, &disk, wire_line(&wire)), OK);
    assert_int_equal(vdev_restore(dev, record, bytes), OK);
    assert_true(wire.level);
    for (unsigned i = 10; i < 20; i++)
        read_sector(60 + i, 2);
    assert_int_equal(in(STATUS), READY);
    dev->ops->destroy(dev);
    dev = first;
}

static void accesses_anywhere_are_harmless(void **unused)
{
    (void)unused;
    for (unsigned round = 0; round < 3; round++)
        for (uint64_t offset = 0; offset < 12; offset++)
            for (uint8_t range = 0; range < 3; range++)
                for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2)) {
                    range_write(dev, range, offset, size, UINT64_MAX);
                    range_read(dev, range, offset, size);
                }
    range_read(dev, 0, UINT64_MAX, 8);
    range_write(dev, 0, UINT64_MAX, 8, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_identifies_itself),
        TEST(a_large_disk_says_its_size_in_48_bits),
        TEST(sectors_are_read_at_each_width_with_an_interrupt_each),
        TEST(a_count_of_zero_means_all_of_it),
        TEST(sectors_are_written_with_an_interrupt_after_each),
        TEST(multiple_sectors_come_to_one_interrupt),
        TEST(addresses_have_48_bits_and_can_be_read_back),
        TEST(cylinders_heads_and_sectors_find_the_same_places),
        TEST(what_is_past_the_end_is_not_found),
        TEST(a_failing_disk_says_so),
        TEST(unknown_commands_and_nop_are_aborted),
        TEST(features_are_those_of_pio),
        TEST(interrupts_can_be_masked),
        TEST(software_reset_gives_the_signature),
        TEST(there_is_no_second_device),
        TEST(a_transfer_goes_on_after_a_restore),
        TEST(accesses_anywhere_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
