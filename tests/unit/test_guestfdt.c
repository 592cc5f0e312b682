/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' device trees, read back with libfdt: every address against machine virt's
 * table, and dtc finds nothing to say.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/captured_log.h"
#include "vm/devices/pl061.h"
#include "vm/firmware/guest_fdt.h"
#include "vm/machine/machine_virt.h"
#include "vm/vm.h"

static uint8_t buffer[IMAGE_FDT_ROOM] __attribute__((aligned(8)));
static uint8_t given[IMAGE_FDT_ROOM] __attribute__((aligned(8)));
static struct vm_config config;
static struct image_plan plan;

static int set_up(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    vm_config_init(&config);
    strcpy(config.name, "guest");
    strcpy(config.cmdline, "console=ttyAMA0 quiet");
    config.cpus = 4;
    config.kernel = (struct blob){ "kernel", 7 };
    config.initrd = (struct blob){ "initrd", 7 };
    config.ram_count = 2;
    config.ram[0] = (struct vm_config_ram){ gpa(0x40000000), 0x10000000 };
    config.ram[1] = (struct vm_config_ram){ gpa(0x100000000), 0x40000000 };
    plan.initrd = gpa(0x42000000);
    return 0;
}

static const void *generate(unsigned gic_version)
{
    const struct guest_fdt_facts facts = { .gic_version = gic_version };

    assert_int_equal(guest_fdt_generate(&config, &plan, &facts, buffer, sizeof(buffer)), OK);
    assert_int_equal(fdt_check_full(buffer, sizeof(buffer)), 0);
    return buffer;
}

static int node_at(const void *fdt, const char *path)
{
    int node = fdt_path_offset(fdt, path);

    if (node < 0)
        print_error("no node %s\n", path);
    assert_true(node >= 0);
    return node;
}

static const char *text(const void *fdt, const char *path, const char *name)
{
    const char *value = fdt_getprop(fdt, node_at(fdt, path), name, NULL);

    assert_non_null(value);
    return value;
}

static uint32_t cell(const void *fdt, const char *path, const char *name, unsigned index)
{
    int length;
    const fdt32_t *value = fdt_getprop(fdt, node_at(fdt, path), name, &length);

    assert_non_null(value);
    assert_true(index < (unsigned)length / 4);
    return fdt32_to_cpu(value[index]);
}

static uint64_t wide(const void *fdt, const char *path, const char *name, unsigned index)
{
    return (uint64_t)cell(fdt, path, name, 2 * index) << 32 | cell(fdt, path, name, 2 * index + 1);
}

static void assert_is_silent_in_dtc(const void *fdt)
{
    char file[] = "/tmp/socle-test-fdt-XXXXXX", command[200];
    int handle = mkstemp(file);
    FILE *out = fdopen(handle, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(fdt, 1, fdt_totalsize(fdt), out), fdt_totalsize(fdt));
    assert_int_equal(fclose(out), 0);
    (void)snprintf(command, sizeof(command), "! dtc -I dtb -O dts %s 2>&1 >/dev/null | grep .",
                   file);
    assert_int_equal(system(command), 0);
    assert_int_equal(remove(file), 0);
}

static void devices_stand_where_the_table_says(void **state)
{
    static const struct {
        const char *path;
        enum virt_part part;
    } devices[] = {
        { "/pl011@9000000", VIRT_UART },
        { "/pl031@9010000", VIRT_RTC },
        { "/pl061@9030000", VIRT_GPIO },
        { "/fw-cfg@9020000", VIRT_FW_CFG },
    };
    const void *fdt = generate(3);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        const struct virt_slot *slot = &virt_map[devices[i].part];

        assert_int_equal(wide(fdt, devices[i].path, "reg", 0), slot->base);
        assert_int_equal(wide(fdt, devices[i].path, "reg", 1), slot->size);
        if (slot->irq == 0)
            continue;
        assert_int_equal(cell(fdt, devices[i].path, "interrupts", 0), 0);
        assert_int_equal(cell(fdt, devices[i].path, "interrupts", 1), slot->irq - 32);
        assert_int_equal(cell(fdt, devices[i].path, "interrupts", 2), 4);
    }
}

