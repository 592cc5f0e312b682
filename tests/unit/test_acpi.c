/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables of a machine pc: each is found from the RSDP, has its checksum, and says what
 * the machine has; and ACPI's own compiler reads all of it, definition block included.
 */

#define _GNU_SOURCE /* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/devices/acpi_pm.h"
#include "vm/firmware/acpi.h"
#include "vm/firmware/acpi_aml.h"
#include "vm/firmware/e820.h"
#include "vm/machine/machine_pc.h"

#define CPUS 3

static uint8_t tables[PC_ACPI_ROOM];
static size_t used;

static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, at, bytes);
    return value;
}

static uint8_t sum(const uint8_t *at, size_t bytes)
{
    uint8_t total = 0;

    while (bytes-- > 0)
        total = (uint8_t)(total + *at++);
    return total;
}

/* A table at a guest's address, which must be inside. */
static const uint8_t *at_address(uint64_t address, size_t bytes)
{
    assert_in_range(address, PC_ACPI_BASE, PC_ACPI_BASE + used);
    assert_true(address - PC_ACPI_BASE + bytes <= used);
    return tables + (address - PC_ACPI_BASE);
}

static const uint8_t *table_at(uint64_t address, const char *signature)
{
    const uint8_t *table = at_address(address, 36);
    const size_t bytes = (size_t)number(table + 4, 4);

    assert_memory_equal(table, signature, 4);
    (void)at_address(address, bytes);
    assert_int_equal(sum(table, bytes), 0);
    return table;
}

/* By the XSDT; the RSDT must say the same. */
static const uint8_t *find(const char *signature)
{
    const uint8_t *xsdt = table_at(number(tables + 24, 8), "XSDT");
    const uint8_t *rsdt = table_at(number(tables + 16, 4), "RSDT");
    const size_t count = ((size_t)number(xsdt + 4, 4) - 36) / 8;

    assert_int_equal(number(rsdt + 4, 4), 36 + 4 * count);
    for (size_t i = 0; i < count; i++) {
        const uint64_t address = number(xsdt + 36 + 8 * i, 8);

        assert_int_equal(number(rsdt + 36 + 4 * i, 4), address);
        if (memcmp(at_address(address, 4), signature, 4) == 0)
            return table_at(address, signature);
    }
    fail_msg("no %s", signature);
    return NULL;
}

static int generate(void **state)
{
    (void)state;
    memset(tables, 0xaa, sizeof(tables));
    return acpi_generate(CPUS, tables, sizeof(tables), &used) == OK ? 0 : -1;
}

static void the_rsdp_has_both_checksums_and_is_where_bioses_have_it(void **state)
{
    (void)state;
    assert_memory_equal(tables, "RSD PTR ", 8);
    assert_int_equal(sum(tables, 20), 0);
    assert_int_equal(sum(tables, 36), 0);
    assert_int_equal(PC_ACPI_BASE % 16, 0);
    assert_in_range(PC_ACPI_BASE, 0xe0000, 0xfffff);
    assert_true(PC_ACPI_BASE + PC_ACPI_ROOM <= PC_ROM_END);
}

static void the_fadt_describes_power_management_and_reset(void **state)
{
    const uint8_t *fadt = find("FACP");

    (void)state;
    assert_int_equal(number(fadt + 4, 4), 276);
    assert_int_equal(number(fadt + 46, 2), PC_SCI_IRQ);
    assert_int_equal(number(fadt + 56, 4), PC_PM_PORT);
    assert_int_equal(number(fadt + 64, 4), PC_PM_PORT + ACPI_PM_CONTROL);
    assert_int_equal(number(fadt + 76, 4), PC_PM_PORT + ACPI_PM_TIMER);
    assert_int_equal(number(fadt + 120, 8), PC_RESET_PORT);
    assert_int_equal(fadt[128], PC_RESET_VALUE);
    assert_true(number(fadt + 112, 4) & 1 << 10);  /* there is a reset register */
    assert_false(number(fadt + 112, 4) & 1 << 20); /* not reduced hardware */
    assert_int_equal(number(fadt + 140, 8), number(fadt + 40, 4));
    (void)table_at(number(fadt + 40, 4), "DSDT");
    assert_memory_equal(at_address(number(fadt + 36, 4), 64), "FACS", 4);
    assert_int_equal(number(fadt + 36, 4) % 64, 0);
}

