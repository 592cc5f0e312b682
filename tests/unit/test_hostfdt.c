/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the host's device tree: trees like those of QEMU's virt board and of boards with
 * buses and aliases, then the same ones cut short and damaged.
 */

#include "arch/bits.h"
#include "drivers/firmware/fdt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#define TREE_BYTES 32768

static char tree[TREE_BYTES] __attribute__((aligned(8)));

static void ok(int result)
{
    assert_int_equal(result, 0);
}

static void cells(const char *name, unsigned count, const uint32_t *values)
{
    fdt32_t data[32];

    for (unsigned i = 0; i < count; i++)
        data[i] = cpu_to_fdt32(values[i]);
    ok(fdt_property(tree, name, data, (int)(count * 4)));
}

#define CELLS(name, ...)                            \
    do {                                            \
        const uint32_t values_[] = { __VA_ARGS__ }; \
        cells(name, ARRAY_SIZE(values_), values_);  \
    } while (0)

static void strings(const char *name, const char *list, size_t bytes)
{
    ok(fdt_property(tree, name, list, (int)bytes));
}

#define STRINGS(name, list) strings(name, list, sizeof(list))

static void begin(const char *name)
{
    ok(fdt_begin_node(tree, name));
}

static void end(void)
{
    ok(fdt_end_node(tree));
}

static void begin_tree(void)
{
    ok(fdt_create(tree, TREE_BYTES));
    ok(fdt_add_reservemap_entry(tree, 0x48000000, 0x3000));
    ok(fdt_finish_reservemap(tree));
    begin("");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    STRINGS("compatible", "linux,dummy-virt");
}

static void end_tree(void)
{
    end();
    ok(fdt_finish(tree));
}

static void add_memory(void)
{
    begin("memory@40000000");
    CELLS("reg", 0, 0x40000000, 0, 0x8000000, 8, 0, 1, 0, 0, 0, 0, 0);
    STRINGS("device_type", "memory");
    end();
}

static void add_cpus(unsigned count)
{
    begin("cpus");
    CELLS("#size-cells", 0);
    CELLS("#address-cells", 1);
    begin("cpu-map");
    end();
    for (unsigned i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof(name), "cpu@%x", i);
        begin(name);
        STRINGS("device_type", "cpu");
        STRINGS("compatible", "arm,cortex-a53");
        STRINGS("enable-method", "psci");
        CELLS("reg", i < 4 ? i : 0x100 + i);
        end();
    }
    end();
}

static void add_gic_v3(void)
{
    begin("intc@8000000");
    CELLS("interrupts", 1, 9, 4);
    CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000);
    CELLS("#redistributor-regions", 1);
    STRINGS("compatible", "arm,gic-v3");
    ok(fdt_property(tree, "ranges", NULL, 0));
    CELLS("#size-cells", 2);
    CELLS("#address-cells", 2);
    CELLS("#interrupt-cells", 3);
    begin("its@8080000");
    CELLS("reg", 0, 0x8080000, 0, 0x20000);
    STRINGS("compatible", "arm,gic-v3-its");
    end();
    end();
}

