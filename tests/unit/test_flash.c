/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/flash.h"

#include "arch/fake/fake.h"
#include "tests/unit/fake_arena.h"
#include "tests/unit/vdev_test.h"

#define BACKED (2 * FLASH_SECTOR_BYTES)
#define READY 0x00800080u
#define BUFFER 128u

static vmo_t memory;
static struct vdev *dev;
static bool trapping;
static unsigned trap_calls;
static size_t free_before;

static void trap_reads(void *context, bool trap)
{
    assert_ptr_equal(context, &memory);
    assert_int_not_equal(trap, trapping);
    trapping = trap;
    trap_calls++;
}

static int setup(void **unused)
{
    const struct flash_reads reads = { .context = &memory, .trap = trap_reads };

    (void)unused;
    trapping = false;
    free_before = pmm_free_count();
    assert_int_equal(vmo_init(&memory, BACKED), OK);
    assert_int_equal(flash_create(&dev, &memory, FLASH_BANK_BYTES, &reads), OK);
    trap_calls = 0;
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    vmo_destroy(&memory);
    assert_int_equal(pmm_free_count(), free_before);
    return 0;
}

/* What the guest sees without a trap. */
static uint8_t mapped(uint64_t offset)
{
    struct vmo_extent extent;

    assert_false(trapping);
    assert_int_equal(vmo_lookup(&memory, offset, &extent), OK);
    return ((uint8_t *)phys_to_virt(extent.base))[offset % extent.bytes];
}

static uint32_t rest_read(uint64_t offset)
{
    struct vdev_access access = { .offset = offset, .size = 4, .range = FLASH_RANGE_REST };

    return (uint32_t)dev->ops->read(dev, access);
}

static void rest_write(uint64_t offset, uint32_t value)
{
    struct vdev_access access = { .offset = offset, .size = 4, .range = FLASH_RANGE_REST };

    dev->ops->write(dev, access, value);
}

static void a_new_bank_reads_erased_everywhere(void **unused)
{
    (void)unused;
    for (uint64_t offset = 0; offset < BACKED; offset += 4093)
        assert_int_equal(mapped(offset), 0xff);
    assert_int_equal(mapped(BACKED - 1), 0xff);
    assert_int_equal(rest_read(0), 0xffffffff);
    assert_int_equal(rest_read(FLASH_BANK_BYTES - BACKED - 4), 0xffffffff);
    assert_int_equal(rest_read(FLASH_BANK_BYTES - BACKED), 0);
}

static void the_query_is_found_as_two_chips_of_16_bits(void **unused)
{
    (void)unused;
    wr(dev, 0x55 * 4, 0x00980098);
    assert_true(trapping);
    assert_int_equal(rd(dev, 0x10 * 4), 0x00510051);
    assert_int_equal(rd(dev, 0x11 * 4), 0x00520052);
    assert_int_equal(rd(dev, 0x12 * 4), 0x00590059);
    assert_int_equal(rd(dev, 0x27 * 4) & 0xff, 25);  /* 32 MiB each */
    assert_int_equal(rd(dev, 0x2a * 4) & 0xff, 6);   /* buffers of 64 */
    assert_int_equal(rd(dev, 0x2d * 4) & 0xff, 255); /* 256 sectors */
    assert_int_equal(rd(dev, 0x2e * 4) & 0xff, 0);
    assert_int_equal(rd(dev, 0x30 * 4) & 0xff, 2); /* of 0x200 * 256 bytes */
    assert_int_equal(rd(dev, 0x31 * 4) & 0xff, 'P');
    assert_int_equal(dev_read(dev, 0x10 * 4 + 1, 1), 0); /* lanes */
    assert_int_equal(dev_read(dev, 0x10 * 4 + 2, 2), 0x51);
    assert_int_equal(rd(dev, 0x1000 * 4), 0);
    wr(dev, 0, 0x00ff00ff);
    assert_false(trapping);
}

static void the_chips_identify_themselves(void **unused)
{
    (void)unused;
    wr(dev, 0, 0x00900090);
    assert_int_equal(rd(dev, 0), 0x00890089);
    assert_int_equal(rd(dev, 4), 0x00180018);
    assert_int_equal(rd(dev, FLASH_SECTOR_BYTES + 8), 0); /* not locked */
}