static void the_madt_has_every_cpu_the_ioapic_and_the_overrides(void **state)
{
    const uint8_t *madt = find("APIC");
    unsigned cpus = 0, ioapics = 0, overrides = 0;

    (void)state;
    assert_int_equal(number(madt + 36, 4), PC_LAPIC_BASE);
    for (size_t at = 44; at < number(madt + 4, 4); at += madt[at + 1]) {
        assert_in_range(madt[at + 1], 2, 16);
        if (madt[at] == 0) {
            assert_int_equal(madt[at + 3], cpus++);
            assert_int_equal(madt[at + 4], 1);
        } else if (madt[at] == 1) {
            ioapics++;
            assert_int_equal(number(madt + at + 4, 4), PC_IOAPIC_BASE);
            assert_int_equal(number(madt + at + 8, 4), 0);
        } else if (madt[at] == 2) {
            overrides++;
            assert_int_equal(number(madt + at + 4, 4), madt[at + 3] == 0 ? 2 : PC_SCI_IRQ);
            assert_int_equal(number(madt + at + 8, 2), madt[at + 3] == 0 ? 0 : 0xd);
        }
    }
    assert_int_equal(cpus, CPUS);
    assert_int_equal(ioapics, 1);
    assert_int_equal(overrides, 2);
}

static void the_mcfg_says_where_bus_0_is_configured(void **state)
{
    const uint8_t *mcfg = find("MCFG");

    (void)state;
    assert_int_equal(number(mcfg + 44, 8), PC_ECAM_BASE);
    assert_int_equal(mcfg[54], 0);
    assert_int_equal(mcfg[55], 0);
}

static void too_little_room_is_refused_without_a_byte_beyond(void **state)
{
    (void)state;
    for (size_t room = 0; room < used; room += 1 + room / 16) {
        uint8_t *exact = malloc(room + 1);
        size_t bytes;

        assert_non_null(exact);
        exact[room] = 0x55;
        assert_int_equal(acpi_generate(CPUS, exact, room, &bytes), ERR_NO_MEMORY);
        assert_int_equal(exact[room], 0x55);
        free(exact);
    }
}

static void the_most_cpus_fit(void **state)
{
    (void)state;
    assert_int_equal(acpi_generate(VM_MAX_VCPUS, tables, sizeof(tables), &used), OK);
    assert_true(used < sizeof(tables) / 2);
}