static void add_timer(void)
{
    begin("timer");
    CELLS("interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
    STRINGS("compatible", "arm,armv8-timer\0arm,armv7-timer");
    end();
}

static void add_uart(const char *name, uint32_t base, uint32_t irq, bool disabled)
{
    begin(name);
    CELLS("interrupts", 0, irq, 4);
    CELLS("reg", 0, base, 0, 0x1000);
    STRINGS("compatible", "arm,pl011\0arm,primecell");
    if (disabled)
        STRINGS("status", "disabled");
    end();
}

static void add_psci(void)
{
    begin("psci");
    STRINGS("method", "smc");
    STRINGS("compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci");
    end();
}

static void build_virt(void)
{
    begin_tree();
    add_psci();
    add_memory();
    for (uint32_t i = 0; i < 32; i++) {
        char name[32];

        snprintf(name, sizeof(name), "virtio_mmio@%x", 0xa000000 + i * 0x200);
        begin(name);
        CELLS("interrupts", 0, 16 + i, 1);
        CELLS("reg", 0, 0xa000000 + i * 0x200, 0, 0x200);
        STRINGS("compatible", "virtio,mmio");
        end();
    }
    add_uart("pl011@9000000", 0x9000000, 1, false);
    add_gic_v3();
    add_cpus(2);
    add_timer();
    begin("reserved-memory");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    ok(fdt_property(tree, "ranges", NULL, 0));
    begin("firmware@47000000");
    CELLS("reg", 0, 0x47000000, 0, 0x100000);
    ok(fdt_property(tree, "no-map", NULL, 0));
    end();
    begin("anywhere");
    CELLS("size", 0, 0x100000);
    end();
    end();
    begin("chosen");
    STRINGS("stdout-path", "/pl011@9000000");
    STRINGS("bootargs", "semihosting");
    CELLS("linux,initrd-start", 0x44000000);
    CELLS("linux,initrd-end", 0, 0x44123456);
    end();
    end_tree();
}

static void read_tree(struct host_info *info)
{
    const char *why;
    status_t status = host_info_from_fdt(tree, info, &why);

    if (status != OK)
        fail_msg("%s", why);
    assert_null(why);
}

static void assert_range(struct host_range range, uint64_t base, uint64_t bytes)
{
    assert_int_equal(range.base.raw, base);
    assert_int_equal(range.bytes, bytes);
}

static void a_virt_board_is_understood(void **state)
{
    struct host_info info;

    (void)state;
    build_virt();
    read_tree(&info);
    assert_int_equal(info.bank_count, 2);
    assert_range(info.banks[0], 0x40000000, 0x8000000);
    assert_range(info.banks[1], 0x800000000, 0x100000000);
    assert_int_equal(info.reserved_count, 2);
    assert_range(info.reserved[0], 0x48000000, 0x3000);
    assert_range(info.reserved[1], 0x47000000, 0x100000);
    assert_int_equal(info.cpu_count, 2);
    assert_int_equal(info.cpus[1].hwid, 1);
    assert_int_equal(info.cpus[1].enable, HOST_CPU_PSCI);
    assert_int_equal(info.psci.conduit, HOST_CONDUIT_SMC);
    assert_int_equal(info.psci.version, 0x10000);
    assert_int_equal(info.gic.version, 3);
    assert_range(info.gic.gicd, 0x8000000, 0x10000);
    assert_int_equal(info.gic.gicr_count, 1);
    assert_range(info.gic.gicr[0], 0x80a0000, 0xf60000);
    assert_range(info.gic.gicv, 0, 0);
    assert_int_equal(info.gic.maintenance_irq, 25);
    assert_int_equal(info.timer.secure, 29);
    assert_int_equal(info.timer.physical, 30);
    assert_int_equal(info.timer.virtual, 27);
    assert_int_equal(info.timer.hypervisor, 26);
    assert_int_equal(info.uart.kind, HOST_UART_PL011);
    assert_range(info.uart.regs, 0x9000000, 0x1000);
    assert_int_equal(info.uart.irq, 33);
    assert_range(info.initrd, 0x44000000, 0x123456);
    assert_string_equal(info.bootargs, "semihosting");
    assert_int_equal(info.left_out, 0);
}

/* GICv2, 64-bit CPU numbers, a bus with ranges, an alias with options, things disabled. */
static void build_soc(void)
{
    begin_tree();
    begin("aliases");
    STRINGS("ethernet0", "/soc/ethernet@1000");
    STRINGS("serial0", "/soc/serial@201000");
    STRINGS("serial1", "/soc/serial@202000");
    end();
    begin("chosen");
    STRINGS("stdout-path", "serial1:115200n8");
    end();
    add_memory();
    begin("cpus");
    CELLS("#size-cells", 0);
    CELLS("#address-cells", 2);
    begin("cpu@100000001");
    STRINGS("device_type", "cpu");
    STRINGS("enable-method", "spin-table");
    CELLS("reg", 1, 1);
    end();
    begin("cpu@2");
    STRINGS("device_type", "cpu");
    STRINGS("status", "fail");
    CELLS("reg", 0, 2);
    end();
    end();
    begin("soc");
    STRINGS("compatible", "simple-bus");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 1);
    CELLS("ranges", 0x7e000000, 0, 0xfe000000, 0x1800000, 0x40000000, 0, 0xff800000, 0x800000);
    for (uint32_t i = 1; i <= 2; i++) {
        begin(i == 1 ? "serial@201000" : "serial@202000");
        STRINGS("compatible", "arm,pl011\0arm,primecell");
        CELLS("reg", 0x7e200000 + i * 0x1000, 0x200);
        CELLS("interrupts", 0, 120 + i, 4);
        end();
    }
    begin("interrupt-controller@40041000");
    CELLS("#interrupt-cells", 3);
    STRINGS("compatible", "arm,gic-400");
    CELLS("reg", 0x40041000, 0x1000, 0x40042000, 0x2000, 0x40044000, 0x2000, 0x40046000, 0x2000);
    CELLS("interrupts", 1, 9, 0xf04);
    end();
    end();
    begin("dead-bus");
    STRINGS("status", "disabled");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    ok(fdt_property(tree, "ranges", NULL, 0));
    add_gic_v3();
    end();
    add_timer();
    end_tree();
}

