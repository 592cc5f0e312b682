/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/pio.h"

#include "tests/unit/vdev_test.h"

#define LOG 16

struct fake_device {
    struct vdev dev;
    uint8_t fill; /* each byte that is read */
    unsigned count;
    struct seen {
        struct vdev_access access;
        bool write;
        uint64_t value;
    } seen[LOG];
};

static struct seen *note(struct vdev *dev, struct vdev_access access)
{
    struct fake_device *fake = container_of(dev, struct fake_device, dev);

    assert_true(fake->count < LOG);
    fake->seen[fake->count].access = access;
    return &fake->seen[fake->count++];
}

static uint64_t fake_read(struct vdev *dev, struct vdev_access access)
{
    const struct fake_device *fake = container_of(dev, struct fake_device, dev);

    assert_int_equal(dev->lock.held, !dev->ops->unlocked);
    note(dev, access);
    return fake->fill * 0x0101010101010101ull;
}

static void fake_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct seen *seen = note(dev, access);

    seen->write = true;
    seen->value = value;
}

static const struct vdev_ops wide_ops = { .read = fake_read, .write = fake_write };
static const struct vdev_ops byte_ops = {
    .byte_ports = true, .unlocked = true, .read = fake_read, .write = fake_write
};

static struct pio_bus bus;
static struct fake_device wide, bytes;

static status_t map(struct fake_device *device, unsigned first, unsigned count)
{
    const struct pio_range range = {
        .first = (uint16_t)first, .count = (uint16_t)count, .dev_range = 3, .dev = &device->dev
    };

    return pio_map(&bus, &range);
}

static int setup(void **unused)
{
    (void)unused;
    bus = (struct pio_bus){ .count = 0 };
    wide = (struct fake_device){ .dev.ops = &wide_ops, .fill = 0xaa };
    bytes = (struct fake_device){ .dev.ops = &byte_ops, .fill = 0x55 };
    return 0;
}

/* Of what is read, only the bytes that were asked for count. */
static uint64_t read(uint16_t port, unsigned size)
{
    return low_bytes(pio_read(&bus, port, size, 7), size);
}

static void an_access_comes_to_its_range_with_its_offset(void **unused)
{
    (void)unused;
    assert_int_equal(map(&wide, 0x3f8, 8), OK);
    assert_int_equal(map(&bytes, 0x60, 1), OK);
    assert_int_equal(read(0x3fa, 2), 0xaaaa);
    assert_int_equal(wide.count, 1);
    assert_int_equal(wide.seen[0].access.offset, 2);
    assert_int_equal(wide.seen[0].access.size, 2);
    assert_int_equal(wide.seen[0].access.range, 3);
    assert_int_equal(wide.seen[0].access.cpu, 7);
    pio_write(&bus, 0x60, 1, 0x1234, 0);
    assert_int_equal(bytes.seen[0].value, 0x34);
    assert_int_equal(wide.count, 1);
}

static void one_that_moves_up_is_still_found(void **unused)
{
    (void)unused;
    assert_int_equal(map(&wide, 0x3f8, 8), OK);
    assert_int_equal(read(0x3f8, 1), 0xaa);
    assert_int_equal(map(&bytes, 0x60, 1), OK);
    assert_int_equal(read(0x3ff, 1), 0xaa);
    assert_int_equal(read(0x60, 1), 0x55);
    assert_int_equal(read(0x3f8, 1), 0xaa);
    assert_int_equal(read(0x61, 1), 0xff);
}

static void nothing_reads_as_ones_and_swallows_writes(void **unused)
{
    (void)unused;
    assert_int_equal(read(0x80, 1), 0xff);
    assert_int_equal(map(&wide, 0x100, 4), OK);
    assert_int_equal(read(0xff, 1), 0xff);
    assert_int_equal(read(0x104, 2), 0xffff);
    assert_int_equal(read(0xffff, 4), 0xffffffff);
    pio_write(&bus, 0x104, 4, 0, 0);
    pio_write(&bus, 0xffff, 4, 0, 0);
    assert_int_equal(wide.count, 0);
}

