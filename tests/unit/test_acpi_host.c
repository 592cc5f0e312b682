/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's ACPI tables, as a PC's firmware writes them, and damaged in every way. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "drivers/firmware/acpi.h"
#include "tests/unit/random.h"

#define BASE 0x7fe0000u /* where the tables are, physically */
#define ROOM 0x2000u

#define RSDP (BASE + 3) /* no alignment is promised */
#define ROOT (BASE + 0x101)
#define MADT (BASE + 0x202)
#define FADT (BASE + 0x403)
#define DSDT (BASE + 0x604)

static uint8_t firmware[ROOM];
static uint8_t low_memory[0x100000];

/* The two pieces of memory that there are; a copy, so that the sanitizer sees its ends. */
static uint8_t *copies[64];
static unsigned copy_count;

static const uint8_t *memory(uint64_t base, uint64_t bytes)
{
    const uint8_t *from = NULL;

    if (base >= BASE && base - BASE <= ROOM && bytes <= ROOM - (base - BASE))
        from = firmware + (base - BASE);
    else if (base <= sizeof(low_memory) && bytes <= sizeof(low_memory) - base)
        from = low_memory + base;
    if (from == NULL || copy_count == ARRAY_SIZE(copies))
        return NULL;
    uint8_t *copy = malloc(bytes + (bytes == 0));

    memcpy(copy, from, bytes);
    copies[copy_count++] = copy;
    return copy;
}

static void forget_copies(void)
{
    while (copy_count > 0)
        free(copies[--copy_count]);
}

static void put(uint32_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        firmware[at - BASE + i] = (uint8_t)(value >> (8 * i));
}

static void fix_checksum(uint32_t at, uint32_t bytes, unsigned where)
{
    uint8_t sum = 0;

    put(at + where, 0, 1);
    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + firmware[at - BASE + i]);
    put(at + where, (uint8_t)-sum, 1);
}

static void finish_table(uint32_t at, const char *signature, uint32_t bytes)
{
    memcpy(&firmware[at - BASE], signature, 4);
    put(at + 4, bytes, 4);
    fix_checksum(at, bytes, 9);
}

static const uint8_t madt_entries[] = {
    0,   8,  0, 0,    1,    0,    0,    0,                               /* CPU 0 */
    0,   8,  1, 2,    1,    0,    0,    0,                               /* CPU 2 */
    0,   8,  2, 4,    0,    0,    0,    0,                               /* off */
    0,   8,  3, 0xff, 1,    0,    0,    0,                               /* no id */
    9,   16, 0, 0,    0x34, 0x12, 0,    0,    1,    0, 0, 0, 4, 0, 0, 0, /* x2APIC id 0x1234 */
    1,   12, 0, 0,    0,    0,    0xc0, 0xfe, 0,    0, 0, 0,             /* I/O APIC */
    2,   10, 0, 0,    2,    0,    0,    0,    0,    0,                   /* ISA 0 is input 2 */
    2,   10, 0, 9,    9,    0,    0,    0,    0x0f, 0,                   /* ISA 9: level, low */
    2,   10, 0, 77,   9,    0,    0,    0,    0x0f, 0,                   /* no such ISA interrupt */
    200, 5,  1, 2,    3,                                                 /* nobody knows it */
};
#define MADT_BYTES (44 + (uint32_t)sizeof(madt_entries))

static void make_madt(void)
{
    put(MADT + 36, 0xfee00000, 4);
    put(MADT + 40, 1, 4);
    memcpy(&firmware[MADT + 44 - BASE], madt_entries, sizeof(madt_entries));
    finish_table(MADT, "APIC", MADT_BYTES);
}

static const uint8_t aml[] = { 0x10, 0x08, '_',  'S',  '5',  '_',  0x12,
                               0x06, 0x04, 0x0a, 0x05, 0x01, 0x00, 0x00 };

static void make_fadt(uint32_t bytes)
{
    put(FADT + 40, DSDT, 4);
    put(FADT + 48, 0xb2, 4);
    put(FADT + 52, 0x02, 1);
    put(FADT + 64, 0x604, 4);
    put(FADT + 76, 0x608, 4);
    put(FADT + 112, BIT(10), 4);
    put(FADT + 116, 1, 1); /* reset register: a port */
    put(FADT + 120, 0xcf9, 8);
    put(FADT + 128, 0x0f, 1);
    put(FADT + 208, 1, 1); /* X_PM_TMR_BLK */
    put(FADT + 212, 0x708, 8);
    finish_table(FADT, "FACP", bytes);
    memcpy(&firmware[DSDT + 36 - BASE], aml, sizeof(aml));
    finish_table(DSDT, "DSDT", 36 + sizeof(aml));
}