static void a_word_is_programmed_and_only_ever_clears_bits(void **unused)
{
    (void)unused;
    wr(dev, 0x100, 0x00400040);
    wr(dev, 0x100, 0x12345678);
    assert_int_equal(rd(dev, 0), READY);
    wr(dev, 0x100, 0x00100010);
    wr(dev, 0x100, 0xffff0000);
    wr(dev, 0, 0xff);
    assert_int_equal(mapped(0x100), 0);
    assert_int_equal(mapped(0x102), 0x34);
    assert_int_equal(mapped(0x103), 0x12);
    assert_int_equal(mapped(0x104), 0xff);
    assert_true(fake_mem.cleaned_bytes >= 8);
}

static void a_sector_is_erased_and_its_neighbour_is_not(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        wr(dev, i * FLASH_SECTOR_BYTES, 0x40);
        wr(dev, i * FLASH_SECTOR_BYTES, 0);
    }
    wr(dev, 0x1234, 0x00200020);
    wr(dev, 0x1234, 0x00d000d0);
    assert_int_equal(rd(dev, 0x1234), READY);
    wr(dev, 0, 0xff);
    assert_int_equal(mapped(0), 0xff);
    assert_int_equal(mapped(FLASH_SECTOR_BYTES), 0);
}

static void a_buffer_is_written_at_its_confirmation(void **unused)
{
    (void)unused;
    wr(dev, 0x200, 0x00e800e8);
    assert_int_equal(rd(dev, 0x200), READY);
    wr(dev, 0x200, 0x001f001f);
    for (uint32_t i = 0; i < 32; i++)
        wr(dev, 0x200 + 4 * i, i);
    wr(dev, 0x200, 0x00d000d0);
    assert_int_equal(rd(dev, 0x200), READY);
    wr(dev, 0, 0xff);
    for (uint32_t i = 0; i < 32; i++)
        assert_int_equal(mapped(0x200 + 4 * i), i);
    assert_int_equal(mapped(0x200 + BUFFER), 0xff);
}

static void part_of_a_buffer_leaves_the_rest_alone(void **unused)
{
    (void)unused;
    wr(dev, 0x240, 0xe8);
    wr(dev, 0x240, 0);
    wr(dev, 0x240, 0x01020304);
    wr(dev, 0x240, 0xd0);
    wr(dev, 0, 0xff);
    assert_int_equal(mapped(0x240), 4);
    assert_int_equal(mapped(0x23f), 0xff);
    assert_int_equal(mapped(0x244), 0xff);
}

static void broken_sequences_show_in_the_status_until_cleared(void **unused)
{
    (void)unused;
    wr(dev, 0, 0x20);
    wr(dev, 0, 0x12); /* no confirmation */
    assert_int_equal(rd(dev, 0), 0x00b000b0);
    wr(dev, 0, 0x50);
    assert_int_equal(rd(dev, 0), READY);
    wr(dev, 0, 0xe8);
    wr(dev, 0, 0x20); /* 33 words */
    assert_int_equal(rd(dev, 0), 0x00b000b0);
    wr(dev, 0, 0x50);
    wr(dev, 0x200, 0xe8);
    wr(dev, 0x200, 3);
    wr(dev, 0x200, 0);
    wr(dev, 0x200 + BUFFER, 0); /* out of the buffer */
    assert_int_equal(rd(dev, 0), 0x00b000b0);
    wr(dev, 0, 0x50);
    wr(dev, 0x200, 0xe8);
    wr(dev, 0x200, 0);
    wr(dev, 0x200, 0);
    wr(dev, 0x200, 0xff); /* not confirmed */
    assert_int_equal(rd(dev, 0), 0x00b000b0);
    wr(dev, 0, 0xff);
    assert_int_equal(mapped(0x200), 0xff);
}

static void sectors_can_be_locked_in_name_only(void **unused)
{
    (void)unused;
    wr(dev, 0, 0x60);
    wr(dev, 0, 0x01);
    assert_int_equal(rd(dev, 0), READY);
    wr(dev, 0, 0x40);
    wr(dev, 0, 0);
    assert_int_equal(rd(dev, 0), READY);
}

static void what_is_not_backed_cannot_be_programmed(void **unused)
{
    (void)unused;
    rest_write(0, 0x40);
    rest_write(0, 0);
    assert_int_equal(rest_read(0), 0x00900090);
    rest_write(0, 0x50);
    rest_write(0, 0x20);
    rest_write(0, 0xd0);
    assert_int_equal(rest_read(0), READY);
    rest_write(0, 0xff);
    assert_int_equal(rest_read(0), 0xffffffff);
    assert_false(trapping);
}

