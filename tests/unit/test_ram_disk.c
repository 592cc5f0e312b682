/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM disks: what is written stays, what is not reads as the image, and bounds hold. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "arch/fake/fake.h"
#include "kernel/pmm.h"
#include "tests/unit/captured_log.h"
#include "tests/unit/fake_arena.h"
#include "vm/ram_disk.h"

#define SECTOR RAM_DISK_SECTOR

static uint8_t image[3 * SECTOR + 100];
static uint8_t buffer[16 * SECTOR];

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(i / SECTOR + 1);
    return make_arena(state);
}

static int tear_down(void **state)
{
    (void)state;
    ram_disk_destroy_all();
    return 0;
}

static struct ram_disk *make(uint64_t size, bool with_image)
{
    struct ram_disk_config config = { .name = "data", .size = size };

    if (with_image)
        config.image = (struct blob){ image, sizeof(image) };
    assert_int_equal(ram_disk_create(&config), OK);
    return ram_disk_find("data");
}

static void assert_sector(struct ram_disk *disk, uint64_t sector, uint8_t first, uint8_t last)
{
    uint8_t bytes[SECTOR];

    memset(bytes, 0x77, sizeof(bytes));
    assert_int_equal(ram_disk_read(disk, sector, 1, bytes), OK);
    assert_int_equal(bytes[0], first);
    assert_int_equal(bytes[SECTOR - 1], last);
}

static void a_new_disk_reads_as_its_image_then_zero(void **state)
{
    struct ram_disk *disk = make(0, true);

    (void)state;
    assert_int_equal(ram_disk_sectors(disk), 4);
    assert_sector(disk, 0, 1, 1);
    assert_sector(disk, 2, 3, 3);
    assert_sector(disk, 3, 4, 0); /* 100 bytes of it are the image's */
}

static void what_is_written_stays_and_its_page_keeps_the_image(void **state)
{
    struct ram_disk *disk = make(1 << 20, true);

    (void)state;
    memset(buffer, 0xee, sizeof(buffer));
    assert_int_equal(ram_disk_write(disk, 1, 1, buffer), OK);
    assert_sector(disk, 0, 1, 1);
    assert_sector(disk, 1, 0xee, 0xee);
    assert_sector(disk, 2, 3, 3);
    assert_sector(disk, 3, 4, 0);
    assert_sector(disk, 7, 0, 0);
    assert_int_equal(ram_disk_write(disk, 2040, 8, buffer), OK);
    assert_sector(disk, 2039, 0, 0);
    assert_sector(disk, 2047, 0xee, 0xee);
    assert_int_equal(image[SECTOR], 2);
}

static void several_sectors_cross_pages(void **state)
{
    struct ram_disk *disk = make(1 << 20, false);
    uint8_t back[16 * SECTOR];

    (void)state;
    for (size_t i = 0; i < sizeof(buffer); i++)
        buffer[i] = (uint8_t)(i * 7 / 3);
    assert_int_equal(ram_disk_write(disk, 5, 16, buffer), OK);
    assert_int_equal(ram_disk_read(disk, 5, 16, back), OK);
    assert_memory_equal(back, buffer, sizeof(back));
}

static void nothing_is_read_or_written_past_the_end(void **state)
{
    struct ram_disk *disk = make(8 * SECTOR, false);

    (void)state;
    assert_int_equal(ram_disk_read(disk, 8, 0, buffer), OK);
    assert_int_equal(ram_disk_read(disk, 8, 1, buffer), ERR_INVALID_ARGS);
    assert_int_equal(ram_disk_write(disk, 7, 2, buffer), ERR_INVALID_ARGS);
    assert_int_equal(ram_disk_write(disk, UINT64_MAX, 2, buffer), ERR_INVALID_ARGS);
    assert_int_equal(ram_disk_read(disk, 0, UINT32_MAX, buffer), ERR_INVALID_ARGS);
}

static void wrong_disks_are_refused(void **state)
{
    struct ram_disk_config config = { .name = "data" };

    (void)state;
    assert_int_equal(ram_disk_create(&config), ERR_INVALID_ARGS);
    config.size = 511;
    assert_int_equal(ram_disk_create(&config), ERR_INVALID_ARGS);
    config.size = SECTOR;
    config.image = (struct blob){ image, sizeof(image) };
    assert_int_equal(ram_disk_create(&config), ERR_INVALID_ARGS);
    config.image = (struct blob){ 0 };
    assert_int_equal(ram_disk_create(&config), OK);
    assert_int_equal(ram_disk_create(&config), ERR_ALREADY_EXISTS);
    config.name[0] = '\0';
    assert_int_equal(ram_disk_create(&config), ERR_INVALID_ARGS);
    assert_null(ram_disk_find("nothing"));
}

static void there_are_so_many_disks_and_all_their_memory_comes_back(void **state)
{
    const size_t free_before = pmm_free_count();
    struct ram_disk_config config = { .size = 1 << 20 };

    (void)state;
    for (unsigned i = 0; i <= RAM_DISK_MAX; i++) {
        (void)snprintf(config.name, sizeof(config.name), "disk%u", i);
        assert_int_equal(ram_disk_create(&config), i < RAM_DISK_MAX ? OK : ERR_NO_MEMORY);
    }
    assert_int_equal(ram_disk_write(ram_disk_find("disk3"), 9, 16, buffer), OK);
    ram_disk_destroy_all();
    assert_int_equal(pmm_free_count(), free_before);
}

static void a_write_without_memory_is_refused(void **state)
{
    struct ram_disk *disk = make(2 * FAKE_ARENA_BYTES, false);
    status_t status = OK;

    (void)state;
    for (uint64_t sector = 0; sector < ram_disk_sectors(disk) && status == OK; sector += 8)
        status = ram_disk_write(disk, sector, 1, buffer);
    assert_int_equal(status, ERR_NO_MEMORY);
}

#define disk_test(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(a_new_disk_reads_as_its_image_then_zero),
        disk_test(what_is_written_stays_and_its_page_keeps_the_image),
        disk_test(several_sectors_cross_pages),
        disk_test(nothing_is_read_or_written_past_the_end),
        disk_test(wrong_disks_are_refused),
        disk_test(there_are_so_many_disks_and_all_their_memory_comes_back),
        disk_test(a_write_without_memory_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