static void make_rsdp(unsigned revision)
{
    memcpy(&firmware[RSDP - BASE], "RSD PTR ", 8);
    put(RSDP + 15, revision, 1);
    put(RSDP + 16, revision < 2 ? ROOT : 0, 4);
    put(RSDP + 20, 36, 4);
    put(RSDP + 24, revision < 2 ? 0 : ROOT, 8);
    fix_checksum(RSDP, 20, 8);
    put(ROOT + 36, MADT, 8);
    put(ROOT + (revision < 2 ? 40 : 44), FADT, 8);
    finish_table(ROOT, revision < 2 ? "RSDT" : "XSDT", revision < 2 ? 44 : 52);
}

static void make_firmware(unsigned revision)
{
    memset(firmware, 0, sizeof(firmware));
    memset(low_memory, 0, sizeof(low_memory));
    make_madt();
    make_fadt(244);
    make_rsdp(revision);
}

static status_t read_all(struct host_info *out)
{
    const char *why = "";

    memset(out, 0, sizeof(*out));
    status_t status = acpi_read(memory, RSDP, out, &why);

    assert_true(status == OK ? why == NULL : why[0] != '\0');
    forget_copies();
    return status;
}

static void check_all(const struct host_info *info)
{
    const struct host_pc *pc = &info->pc;

    assert_int_equal(info->cpu_count, 3);
    assert_int_equal(info->cpus[1].hwid, 2);
    assert_int_equal(info->cpus[2].hwid, 0x1234);
    assert_int_equal(info->cpus[2].enable, HOST_CPU_STARTUP);
    assert_int_equal(pc->ioapic_count, 1);
    assert_int_equal(pc->ioapics[0].base.raw, 0xfec00000);
    assert_int_equal(pc->lapic.base.raw, 0xfee00000);
    assert_true(pc->has_pics);
    assert_int_equal(pc->isa[0].gsi, 2);
    assert_int_equal(pc->isa[4].gsi, 4);
    assert_false(pc->isa[4].level);
    assert_true(pc->isa[9].level && pc->isa[9].active_low);
    assert_int_equal(pc->pm1a_control, 0x604);
    assert_int_equal(pc->pm1b_control, 0);
    assert_int_equal(pc->reset_port, 0xcf9);
    assert_int_equal(pc->reset_value, 0x0f);
    assert_int_equal(pc->smi_command, 0xb2);
    assert_int_equal(pc->acpi_enable, 0x02);
    assert_true(pc->has_sleep);
    assert_int_equal(pc->sleep_a, 5);
    assert_int_equal(pc->sleep_b, 1);
}

static void tables_of_both_revisions_are_read(void **state)
{
    (void)state;
    for (unsigned revision = 0; revision <= 2; revision += 2) {
        struct host_info info;

        make_firmware(revision);
        assert_int_equal(read_all(&info), OK);
        check_all(&info);
        assert_int_equal(info.pc.pm_timer, 0x708);
    }
}

static void an_old_short_fadt_has_its_old_fields(void **state)
{
    struct host_info info;

    (void)state;
    make_firmware(0);
    make_fadt(116);
    assert_int_equal(read_all(&info), OK);
    assert_int_equal(info.pc.pm_timer, 0x608);
    assert_int_equal(info.pc.reset_port, 0);
    assert_true(info.pc.has_sleep);
}

static void the_rsdp_is_found_in_the_bios_and_in_the_ebda(void **state)
{
    (void)state;
    make_firmware(0);
    assert_int_equal(acpi_find_rsdp(memory), 0);
    memcpy(low_memory + 0xf1230, &firmware[RSDP - BASE], 20);
    assert_int_equal(acpi_find_rsdp(memory), 0xf1230);
    low_memory[0xf1230 + 12] ^= 1; /* the checksum is wrong now */
    assert_int_equal(acpi_find_rsdp(memory), 0);
    low_memory[0x40e] = 0xc0; /* segment 0x9fc0 */
    low_memory[0x40f] = 0x9f;
    memcpy(low_memory + 0x9fc10, &firmware[RSDP - BASE], 20);
    assert_int_equal(acpi_find_rsdp(memory), 0x9fc10);
    forget_copies();
}

static void no_tables_is_an_error_in_words(void **state)
{
    struct host_info info;
    const char *why = "";

    (void)state;
    memset(&info, 0, sizeof(info));
    assert_int_equal(acpi_read(memory, 0, &info, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why, "ACPI"));
    assert_int_equal(acpi_read(memory, UINT64_MAX - 4, &info, &why), ERR_NOT_FOUND);
    make_firmware(2);
    put(MADT + 50, 1, 1); /* without a good checksum it does not count */
    assert_int_equal(acpi_read(memory, RSDP, &info, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why, "MADT"));
    forget_copies();
}