static void integers_are_as_short_as_they_can_be(void **state)
{
    static const struct {
        uint64_t value;
        size_t bytes;
    } integers[] = {
        { 0, 1 }, { 1, 1 }, { 2, 2 }, { 255, 2 }, { 256, 3 }, { 65536, 5 }, { UINT64_MAX, 9 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        uint8_t bytes[16];
        struct aml out = { .bytes = bytes, .room = sizeof(bytes) };

        aml_integer(&out, integers[i].value);
        assert_int_equal(out.used, integers[i].bytes);
    }
}

/* --- ACPI's own compiler --- */

static void write_table(const char *folder, const char *name, const uint8_t *table)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.dat", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(table, (size_t)number(table + 4, 4), 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

/* Disassembles each, and compiles the definition block again: without a complaint. */
static void the_acpi_compiler_reads_every_table_without_complaint(void **state)
{
    char folder[] = "/tmp/socle-test-acpi-XXXXXX", command[1024];
    const uint8_t *fadt = find("FACP");

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_table(folder, "dsdt", table_at(number(fadt + 40, 4), "DSDT"));
    write_table(folder, "facp", fadt);
    write_table(folder, "apic", find("APIC"));
    write_table(folder, "mcfg", find("MCFG"));
    write_table(folder, "xsdt", table_at(number(tables + 24, 8), "XSDT"));
    (void)snprintf(command, sizeof(command),
                   "cd %s && for t in dsdt facp apic mcfg xsdt; do iasl -d $t.dat || exit; done "
                   ">log 2>&1 && ! grep -iE 'error|warning|invalid|incorrect' log *.dsl && "
                   "iasl -p again dsdt.dsl >log 2>&1 && grep -q ' 0 Errors, 0 Warnings' log || "
                   "{ cat log; exit 1; }",
                   folder);
    assert_int_equal(system(command), 0);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* --- the memory map --- */

static void assert_map(const struct vm_config *config, const struct e820_entry *expected,
                       unsigned count)
{
    struct e820_entry map[E820_MAX];

    assert_int_equal(e820_make(config, map), count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(map[i].base, expected[i].base);
        assert_int_equal(map[i].size, expected[i].size);
        assert_int_equal(map[i].type, expected[i].type);
    }
}

static void the_map_of_a_pc_keeps_what_is_its_own(void **state)
{
    const struct vm_config config = {
        .machine = "pc",
        .ram_count = 3,
        .ram = { { gpa(0), 0xa0000 }, { gpa(0xc0000), 0x7f40000 }, { gpa(1ull << 32), 0x1000 } },
    };
    const struct e820_entry expected[] = {
        { 0, 0xa0000, E820_RAM },          { 0xc0000, 0x40000, E820_RESERVED },
        { 0x100000, 0x7f00000, E820_RAM }, { PC_ECAM_BASE, PC_ECAM_BYTES, E820_RESERVED },
        { 1ull << 32, 0x1000, E820_RAM },
    };

    (void)state;
    assert_map(&config, expected, 5);
}

static void regions_in_any_order_come_out_sorted_and_cut(void **state)
{
    const struct vm_config config = {
        .machine = "pc",
        .ram_count = 2,
        .ram = { { gpa(1ull << 32), 0x1000 }, { gpa(0), 0xb8000000 } },
    };
    const struct e820_entry expected[] = {
        { 0, 0xc0000, E820_RAM },
        { 0xc0000, 0x40000, E820_RESERVED },
        { 0x100000, 0xaff00000, E820_RAM },
        { PC_ECAM_BASE, PC_ECAM_BYTES, E820_RESERVED },
        { 0xb0100000, 0x7f00000, E820_RAM },
        { 1ull << 32, 0x1000, E820_RAM },
    };

    (void)state;
    assert_map(&config, expected, 6);
}

static void the_map_of_a_bare_machine_is_its_ram(void **state)
{
    const struct vm_config config = {
        .machine = "bare",
        .ram_count = 1,
        .ram = { { gpa(0), 0x1000000 } },
    };
    const struct e820_entry expected[] = { { 0, 0x1000000, E820_RAM } };

    (void)state;
    assert_map(&config, expected, 1);
}

static void the_largest_map_fits(void **state)
{
    struct vm_config config = { .machine = "pc", .ram_count = VM_MAX_REGIONS };
    struct e820_entry map[E820_MAX];

    (void)state;
    config.ram[0] = (struct vm_config_ram){ gpa(0), 0xf0000000 };
    for (unsigned i = 1; i < VM_MAX_REGIONS; i++)
        config.ram[i] = (struct vm_config_ram){ gpa((uint64_t)i << 32), 0x1000 };
    assert_int_equal(e820_make(&config, map), E820_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_rsdp_has_both_checksums_and_is_where_bioses_have_it, generate),
        cmocka_unit_test_setup(the_fadt_describes_power_management_and_reset, generate),
        cmocka_unit_test_setup(the_madt_has_every_cpu_the_ioapic_and_the_overrides, generate),
        cmocka_unit_test_setup(the_mcfg_says_where_bus_0_is_configured, generate),
        cmocka_unit_test_setup(too_little_room_is_refused_without_a_byte_beyond, generate),
        cmocka_unit_test_setup(the_most_cpus_fit, generate),
        cmocka_unit_test(integers_are_as_short_as_they_can_be),
        cmocka_unit_test_setup(the_acpi_compiler_reads_every_table_without_complaint, generate),
        cmocka_unit_test(the_map_of_a_pc_keeps_what_is_its_own),
        cmocka_unit_test(regions_in_any_order_come_out_sorted_and_cut),
        cmocka_unit_test(the_map_of_a_bare_machine_is_its_ram),
        cmocka_unit_test(the_largest_map_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