static void the_gic_is_of_the_version_asked_for(void **state)
{
    const void *fdt = generate(3);

    (void)state;
    assert_string_equal(text(fdt, "/intc@8000000", "compatible"), "arm,gic-v3");
    assert_int_equal(wide(fdt, "/intc@8000000", "reg", 1), virt_map[VIRT_GICD].size);
    assert_int_equal(wide(fdt, "/intc@8000000", "reg", 2), 0x080a0000);
    assert_int_equal(wide(fdt, "/intc@8000000", "reg", 3), 4 * 0x20000);
    assert_int_equal(cell(fdt, "/timer", "interrupts", 8), 4);
    fdt = generate(2);
    assert_string_equal(text(fdt, "/intc@8000000", "compatible"), "arm,cortex-a15-gic");
    assert_int_equal(wide(fdt, "/intc@8000000", "reg", 2), 0x08010000);
    assert_int_equal(wide(fdt, "/intc@8000000", "reg", 3), virt_map[VIRT_GICC].size);
    assert_int_equal(cell(fdt, "/timer", "interrupts", 8), 0xf04);
}

static void interrupts_lead_to_the_gic_and_clocks_to_the_clock(void **state)
{
    const void *fdt = generate(3);
    int gic = fdt_node_offset_by_phandle(fdt, cell(fdt, "/", "interrupt-parent", 0));
    int clock = fdt_node_offset_by_phandle(fdt, cell(fdt, "/pl011@9000000", "clocks", 0));
    int gpio = fdt_node_offset_by_phandle(fdt, cell(fdt, "/gpio-keys/poweroff", "gpios", 0));

    (void)state;
    assert_int_equal(gic, node_at(fdt, "/intc@8000000"));
    assert_int_equal(clock, node_at(fdt, "/apb-pclk"));
    assert_int_equal(gpio, node_at(fdt, "/pl061@9030000"));
    assert_int_equal(cell(fdt, "/gpio-keys/poweroff", "gpios", 1), PL061_PIN_POWER);
    assert_int_equal(cell(fdt, "/gpio-keys/poweroff", "linux,code", 0), 116);
    assert_string_equal(fdt_get_alias(fdt, text(fdt, "/chosen", "stdout-path")), "/pl011@9000000");
}

static void memory_cpus_and_chosen_follow_the_configuration(void **state)
{
    const void *fdt;

    (void)state;
    config.cpus = 16;
    fdt = generate(3);
    assert_int_equal(wide(fdt, "/memory@40000000", "reg", 1), 0x10000000);
    assert_int_equal(wide(fdt, "/memory@100000000", "reg", 0), 0x100000000);
    assert_int_equal(wide(fdt, "/memory@100000000", "reg", 1), 0x40000000);
    assert_int_equal(cell(fdt, "/cpus/cpu@f", "reg", 0), 15);
    assert_string_equal(text(fdt, "/cpus/cpu@0", "enable-method"), "psci");
    assert_string_equal(text(fdt, "/psci", "method"), "hvc");
    assert_string_equal(text(fdt, "/chosen", "bootargs"), "console=ttyAMA0 quiet");
    assert_int_equal(wide(fdt, "/chosen", "linux,initrd-start", 0), 0x42000000);
    assert_int_equal(wide(fdt, "/chosen", "linux,initrd-end", 0), 0x42000007);
}

static void flash_is_shown_to_a_firmware_only(void **state)
{
    const void *fdt = generate(3);

    (void)state;
    assert_true(fdt_path_offset(fdt, "/flash@0") < 0);
    config.firmware = config.kernel;
    fdt = generate(3);
    assert_int_equal(wide(fdt, "/flash@0", "reg", 2), 0x04000000);
    assert_int_equal(wide(fdt, "/flash@0", "reg", 3), 0x04000000);
}

static void dtc_is_silent(void **state)
{
    (void)state;
    assert_is_silent_in_dtc(generate(3));
    config.firmware = config.kernel;
    config.cpus = 1;
    assert_is_silent_in_dtc(generate(2));
}

static void the_largest_tree_fits_and_a_smaller_buffer_is_refused(void **state)
{
    const struct guest_fdt_facts facts = { .gic_version = 3 };
    size_t bytes;

    (void)state;
    config.cpus = VM_MAX_VCPUS;
    config.firmware = config.kernel;
    config.ram_count = VM_MAX_REGIONS;
    for (unsigned i = 0; i < VM_MAX_REGIONS; i++)
        config.ram[i] = (struct vm_config_ram){ gpa((i + 1ull) << 40), 0x1000 };
    memset(config.cmdline, 'x', VM_CMDLINE_MAX);
    bytes = fdt_totalsize(generate(3));
    for (size_t room = 0; room < bytes; room += 61)
        assert_int_equal(guest_fdt_generate(&config, &plan, &facts, buffer, room), ERR_NO_MEMORY);
}

