/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/fw_cfg.h"

#include "tests/unit/vdev_test.h"

enum { DATA = 0x00, SELECTOR = 0x08, DMA = 0x10 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

#define RAM_BASE 0x40000000u
#define RAM_BYTES 0x40000u
#define REQUEST (RAM_BASE + 0x100)
#define BUFFER (RAM_BASE + 0x1000)

static uint8_t ram[RAM_BYTES];
static uint64_t copied; /* bytes that went to the guest in one test */
static struct vdev *dev;
static uint8_t file[10000];

static uint8_t *ram_at(gpa_t address, size_t bytes)
{
    uint64_t offset = address.raw - RAM_BASE;

    return offset > RAM_BYTES || bytes > RAM_BYTES - offset ? NULL : &ram[offset];
}

static status_t ram_read(void *context, gpa_t from, void *to, size_t bytes)
{
    const uint8_t *at = ram_at(from, bytes);

    assert_ptr_equal(context, ram);
    if (at == NULL)
        return ERR_NOT_FOUND;
    memcpy(to, at, bytes);
    return OK;
}

static status_t ram_write(void *context, gpa_t to, const void *from, size_t bytes)
{
    uint8_t *at = ram_at(to, bytes);

    assert_ptr_equal(context, ram);
    copied += bytes;
    if (at == NULL)
        return ERR_NOT_FOUND;
    memcpy(at, from, bytes);
    return OK;
}

static int setup(void **unused)
{
    const struct fw_cfg_memory memory = { .context = ram, .read = ram_read, .write = ram_write };

    (void)unused;
    memset(ram, 0xee, sizeof(ram));
    copied = 0;
    for (unsigned i = 0; i < sizeof(file); i++)
        file[i] = (uint8_t)(i * 7 + 1);
    assert_int_equal(fw_cfg_create(&dev, &memory), OK);
    assert_int_equal(fw_cfg_add_file(dev, "etc/test", file, sizeof(file)), OK);
    assert_int_equal(fw_cfg_add_integer(dev, FW_CFG_NB_CPUS, 4, 2), OK);
    assert_int_equal(fw_cfg_add_integer(dev, FW_CFG_RAM_SIZE, 0x123456789a, 8), OK);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    return 0;
}

static void choose(uint16_t key)
{
    dev_write(dev, SELECTOR, 2, __builtin_bswap16(key));
}

static void put_request(uint32_t control, uint32_t length, uint64_t address)
{
    uint32_t words[4] = { __builtin_bswap32(control), __builtin_bswap32(length),
                          __builtin_bswap32((uint32_t)(address >> 32)),
                          __builtin_bswap32((uint32_t)address) };

    memcpy(&ram[REQUEST - RAM_BASE], words, sizeof(words));
}

/* Runs a request; the control word as it is left. */
static uint32_t run_dma(uint32_t control, uint32_t length, uint64_t address)
{
    uint32_t result;

    put_request(control, length, address);
    dev_write(dev, DMA, 8, __builtin_bswap64(REQUEST));
    memcpy(&result, &ram[REQUEST - RAM_BASE], sizeof(result));
    return __builtin_bswap32(result);
}

static void the_signature_is_read_byte_by_byte_and_by_word(void **unused)
{
    (void)unused;
    choose(FW_CFG_SIGNATURE);
    assert_int_equal(dev_read(dev, DATA, 1), 'Q');
    assert_int_equal(dev_read(dev, DATA, 2), 'E' | 'M' << 8);
    assert_int_equal(dev_read(dev, DATA, 4), 'U'); /* and zeros behind the end */
    assert_int_equal(dev_read(dev, DATA, 8), 0);
    choose(FW_CFG_ID);
    assert_int_equal(dev_read(dev, DATA, 4), 3);
}

static void integers_are_little_endian(void **unused)
{
    (void)unused;
    choose(FW_CFG_NB_CPUS);
    assert_int_equal(dev_read(dev, DATA, 2), 4);
    choose(FW_CFG_RAM_SIZE);
    assert_int_equal(dev_read(dev, DATA, 8), 0x123456789a);
}

static void the_directory_names_the_files(void **unused)
{
    uint8_t entry[64];

    (void)unused;
    choose(FW_CFG_FILE_DIR);
    assert_int_equal(__builtin_bswap32((uint32_t)dev_read(dev, DATA, 4)), 1);
    for (unsigned i = 0; i < sizeof(entry); i++)
        entry[i] = (uint8_t)dev_read(dev, DATA, 1);
    assert_memory_equal(entry, ((uint8_t[]){ 0, 0, 10000 >> 8, 10000 & 0xff, 0, 0x20, 0, 0 }), 8);
    assert_string_equal((char *)&entry[8], "etc/test");
    assert_int_equal(dev_read(dev, DATA, 1), 0);
    choose(FW_CFG_FILE_FIRST);
    for (unsigned i = 0; i < sizeof(file); i++)
        assert_int_equal(dev_read(dev, DATA, 1), file[i]);
}

static void a_key_that_is_not_there_is_empty(void **unused)
{
    (void)unused;
    for (unsigned key = 0; key < 0x10000; key += 0x3f) {
        choose((uint16_t)(key | 0x4000));
        assert_int_equal(dev_read(dev, DATA, 8), 0);
    }
    choose(FW_CFG_UUID);
    assert_int_equal(dev_read(dev, DATA, 8), 0);
}

static void dma_selects_skips_and_reads(void **unused)
{
    (void)unused;
    assert_int_equal(run_dma(FW_CFG_FILE_FIRST << 16 | DMA_SELECT | DMA_SKIP, 100, 0), 0);
    assert_int_equal(run_dma(DMA_READ, 5000, BUFFER), 0);
    assert_memory_equal(&ram[BUFFER - RAM_BASE], &file[100], 5000);
    assert_int_equal(ram[BUFFER - RAM_BASE + 5000], 0xee);
    assert_int_equal(dev_read(dev, DATA, 1), file[5100]);
}

static void dma_past_the_end_gives_zeros_within_a_limit(void **unused)
{
    (void)unused;
    assert_int_equal(run_dma(FW_CFG_SIGNATURE << 16 | DMA_SELECT | DMA_READ, 10000, BUFFER), 0);
    assert_memory_equal(&ram[BUFFER - RAM_BASE], "QEMU\0\0", 6);
    assert_int_equal(ram[BUFFER - RAM_BASE + 9999], 0);
    assert_int_equal(ram[BUFFER - RAM_BASE + 10000], 0xee);
    copied = 0;
    assert_int_equal(run_dma(FW_CFG_SIGNATURE << 16 | DMA_SELECT | DMA_READ, UINT32_MAX, BUFFER),
                     DMA_ERROR);
    assert_int_equal(copied, 4); /* the result alone */
}

static void dma_to_what_is_not_memory_is_an_error(void **unused)
{
    static const uint64_t bad[] = { 0, RAM_BASE - 1, RAM_BASE + RAM_BYTES - 8, UINT64_MAX,
                                    UINT64_MAX - 99 };

    (void)unused;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(run_dma(0x20 << 16 | DMA_SELECT | DMA_READ, 100, bad[i]), DMA_ERROR);
        assert_int_equal(dev_read(dev, DATA, 1), file[0]); /* not moved */
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        dev_write(dev, DMA, 8, __builtin_bswap64(bad[i])); /* the request itself */
}

static void dma_write_is_refused_and_a_long_skip_stops_at_the_end(void **unused)
{
    (void)unused;
    assert_int_equal(run_dma(0x20 << 16 | DMA_SELECT | DMA_WRITE, 1, BUFFER), DMA_ERROR);
    assert_int_equal(run_dma(0x20 << 16 | DMA_SELECT | DMA_SKIP, UINT32_MAX, 0), 0);
    assert_int_equal(run_dma(DMA_SKIP, UINT32_MAX, 0), 0);
    assert_int_equal(dev_read(dev, DATA, 1), 0);
    assert_int_equal(run_dma(0, 0, 0), 0);
}

static void the_dma_address_may_come_in_two_halves(void **unused)
{
    (void)unused;
    put_request(DMA_READ | DMA_SELECT, 4, BUFFER);
    dev_write(dev, DMA, 4, 0);
    assert_int_equal(copied, 0);
    dev_write(dev, DMA + 4, 4, __builtin_bswap32(REQUEST));
    assert_memory_equal(&ram[BUFFER - RAM_BASE], "QEMU", 4);
    dev_write(dev, DMA, 4, __builtin_bswap32(1)); /* 4 GiB up: not memory */
    copied = 0;
    dev_write(dev, DMA + 4, 4, __builtin_bswap32(REQUEST));
    assert_int_equal(copied, 0);
}

static void the_dma_register_reads_its_signature(void **unused)
{
    (void)unused;
    assert_int_equal(__builtin_bswap64(dev_read(dev, DMA, 8)), 0x51454d5520434647);
    assert_int_equal(dev_read(dev, DMA, 1), 'Q');
    assert_int_equal(dev_read(dev, DMA + 4, 1), ' ');
    assert_int_equal(dev_read(dev, DMA + 8, 1), 0);
    assert_int_equal(dev_read(dev, SELECTOR, 2), 0);
}

static void odd_widths_and_offsets_do_nothing(void **unused)
{
    (void)unused;
    choose(0x20);
    dev_write(dev, SELECTOR, 1, 0);
    dev_write(dev, SELECTOR, 4, 0);
    dev_write(dev, SELECTOR + 1, 2, 0);
    dev_write(dev, DATA, 4, 0xffffffff);
    dev_write(dev, UINT64_MAX, 8, 0);
    assert_int_equal(dev_read(dev, DATA, 1), file[0]);
    assert_int_equal(dev_read(dev, UINT64_MAX, 1), 0);
}

static void wrong_items_are_refused(void **unused)
{
    char name[FW_CFG_NAME_BYTES + 1];

    (void)unused;
    memset(name, 'n', sizeof(name));
    name[FW_CFG_NAME_BYTES] = '\0';
    assert_int_equal(fw_cfg_add_file(dev, name, file, 1), ERR_INVALID_ARGS);
    assert_int_equal(fw_cfg_add_file(dev, "", file, 1), ERR_INVALID_ARGS);
    assert_int_equal(fw_cfg_add_file(dev, "big", file, (size_t)1 << 32), ERR_INVALID_ARGS);
    assert_int_equal(fw_cfg_add_file(dev, "etc/test", file, 1), ERR_ALREADY_EXISTS);
    assert_int_equal(fw_cfg_add_integer(dev, FW_CFG_NB_CPUS, 1, 2), ERR_ALREADY_EXISTS);
    assert_int_equal(fw_cfg_add_integer(dev, FW_CFG_FILE_FIRST, 1, 2), ERR_INVALID_ARGS);
    assert_int_equal(fw_cfg_add_integer(dev, FW_CFG_UUID, 1, 16), ERR_INVALID_ARGS);
    for (unsigned i = 1; i < FW_CFG_MAX_FILES; i++) {
        char unique[8] = { 'f', (char)('a' + i / 16), (char)('a' + i % 16) };

        assert_int_equal(fw_cfg_add_file(dev, unique, file, i), OK);
    }
    assert_int_equal(fw_cfg_add_file(dev, "one more", file, 1), ERR_NO_MEMORY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_signature_is_read_byte_by_byte_and_by_word),
        TEST(integers_are_little_endian),
        TEST(the_directory_names_the_files),
        TEST(a_key_that_is_not_there_is_empty),
        TEST(dma_selects_skips_and_reads),
        TEST(dma_past_the_end_gives_zeros_within_a_limit),
        TEST(dma_to_what_is_not_memory_is_an_error),
        TEST(dma_write_is_refused_and_a_long_skip_stops_at_the_end),
        TEST(the_dma_address_may_come_in_two_halves),
        TEST(the_dma_register_reads_its_signature),
        TEST(odd_widths_and_offsets_do_nothing),
        TEST(wrong_items_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
