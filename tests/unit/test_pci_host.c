/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/pci_host.h"

#include "tests/unit/vdev_test.h"

#define ECAM 0xb0000000u

static struct vdev *dev;

static int setup(void **unused)
{
    (void)unused;
    return pci_host_create(&dev, gpa(ECAM)) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    return 0;
}

static void set_address(uint32_t address)
{
    range_write(dev, PCI_HOST_RANGE_ADDRESS, 0, 4, address);
}

static uint64_t config(uint32_t address, unsigned offset, uint8_t size)
{
    set_address(address);
    return range_read(dev, PCI_HOST_RANGE_DATA, offset, size);
}

static void the_host_bridge_is_found_by_ports(void **unused)
{
    (void)unused;
    assert_int_equal(config(0x80000000, 0, 4), 0x29c08086);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_ADDRESS, 0, 4), 0x80000000);
    assert_int_equal(config(0x80000000, 0, 2), 0x8086);
    assert_int_equal(config(0x80000000, 2, 2), 0x29c0);
    assert_int_equal(config(0x80000008, 0, 4), 0x06000000);
    assert_int_equal(config(0x80000008, 3, 1), 0x06);
    assert_int_equal(config(0x8000000c, 2, 1), 0); /* one function, header type 0 */
    assert_int_equal(config(0x80000060, 0, 4), ECAM | 5);
}

static void and_in_memory(void **unused)
{
    (void)unused;
    assert_int_equal(dev_read(dev, 0, 4), 0x29c08086);
    assert_int_equal(dev_read(dev, 2, 2), 0x29c0);
    assert_int_equal(dev_read(dev, 0xb, 1), 0x06);
    assert_int_equal(dev_read(dev, 0x60, 8), ECAM | 5);
}

static void where_nothing_is_all_bits_are_set(void **unused)
{
    (void)unused;
    assert_int_equal(config(0x00000000, 0, 4), 0xffffffff); /* not enabled */
    assert_int_equal(config(0x80000800, 0, 4), 0xffffffff);
    assert_int_equal(config(0x80000100, 0, 2), 0xffff);
    assert_int_equal(config(0x80010000, 0, 1), 0xff); /* another bus */
    assert_int_equal(dev_read(dev, 0x8000, 4), 0xffffffff);
    assert_int_equal(dev_read(dev, 0x100, 4), 0xffffffff); /* no extended space */
    assert_int_equal(dev_read(dev, 0xfc, 8), UINT64_MAX);
}

static void narrow_accesses_to_the_address_are_others(void **unused)
{
    (void)unused;
    set_address(0x80000008);
    range_write(dev, PCI_HOST_RANGE_ADDRESS, 0, 1, 0xff);
    range_write(dev, PCI_HOST_RANGE_ADDRESS, 0, 2, 0xffff);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_ADDRESS, 0, 4), 0x80000008);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_ADDRESS, 0, 1), 0xff);
    set_address(0xffffffff);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_ADDRESS, 0, 4), 0x80fffffc);
}

static void the_bridge_cannot_be_written(void **unused)
{
    (void)unused;
    for (uint64_t offset = 0; offset < 0x100; offset += 4)
        dev_write(dev, offset, 4, 0xffffffff);
    assert_int_equal(dev_read(dev, 0, 4), 0x29c08086);
    assert_int_equal(dev_read(dev, 4, 4), 0);
}

static void a_function_keeps_its_writable_bits(void **unused)
{
    static struct pci_function function;

    (void)unused;
    memset(&function, 0, sizeof(function));
    function.config[0] = 0x34;
    function.config[1] = 0x12;
    function.writable[4] = 0x07;
    function.writable[0x3c] = 0xff;
    assert_int_equal(pci_host_add(dev, 0x10, &function), OK);
    assert_int_equal(pci_host_add(dev, 0x10, &function), ERR_ALREADY_EXISTS);
    assert_int_equal(pci_host_add(dev, 0, &function), ERR_ALREADY_EXISTS);
    assert_int_equal(pci_host_add(dev, PCI_HOST_FUNCTIONS, &function), ERR_INVALID_ARGS);
    assert_int_equal(config(0x80001000, 0, 2), 0x1234);
    assert_int_equal(dev_read(dev, 0x10000, 4), 0x1234);
    set_address(0x80001004);
    range_write(dev, PCI_HOST_RANGE_DATA, 0, 4, 0xffffffff);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_DATA, 0, 4), 0x07);
    dev_write(dev, 0x1003c, 1, 0x0b);
    assert_int_equal(dev_read(dev, 0x1003c, 4), 0x0b);
}

static void accesses_past_every_end_are_nothing(void **unused)
{
    static const uint64_t offsets[] = { 0xff, 0xfff, 0xfffff, 0x100000, UINT64_MAX };

    (void)unused;
    set_address(0x800000fc);
    for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        for (uint8_t range = 0; range < 4; range++) {
            range_write(dev, range, offsets[i], 8, 0);
            assert_int_equal(range_read(dev, range, offsets[i], 8), UINT64_MAX);
        }
    set_address(0x80000000);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_DATA, UINT64_MAX, 1), 0xff);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_DATA, 3, 2), 0xffff);
    assert_int_equal(range_read(dev, PCI_HOST_RANGE_DATA, 4, 1), 0xff);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_host_bridge_is_found_by_ports),   TEST(and_in_memory),
        TEST(where_nothing_is_all_bits_are_set),   TEST(narrow_accesses_to_the_address_are_others),
        TEST(the_bridge_cannot_be_written),        TEST(a_function_keeps_its_writable_bits),
        TEST(accesses_past_every_end_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