static void buses_aliases_and_disabled_nodes_are_respected(void **state)
{
    struct host_info info;

    (void)state;
    build_soc();
    read_tree(&info);
    assert_int_equal(info.gic.version, 2);
    assert_range(info.gic.gicd, 0xff841000, 0x1000);
    assert_range(info.gic.gicc, 0xff842000, 0x2000);
    assert_range(info.gic.gich, 0xff844000, 0x2000);
    assert_range(info.gic.gicv, 0xff846000, 0x2000);
    assert_range(info.uart.regs, 0xfe202000, 0x200);
    assert_int_equal(info.uart.irq, 32 + 122);
    assert_int_equal(info.cpu_count, 1);
    assert_int_equal(info.cpus[0].hwid, 0x100000001);
    assert_int_equal(info.cpus[0].enable, HOST_CPU_SPIN_TABLE);
    assert_int_equal(info.psci.conduit, HOST_CONDUIT_NONE);
    assert_string_equal(info.bootargs, "");
}

static void a_disabled_uart_is_not_the_console(void **state)
{
    struct host_info info;

    (void)state;
    begin_tree();
    add_uart("pl011@9040000", 0x9040000, 8, true);
    add_uart("pl011@9000000", 0x9000000, 1, false);
    add_memory();
    add_cpus(1);
    add_gic_v3();
    add_timer();
    begin("chosen");
    STRINGS("stdout-path", "/pl011@9040000");
    end();
    end_tree();
    read_tree(&info);
    assert_range(info.uart.regs, 0x9000000, 0x1000);
}

static void without_a_uart_the_rest_is_told(void **state)
{
    struct host_info info;

    (void)state;
    begin_tree();
    add_memory();
    add_cpus(70);
    add_gic_v3();
    add_timer();
    end_tree();
    read_tree(&info);
    assert_int_equal(info.uart.kind, HOST_UART_NONE);
    assert_int_equal(info.cpu_count, HOST_MAX_CPUS);
    assert_int_equal(info.left_out, 6);
    assert_int_equal(info.cpus[63].hwid, 0x100 + 63);
}

static void what_is_missing_is_named(void **state)
{
    struct host_info info;
    const char *why;

    (void)state;
    for (unsigned missing = 0; missing < 4; missing++) {
        static const char *const words[] = { "memory", "CPU", "GIC", "timer" };

        begin_tree();
        if (missing != 0)
            add_memory();
        if (missing != 1)
            add_cpus(1);
        if (missing != 2)
            add_gic_v3();
        if (missing != 3)
            add_timer();
        end_tree();
        assert_int_equal(host_info_from_fdt(tree, &info, &why), ERR_NOT_FOUND);
        assert_non_null(strstr(why, words[missing]));
    }
}

static void more_reserved_ranges_than_fit_are_an_error(void **state)
{
    struct host_info info;
    const char *why;

    (void)state;
    begin_tree();
    begin("reserved-memory");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    for (uint32_t i = 0; i < HOST_MAX_RESERVED; i++) {
        char name[16];

        snprintf(name, sizeof(name), "r@%x", i);
        begin(name);
        CELLS("reg", 0, i << 20, 0, 0x1000);
        end();
    }
    end();
    end_tree();
    assert_int_equal(host_info_from_fdt(tree, &info, &why), ERR_NO_MEMORY);
    assert_non_null(strstr(why, "reserved"));
}