static void entries_that_reach_past_the_madt_end_it(void **state)
{
    struct host_info info;

    (void)state;
    for (uint32_t bytes = 36; bytes <= MADT_BYTES; bytes++) {
        make_firmware(2);
        finish_table(MADT, "APIC", bytes);
        read_all(&info);
        assert_true(info.cpu_count <= 3);
        assert_true((bytes >= MADT_BYTES) <= (info.cpu_count == 3));
    }
    for (unsigned length = 0; length < 256; length++) {
        make_firmware(2);
        put(MADT + 45, length, 1);
        finish_table(MADT, "APIC", MADT_BYTES);
        read_all(&info);
    }
}

static void more_cpus_than_the_table_holds_are_counted(void **state)
{
    struct host_info info;

    (void)state;
    make_firmware(2);
    for (uint32_t i = 0; i < 20; i++)
        memcpy(&firmware[MADT - BASE + MADT_BYTES + 8 * i], (uint8_t[8]){ 0, 8, 1, 9, 1 }, 8);
    /* Twenty more do not fill it; the same twenty four times over would need more room. */
    finish_table(MADT, "APIC", MADT_BYTES + 160);
    assert_int_equal(read_all(&info), OK);
    assert_int_equal(info.cpu_count, 23);
    assert_int_equal(info.left_out, 0);
}

static void flipped_bits_never_lead_out_of_a_table(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct host_info info;

        make_firmware(round % 2 * 2);
        for (unsigned flips = 1 + round % 4; flips > 0; flips--) {
            const uint64_t at = random_next(&seed);

            firmware[at / 8 % 0x700] ^= (uint8_t)(1u << at % 8);
        }
        if (round % 3 != 0) { /* the damage is not found by a checksum */
            fix_checksum(MADT, MADT_BYTES, 9);
            fix_checksum(FADT, 244, 9);
            fix_checksum(DSDT, 36 + sizeof(aml), 9);
            fix_checksum(ROOT, round % 2 != 0 ? 52 : 44, 9);
        }
        read_all(&info);
        assert_true(info.cpu_count <= HOST_MAX_CPUS);
    }
}

static void sleep_types_are_read_in_every_form(void **state)
{
    static const struct {
        uint8_t bytes[16];
        bool found;
        uint8_t a, b;
    } forms[] = {
        { { 8, '_', 'S', '5', '_', 0x12, 7, 4, 0x0a, 7, 0x0a, 6 }, true, 7, 6 },
        { { 8, '\\', '_', 'S', '5', '_', 0x12, 4, 2, 0, 1 }, true, 0, 1 },
        { { 8, '_', 'S', '5', '_', 0x12, 0x40, 0, 2, 0x0a, 5, 0 }, true, 5, 0 },
        { { 8, '_', 'S', '5', '_', 0x12, 3, 1, 0x0a, 3 }, true, 3, 3 },
        { { 9, '_', 'S', '5', '_', 0x12, 4, 2, 0, 1 }, false, 0, 0 },
        { { 8, '_', 'S', '5', '_', 0x13, 4, 2, 0, 1 }, false, 0, 0 },
        { { 8, '_', 'S', '5', '_', 0x12, 4, 0 }, false, 0, 0 },
        { { 8, '_', 'S', '5', '_', 0x12, 4, 2, 0x0a, 9, 0 }, false, 0, 0 },
        { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, '_', 'S', '5', '_', 0x12 }, false, 0, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
        uint8_t a = 0, b = 0;

        assert_int_equal(acpi_find_sleep(forms[i].bytes, 16, &a, &b), forms[i].found);
        if (forms[i].found) {
            assert_int_equal(a, forms[i].a);
            assert_int_equal(b, forms[i].b);
        }
        for (size_t bytes = 0; bytes < 16; bytes++) {
            uint8_t *cut = malloc(bytes + 1);

            memcpy(cut, forms[i].bytes, bytes);
            acpi_find_sleep(cut, bytes, &a, &b);
            free(cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_both_revisions_are_read),
        cmocka_unit_test(an_old_short_fadt_has_its_old_fields),
        cmocka_unit_test(the_rsdp_is_found_in_the_bios_and_in_the_ebda),
        cmocka_unit_test(no_tables_is_an_error_in_words),
        cmocka_unit_test(entries_that_reach_past_the_madt_end_it),
        cmocka_unit_test(more_cpus_than_the_table_holds_are_counted),
        cmocka_unit_test(flipped_bits_never_lead_out_of_a_table),
        cmocka_unit_test(sleep_types_are_read_in_every_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