static void wide_accesses_of_byte_ports_come_one_by_one(void **unused)
{
    (void)unused;
    assert_int_equal(map(&bytes, 0x3d4, 2), OK);
    assert_int_equal(map(&wide, 0x3d6, 1), OK);
    pio_write(&bus, 0x3d4, 2, 0x1b0e, 0);
    assert_int_equal(bytes.count, 2);
    assert_int_equal(bytes.seen[0].access.offset, 0);
    assert_int_equal(bytes.seen[0].value, 0x0e);
    assert_int_equal(bytes.seen[1].access.offset, 1);
    assert_int_equal(bytes.seen[1].value, 0x1b);
    assert_int_equal(read(0x3d4, 4), 0xffaa5555);
}

static void bytes_past_the_last_port_are_nothing(void **unused)
{
    (void)unused;
    assert_int_equal(map(&bytes, 0xffff, 1), OK);
    assert_int_equal(map(&wide, 0, 1), OK);
    assert_int_equal(read(0xffff, 4), 0xffffff55);
    pio_write(&bus, 0xffff, 4, 0, 0);
    assert_int_equal(bytes.count, 2);
    assert_int_equal(wide.count, 0);
}

static void an_access_belongs_to_its_first_port(void **unused)
{
    (void)unused;
    assert_int_equal(map(&wide, 0xcf8, 1), OK);
    assert_int_equal(map(&bytes, 0xcf9, 1), OK);
    pio_write(&bus, 0xcf8, 4, 0x80000000, 0);
    assert_int_equal(wide.seen[0].value, 0x80000000);
    assert_int_equal(bytes.count, 0);
    pio_write(&bus, 0xcf9, 1, 6, 0);
    assert_int_equal(bytes.count, 1);
    assert_int_equal(wide.count, 1);
}

static void overlaps_and_nonsense_are_refused(void **unused)
{
    (void)unused;
    assert_int_equal(map(&wide, 0x100, 0), ERR_INVALID_ARGS);
    assert_int_equal(map(&wide, 0xffff, 2), ERR_INVALID_ARGS);
    assert_int_equal(map(&wide, 0x100, 0x10), OK);
    assert_int_equal(map(&wide, 0x100, 0x10), ERR_ALREADY_EXISTS);
    assert_int_equal(map(&wide, 0x10f, 1), ERR_ALREADY_EXISTS);
    assert_int_equal(map(&wide, 0xf8, 9), ERR_ALREADY_EXISTS);
    assert_int_equal(map(&wide, 0xf8, 0x100), ERR_ALREADY_EXISTS);
    assert_int_equal(map(&wide, 0, 0xffff), ERR_ALREADY_EXISTS);
    assert_int_equal(bus.count, 1);
    assert_int_equal(map(&wide, 0xf8, 8), OK);
    assert_int_equal(map(&wide, 0x110, 1), OK);
    assert_int_equal(pio_ranges_of(&bus, &wide.dev), 3);
    assert_int_equal(pio_ranges_of(&bus, &bytes.dev), 0);
}

static void a_full_bus_finds_every_range_and_takes_no_more(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < PIO_MAX_RANGES; i++) /* in no order */
        assert_int_equal(map(&wide, i * 13 % PIO_MAX_RANGES * 0x100, 2), OK);
    assert_int_equal(map(&wide, 0x8000, 1), ERR_NO_MEMORY);
    for (unsigned port = 0; port < 0x10000; port++) {
        const bool there = port < PIO_MAX_RANGES * 0x100 && port % 0x100 < 2;

        wide.count = 0;
        assert_int_equal(read((uint16_t)port, 1), there ? 0xaa : 0xff);
        assert_int_equal(wide.count, there);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_access_comes_to_its_range_with_its_offset),
        TEST(one_that_moves_up_is_still_found),
        TEST(nothing_reads_as_ones_and_swallows_writes),
        TEST(wide_accesses_of_byte_ports_come_one_by_one),
        TEST(bytes_past_the_last_port_are_nothing),
        TEST(an_access_belongs_to_its_first_port),
        TEST(overlaps_and_nonsense_are_refused),
        TEST(a_full_bus_finds_every_range_and_takes_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