static void what_is_no_tree_is_refused(void **state)
{
    struct host_info info;
    const char *why;

    (void)state;
    assert_int_equal(host_info_from_fdt(NULL, &info, &why), ERR_INVALID_ARGS);
    memset(tree, 0, sizeof(tree));
    assert_int_equal(host_info_from_fdt(tree, &info, &why), ERR_INVALID_ARGS);
    build_virt();
    assert_int_equal(host_info_from_fdt(tree + 4, &info, &why), ERR_INVALID_ARGS);
    fdt_set_totalsize(tree, HOST_FDT_MAX_BYTES + 1);
    assert_int_equal(host_info_from_fdt(tree, &info, &why), ERR_INVALID_ARGS);
    assert_non_null(why);
}

static void nodes_nested_too_deeply_are_refused(void **state)
{
    struct host_info info;
    const char *why;

    (void)state;
    begin_tree();
    for (unsigned i = 0; i < 40; i++)
        begin("deep");
    for (unsigned i = 0; i < 40; i++)
        end();
    end_tree();
    assert_int_equal(host_info_from_fdt(tree, &info, &why), ERR_INVALID_ARGS);
    assert_non_null(strstr(why, "deep"));
}

/* A copy of exactly `bytes` bytes, so that a read behind it is seen. */
static void read_exact(const void *from, size_t bytes)
{
    struct host_info info;
    const char *why;
    void *copy = malloc(bytes);

    assert_non_null(copy);
    memcpy(copy, from, bytes);
    status_t status = host_info_from_fdt(copy, &info, &why);
    assert_true((status == OK) == (why == NULL));
    if (status == OK) /* all that is pointed to can be read */
        assert_true(strlen(info.bootargs) < bytes);
    free(copy);
}

static void a_tree_cut_short_is_no_danger(void **state)
{
    static char cut[TREE_BYTES] __attribute__((aligned(8)));

    (void)state;
    build_virt();
    size_t whole = fdt_totalsize(tree);
    uint32_t structure = fdt_size_dt_struct(tree), names = fdt_size_dt_strings(tree);

    for (size_t bytes = sizeof(struct fdt_header); bytes < whole; bytes++) {
        memcpy(cut, tree, bytes);
        fdt_set_totalsize(cut, (uint32_t)bytes);
        read_exact(cut, bytes);
    }
    for (uint32_t bytes = 0; bytes < structure; bytes++) {
        struct host_info info;
        const char *why;

        memcpy(cut, tree, whole);
        fdt_set_size_dt_struct(cut, bytes);
        assert_int_equal(host_info_from_fdt(cut, &info, &why), ERR_INVALID_ARGS);
    }
    for (uint32_t bytes = 0; bytes < names; bytes++) {
        memcpy(cut, tree, whole);
        fdt_set_size_dt_strings(cut, bytes);
        read_exact(cut, whole);
    }
}

static void random_damage_is_no_danger(void **state)
{
    static char damaged[TREE_BYTES] __attribute__((aligned(8)));

    (void)state;
    srandom(1);
    for (unsigned round = 0; round < 40000; round++) {
        if (round % 20000 == 0)
            round == 0 ? build_virt() : build_soc();
        size_t bytes = fdt_totalsize(tree);

        memcpy(damaged, tree, bytes);
        for (unsigned flips = 1 + (unsigned)random() % 8; flips > 0; flips--) {
            size_t at = (size_t)random() % bytes;
            if (random() % 2)
                damaged[at] = (char)random();
            else
                damaged[at] = (char)(damaged[at] ^ (1 << random() % 8));
        }
        fdt_set_totalsize(damaged, (uint32_t)bytes);
        read_exact(damaged, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_virt_board_is_understood),
        cmocka_unit_test(buses_aliases_and_disabled_nodes_are_respected),
        cmocka_unit_test(a_disabled_uart_is_not_the_console),
        cmocka_unit_test(without_a_uart_the_rest_is_told),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(more_reserved_ranges_than_fit_are_an_error),
        cmocka_unit_test(what_is_no_tree_is_refused),
        cmocka_unit_test(nodes_nested_too_deeply_are_refused),
        cmocka_unit_test(a_tree_cut_short_is_no_danger),
        cmocka_unit_test(random_damage_is_no_danger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