/* --- given trees --- */

static void make_given(void)
{
    assert_int_equal(fdt_create(given, sizeof(given)), 0);
    assert_int_equal(fdt_finish_reservemap(given), 0);
    assert_int_equal(fdt_begin_node(given, ""), 0);
    assert_int_equal(fdt_property_u32(given, "#address-cells", 2), 0);
    assert_int_equal(fdt_property_u32(given, "#size-cells", 2), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fdt_begin_node(given, i ? "memory@80000000" : "memory@0"), 0);
        assert_int_equal(fdt_property_string(given, "device_type", "memory"), 0);
        assert_int_equal(fdt_end_node(given), 0);
    }
    assert_int_equal(fdt_begin_node(given, "device"), 0);
    assert_int_equal(fdt_property_string(given, "compatible", "a,device"), 0);
    assert_int_equal(fdt_end_node(given), 0);
    assert_int_equal(fdt_end_node(given), 0);
    assert_int_equal(fdt_finish(given), 0);
    config.fdt = (struct blob){ given, fdt_totalsize(given) };
}

static void a_given_tree_gets_memory_and_chosen(void **state)
{
    (void)state;
    make_given();
    assert_int_equal(guest_fdt_patch(&config, &plan, buffer, sizeof(buffer)), OK);
    assert_int_equal(fdt_check_full(buffer, sizeof(buffer)), 0);
    assert_true(fdt_path_offset(buffer, "/memory@0") < 0);
    assert_true(fdt_path_offset(buffer, "/memory@80000000") < 0);
    assert_int_equal(wide(buffer, "/memory@40000000", "reg", 0), 0x40000000);
    assert_int_equal(wide(buffer, "/memory@40000000", "reg", 3), 0x40000000);
    assert_string_equal(text(buffer, "/device", "compatible"), "a,device");
    assert_string_equal(text(buffer, "/chosen", "bootargs"), "console=ttyAMA0 quiet");
    assert_int_equal(wide(buffer, "/chosen", "linux,initrd-end", 0), 0x42000007);
}

static void an_empty_command_line_keeps_the_given_one(void **state)
{
    (void)state;
    config.fdt = (struct blob){ given, sizeof(given) };
    assert_int_equal(fdt_open_into(generate(3), given, sizeof(given)), 0);
    config.cmdline[0] = '\0';
    assert_int_equal(guest_fdt_patch(&config, &plan, buffer, sizeof(buffer)), OK);
    assert_string_equal(text(buffer, "/chosen", "bootargs"), "console=ttyAMA0 quiet");
}

static void a_damaged_given_tree_is_refused_and_survived(void **state)
{
    size_t bytes;
    unsigned seed = 99;

    (void)state;
    make_given();
    bytes = config.fdt.bytes;
    for (config.fdt.bytes = 0; config.fdt.bytes < bytes; config.fdt.bytes++)
        assert_int_not_equal(guest_fdt_patch(&config, &plan, buffer, sizeof(buffer)), OK);
    assert_non_null(strstr(logged, "guest: fdt:"));
    for (unsigned round = 0; round < 5000; round++) {
        make_given();
        seed = seed * 1103515245 + 12345;
        given[(seed >> 8) % bytes] ^= (uint8_t)(1u << (seed >> 28) % 8);
        (void)guest_fdt_patch(&config, &plan, buffer, sizeof(buffer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices_stand_where_the_table_says, set_up),
        cmocka_unit_test_setup(the_gic_is_of_the_version_asked_for, set_up),
        cmocka_unit_test_setup(interrupts_lead_to_the_gic_and_clocks_to_the_clock, set_up),
        cmocka_unit_test_setup(memory_cpus_and_chosen_follow_the_configuration, set_up),
        cmocka_unit_test_setup(flash_is_shown_to_a_firmware_only, set_up),
        cmocka_unit_test_setup(dtc_is_silent, set_up),
        cmocka_unit_test_setup(the_largest_tree_fits_and_a_smaller_buffer_is_refused, set_up),
        cmocka_unit_test_setup(a_given_tree_gets_memory_and_chosen, set_up),
        cmocka_unit_test_setup(an_empty_command_line_keeps_the_given_one, set_up),
        cmocka_unit_test_setup(a_damaged_given_tree_is_refused_and_survived, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
