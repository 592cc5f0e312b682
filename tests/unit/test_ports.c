/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's devices at ports, beside their ranges in memory. */

#include "tests/unit/fake_vm_parts.h"

#include "vm/pio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct vm *vm;
static struct vdev *dev;

static int setup(void **unused)
{
    fake_world_setup(unused);
    vm = fake_vm("pc");
    dev = vm != NULL ? &fake_parts.device->dev : NULL;
    return vm != NULL ? 0 : -1;
}

static int teardown(void **unused)
{
    fake_vm_end(vm);
    return fake_world_teardown(unused); /* the port space too */
}

static void ranges_of_both_kinds_are_counted_together(void **unused)
{
    (void)unused;
    fake_parts.device->answer = 0x1234;
    assert_int_equal(vm_attach_ports(vm, dev, 0x60, 1), OK);
    assert_int_equal(vm_attach_device(vm, dev, gpa(0xa000000), 0x1000), OK);
    assert_int_equal(vm_attach_ports(vm, dev, 0x64, 2), OK);
    assert_int_equal(pio_read(vm->ports, 0x65, 1, 0) & 0xff, 0x34);
    assert_int_equal(fake_parts.device->access.range, 3); /* 0: where the machine put it */
    assert_int_equal(fake_parts.device->access.offset, 1);
    pio_read(vm->ports, 0x60, 1, 0);
    assert_int_equal(fake_parts.device->access.range, 1);
    assert_ptr_equal(vm_devices(vm), dev);
    assert_null(dev->next); /* owned once */
}

static void a_taken_port_is_refused_and_told(void **unused)
{
    (void)unused;
    assert_int_equal(vm_attach_ports(vm, dev, 0x3f8, 8), OK);
    assert_int_equal(vm_attach_ports(vm, dev, 0x3ff, 1), ERR_ALREADY_EXISTS);
    assert_non_null(strstr(fake_log, "port 0x3ff"));
    assert_int_equal(vm_attach_ports(vm, dev, 0xffff, 2), ERR_INVALID_ARGS);
}

static void ports_do_not_change_while_the_guest_runs(void **unused)
{
    (void)unused;
    assert_int_equal(vm_boot(vm), OK);
    assert_int_equal(vm_attach_ports(vm, dev, 0x3f8, 8), ERR_BAD_STATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ranges_of_both_kinds_are_counted_together),
        TEST(a_taken_port_is_refused_and_told),
        TEST(ports_do_not_change_while_the_guest_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