static void an_access_across_the_end_of_the_backed_part_is_refused(void **unused)
{
    (void)unused;
    wr(dev, BACKED - 2, 0x40);
    dev_write(dev, BACKED - 2, 8, 0);
    assert_int_equal(rd(dev, 0), 0x00900090);
    wr(dev, 0, 0xff);
    assert_int_equal(mapped(BACKED - 1), 0xff);
    assert_int_equal(dev_read(dev, BACKED - 2, 8), UINT64_MAX);
}

static void reads_trap_only_when_that_changes(void **unused)
{
    (void)unused;
    wr(dev, 0, 0xff);
    assert_int_equal(trap_calls, 0);
    wr(dev, 0, 0x70);
    wr(dev, 0, 0x98);
    wr(dev, 0, 0x90);
    assert_int_equal(trap_calls, 1);
    dev->ops->reset(dev);
    assert_int_equal(trap_calls, 2);
    assert_false(trapping);
}

static void reset_keeps_the_contents(void **unused)
{
    (void)unused;
    wr(dev, 0x10, 0x40);
    wr(dev, 0x10, 0x55aa55aa);
    dev->ops->reset(dev);
    assert_int_equal(mapped(0x10), 0xaa);
    assert_int_equal(flash_erase_all(dev), OK);
    assert_int_equal(mapped(0x10), 0xff);
}

static void a_bank_without_memory_is_all_ones(void **unused)
{
    struct vdev *bare;

    (void)unused;
    assert_int_equal(flash_create(&bare, NULL, FLASH_BANK_BYTES, NULL), OK);
    assert_int_equal(rd(bare, 0), 0xffffffff);
    wr(bare, 0, 0x98);
    assert_int_equal(rd(bare, 0x40), 0x00510051);
    bare->ops->destroy(bare);
}

static void wrong_sizes_are_refused(void **unused)
{
    struct vdev *none;
    vmo_t odd;

    (void)unused;
    assert_int_equal(flash_create(&none, &memory, BACKED / 2, NULL), ERR_INVALID_ARGS);
    assert_int_equal(flash_create(&none, &memory, 3 * BACKED, NULL), ERR_INVALID_ARGS);
    assert_int_equal(flash_create(&none, &memory, 2 * FLASH_BANK_BYTES, NULL), ERR_INVALID_ARGS);
    assert_int_equal(vmo_init(&odd, PAGE_SIZE), OK);
    assert_int_equal(flash_create(&none, &odd, FLASH_BANK_BYTES, NULL), ERR_INVALID_ARGS);
    vmo_destroy(&odd);
}

static void memory_that_runs_out_at_creation_gives_everything_back(void **unused)
{
    struct vdev *none;
    vmo_t large;
    size_t free_pages;

    (void)unused;
    assert_int_equal(vmo_init(&large, FLASH_BANK_BYTES), OK); /* more than there is */
    free_pages = pmm_free_count();
    assert_int_equal(flash_create(&none, &large, FLASH_BANK_BYTES, NULL), ERR_NO_MEMORY);
    vmo_destroy(&large);
    assert_true(pmm_free_count() >= free_pages);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_bank_reads_erased_everywhere),
        TEST(the_query_is_found_as_two_chips_of_16_bits),
        TEST(the_chips_identify_themselves),
        TEST(a_word_is_programmed_and_only_ever_clears_bits),
        TEST(a_sector_is_erased_and_its_neighbour_is_not),
        TEST(a_buffer_is_written_at_its_confirmation),
        TEST(part_of_a_buffer_leaves_the_rest_alone),
        TEST(broken_sequences_show_in_the_status_until_cleared),
        TEST(sectors_can_be_locked_in_name_only),
        TEST(what_is_not_backed_cannot_be_programmed),
        TEST(an_access_across_the_end_of_the_backed_part_is_refused),
        TEST(reads_trap_only_when_that_changes),
        TEST(reset_keeps_the_contents),
        TEST(a_bank_without_memory_is_all_ones),
        TEST(wrong_sizes_are_refused),
        TEST(memory_that_runs_out_at_creation_gives_everything_back),
    };

    return cmocka_run_group_tests(tests, make_arena, NULL);
}
