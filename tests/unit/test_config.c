/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of a VM's configuration: each names the key that breaks it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "vm/config/config.h"

static struct vm_config right_config(void)
{
    struct vm_config config;

    vm_config_init(&config);
    strcpy(config.name, "vm");
    strcpy(config.machine, "virt");
    config.kernel = (struct blob){ "x", 1 };
    return config;
}

static const char *wrong_key(const struct vm_config *config)
{
    const char *key = NULL, *why = NULL;
    status_t status = vm_config_check(config, &key, &why);

    return status == OK ? NULL : key;
}

static void defaults_with_a_kernel_are_right(void **state)
{
    struct vm_config config = right_config();

    (void)state;
    assert_null(wrong_key(&config));
}

#define assert_wrong(expected, change)            \
    do {                                          \
        struct vm_config config = right_config(); \
        change;                                   \
        const char *key_ = wrong_key(&config);    \
        assert_non_null(key_);                    \
        assert_string_equal(key_, expected);      \
    } while (0)

static void each_rule_names_its_key(void **state)
{
    (void)state;
    assert_wrong("name", config.name[0] = '\0');
    assert_wrong("name", memset(config.name, 'a', sizeof(config.name)));
    assert_wrong("machine", config.machine[0] = '\0');
    assert_wrong("cpus", config.cpus = 0);
    assert_wrong("cpus", config.cpus = VM_MAX_VCPUS + 1);
    assert_wrong("priority", config.priority = 8);
    assert_wrong("slice_ms", config.slice_ns = 0);
    assert_wrong("memory", config.memory = 4097);
    assert_wrong("ram", config.ram_count = VM_MAX_REGIONS + 1);
    assert_wrong("ram", config.ram_count = 1);
    assert_wrong("device", config.device_count = 1);
    assert_wrong("device", {
        config.device_count = 1;
        strcpy(config.devices[0].type, "uart16550");
        config.devices[0].port = 0x10000;
    });
    assert_wrong("kernel", config.kernel.data = NULL);
    assert_wrong("kernel", config.firmware = config.kernel);
    assert_wrong("entry", config.entry = gpa(2));
}

static void ram_that_overlaps_or_wraps_is_wrong(void **state)
{
    struct vm_config config = right_config();

    (void)state;
    config.ram_count = 2;
    config.ram[0] = (struct vm_config_ram){ gpa(0x1000), 0x2000 };
    config.ram[1] = (struct vm_config_ram){ gpa(0x2000), 0x1000 };
    assert_string_equal(wrong_key(&config), "ram");
    config.ram[1] = (struct vm_config_ram){ gpa(0x3000), 0x1000 };
    assert_null(wrong_key(&config));
    config.ram[1] = (struct vm_config_ram){ gpa(0xfffffffffffff000), 0x2000 };
    assert_string_equal(wrong_key(&config), "ram");
}

static void ram_without_a_gap_counts_as_one(void **state)
{
    struct vm_config config = right_config();

    (void)state;
    config.ram_count = 2;
    config.ram[0] = (struct vm_config_ram){ gpa(0x3000), 0x1000 };
    config.ram[1] = (struct vm_config_ram){ gpa(0x1000), 0x2000 };
    assert_true(vm_config_has_ram(&config, gpa(0x1800), 0x2800));
    assert_false(vm_config_has_ram(&config, gpa(0x1800), 0x2801));
    assert_false(vm_config_has_ram(&config, gpa(0xfff), 1));
    assert_false(vm_config_has_ram(&config, gpa(0x1000), UINT64_MAX));
    assert_false(vm_config_has_ram(&config, gpa(UINT64_MAX), 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_with_a_kernel_are_right),
        cmocka_unit_test(each_rule_names_its_key),
        cmocka_unit_test(ram_that_overlaps_or_wraps_is_wrong),
        cmocka_unit_test(ram_without_a_gap_counts_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
