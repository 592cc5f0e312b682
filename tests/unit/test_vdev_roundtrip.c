/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every device model promises, whichever it is: any access at any place and width is
 * survived; restore(save(x)) == x; and a record that save has not written is refused or
 * harmless.
 */
#include "tests/unit/fake_arena.h"
#include "tests/unit/fake_ram_disk.h"
#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_record.h"
#include "tests/unit/vdev_test.h"
#include "vm/devices/acpi_pm.h"
#include "vm/devices/cmos.h"
#include "vm/devices/debug_console.h"
#include "vm/devices/debug_exit.h"
#include "vm/devices/flash.h"
#include "vm/devices/fw_cfg.h"
#include "vm/devices/i8042.h"
#include "vm/devices/ide.h"
#include "vm/devices/pc_reset.h"
#include "vm/devices/pci_host.h"
#include "vm/devices/pl011.h"
#include "vm/devices/pl031.h"
#include "vm/devices/pl061.h"
#include "vm/devices/uart16550.h"
#include "vm/devices/vga_text.h"

#define ROUNDS 300
#define ACCESSES 200
#define RECORD_BYTES 34000

static struct console console;
static vmo_t memory;
static struct ram_disk disk = { .sectors = 3000 };
static uint64_t random_state;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void swallow(const char *text, unsigned length)
{
    (void)text;
    (void)length;
}

static void line_set(void *controller, uint32_t irq, bool level)
{
    (void)controller;
    (void)irq;
    (void)level;
}

static const struct irq_line line = { .set = line_set };

static status_t guest_read(void *context, gpa_t from, void *to, size_t bytes)
{
    (void)context;
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)random64();
    return from.raw % 3 == 0 ? ERR_NOT_FOUND : OK;
}

static status_t guest_write(void *context, gpa_t to, const void *from, size_t bytes)
{
    (void)context;
    (void)from;
    return bytes > 1 << 20 || to.raw % 3 == 0 ? ERR_NOT_FOUND : OK;
}

static status_t make_debug_console(struct vdev **out)
{
    return debug_console_create(out, &console);
}

static status_t make_pl011(struct vdev **out)
{
    return pl011_create(out, &console, line);
}

static status_t make_pl031(struct vdev **out)
{
    return pl031_create(out, 1700000000, line);
}

static status_t make_pl061(struct vdev **out)
{
    return pl061_create(out, line);
}

static status_t make_flash(struct vdev **out)
{
    return flash_create(out, &memory, 2 * FLASH_SECTOR_BYTES, NULL);
}

static status_t make_fw_cfg(struct vdev **out)
{
    static const struct fw_cfg_memory guest = { .read = guest_read, .write = guest_write };
    static const uint8_t data[300];
    status_t status = fw_cfg_create(out, &guest);

    return status == OK ? fw_cfg_add_file(*out, "etc/data", data, sizeof(data)) : status;
}

static void asked(void *context)
{
    (void)context;
}

static void asked_for_exit(void *context, unsigned from, uint8_t value)
{
    (void)context;
    (void)from;
    (void)value;
}

static const struct pc_events events = { .reset = asked,
                                         .power_off = asked,
                                         .debug_exit = asked_for_exit };

static status_t make_uart16550(struct vdev **out)
{
    return uart16550_create(out, &console, true, line);
}

static status_t make_i8042(struct vdev **out)
{
    return i8042_create(out, &console, line, &events);
}

static status_t make_cmos(struct vdev **out)
{
    static const struct cmos_config config = { .now = 1700000000, .memory = 1 << 28, .cpus = 1 };

    return cmos_create(out, &config, line);
}

static status_t make_ide(struct vdev **out)
{
    return ide_create(out, &disk, line);
}

static status_t make_vga_text(struct vdev **out)
{
    return vga_text_create(out, &console);
}

static status_t make_pci_host(struct vdev **out)
{
    return pci_host_create(out, gpa(0xb0000000));
}

static status_t make_acpi_pm(struct vdev **out)
{
    return acpi_pm_create(out, line, &events);
}

static status_t make_pc_reset(struct vdev **out)
{
    return pc_reset_create(out, &events);
}

static status_t make_debug_exit(struct vdev **out)
{
    return debug_exit_create(out, &events);
}

static const struct model {
    status_t (*make)(struct vdev **out);
    uint64_t bytes; /* of its largest range */
    uint8_t ranges;
    bool ports;       /* registers are bytes, close together */
    bool has_battery; /* a reset is not the beginning: its own test says what it is */
} models[] = {
    { make_debug_console, DEBUG_CONSOLE_BYTES, 1, false, false },
    { make_pl011, 0x1000, 1, false, false },
    { make_pl031, 0x1000, 1, false, true },
    { make_pl061, 0x1000, 1, false, false },
    { make_flash, 2 * FLASH_SECTOR_BYTES, 1, false, false },
    { make_fw_cfg, FW_CFG_BYTES, 1, false, false },
    { make_uart16550, UART16550_PORTS, 1, true, false },
    { make_i8042, 1, 2, true, false },
    { make_cmos, CMOS_PORTS, 1, true, true },
    { make_ide, IDE_COMMAND_PORTS, 2, true, false },
    { make_vga_text, VGA_TEXT_MEMORY_BYTES, 2, true, false },
    { make_pci_host, PCI_HOST_ECAM_BYTES, 3, false, false },
    { make_acpi_pm, ACPI_PM_PORTS, 1, true, false },
    { make_pc_reset, 1, 2, true, false },
    { make_debug_exit, 1, 1, true, false },
};

#define EACH_MODEL(m) \
    for (const struct model *m = models; m < models + sizeof(models) / sizeof(models[0]); m++)

static void pass_time(uint64_t ticks)
{
    clock_to(arch_counter() + ticks);
}

static struct vdev_access random_access(const struct model *model, uint64_t chance)
{
    static const uint64_t places[] = { 0x20, 0x50, 0x430, 0x1000 };
    const uint64_t limit = chance % 16 == 0 ? model->bytes + 64 : places[chance % 4];
    struct vdev_access access = {
        .offset = random64() % (limit < model->bytes ? limit : model->bytes + 8),
        .size = (uint8_t)(1u << (random64() % 4)),
        .range = (uint8_t)(random64() % (model->ranges + 1u)),
    };

    if (model->ports && chance >> 62 != 0)
        access.size = 1;
    else if (!model->ports && chance >> 60 != 0)
        access.offset &= ~3ull;
    return access;
}

/* Mostly registers, sometimes anywhere; mostly small values, as commands are. */
static void drive(struct vdev *dev, const struct model *model)
{
    static const uint8_t commands[] = { 0x40, 0xe8, 0xd0, 0x20, 0x60, 0x98, 0x90, 0x70,
                                        0x30, 0xc4, 0xc5, 0xec, 0xed, 0xf0, 0xd1, 0xd4 };

    for (unsigned i = 0; i < ACCESSES; i++) {
        uint64_t chance = random64();
        struct vdev_access access = random_access(model, chance);
        uint64_t value = random64() >> (random64() % 64);

        if (chance >> 62 == 0 || (model->ports && chance >> 63 == 0))
            value = commands[random64() % sizeof(commands)];
        if (chance >> 32 & 1)
            vdev_write(dev, access, value);
        else
            vdev_read(dev, access);
        if ((chance >> 33) % 32 == 0)
            typed("typed");
        if ((chance >> 38) % 32 == 0)
            pass_time(random64() % FAKE_COUNTER_HZ);
    }
}

static void drain_console(void)
{
    uint8_t byte;

    while (console_get(&console, &byte))
        ;
}

static void restore_of_save_is_the_same_for_every_model(void **unused)
{
    static uint8_t first[RECORD_BYTES], second[RECORD_BYTES];
    struct vdev *dev, *fresh;

    (void)unused;
    EACH_MODEL(model)
    {
        for (unsigned round = 0; round < ROUNDS; round++) {
            assert_int_equal(model->make(&dev), OK);
            drive(dev, model);
            size_t bytes = vdev_save(dev, first, RECORD_BYTES);
            drain_console();
            assert_int_equal(model->make(&fresh), OK);
            assert_int_equal(vdev_restore(fresh, first, bytes), OK);
            assert_int_equal(vdev_save(fresh, second, RECORD_BYTES), bytes);
            assert_memory_equal(first, second, bytes);
            drive(fresh, model); /* and it works on */
            fresh->ops->destroy(fresh);
            dev->ops->destroy(dev);
        }
    }
}

static void a_truncated_or_longer_record_is_refused(void **unused)
{
    static uint8_t record[RECORD_BYTES];
    struct vdev *dev;

    (void)unused;
    EACH_MODEL(model)
    {
        assert_int_equal(model->make(&dev), OK);
        drive(dev, model);
        size_t bytes = vdev_save(dev, record, RECORD_BYTES);

        for (size_t n = 0; n < bytes; n++)
            assert_int_equal(vdev_restore(dev, record, n), ERR_INVALID_ARGS);
        assert_int_equal(vdev_restore(dev, record, bytes + 1), ERR_INVALID_ARGS);
        assert_int_equal(vdev_restore(dev, record, bytes), OK);
        dev->ops->destroy(dev);
    }
}

static void a_damaged_record_is_refused_or_harmless(void **unused)
{
    static uint8_t record[RECORD_BYTES], again[RECORD_BYTES];
    struct vdev *dev;

    (void)unused;
    EACH_MODEL(model)
    {
        for (unsigned round = 0; round < ROUNDS; round++) {
            assert_int_equal(model->make(&dev), OK);
            drive(dev, model);
            size_t bytes = vdev_save(dev, record, RECORD_BYTES);

            for (unsigned n = 0; bytes > 0 && n < 1 + round % 4; n++)
                record[random64() % bytes] = (uint8_t)random64();
            drain_console();
            if (vdev_restore(dev, record, bytes) == OK) {
                assert_int_equal(vdev_save(dev, again, RECORD_BYTES), bytes);
                assert_memory_equal(record, again, bytes);
            }
            drive(dev, model);
            dev->ops->destroy(dev);
        }
    }
}

static void a_random_record_is_refused_or_harmless(void **unused)
{
    static uint8_t record[RECORD_BYTES];
    struct vdev *dev;

    (void)unused;
    EACH_MODEL(model)
    {
        assert_int_equal(model->make(&dev), OK);
        const size_t right = vdev_save(dev, record, RECORD_BYTES);

        for (unsigned round = 0; round < 10 * ROUNDS; round++) {
            const size_t bytes = round % 2 == 0 ? right : random64() % 512;

            for (size_t i = 0; i < bytes; i++)
                record[i] = (uint8_t)random64();
            vdev_restore(dev, record, bytes);
            vdev_read(dev, random_access(model, random64()));
        }
        drive(dev, model);
        dev->ops->destroy(dev);
    }
}

static void reset_gives_what_a_new_one_has(void **unused)
{
    static uint8_t first[RECORD_BYTES], second[RECORD_BYTES];
    struct vdev *dev;

    (void)unused;
    EACH_MODEL(model)
    {
        if (model->has_battery)
            continue;
        drain_console();
        assert_int_equal(model->make(&dev), OK);
        size_t bytes = vdev_save(dev, first, RECORD_BYTES);

        drive(dev, model);
        drain_console();
        dev->ops->reset(dev);
        assert_int_equal(vdev_save(dev, second, RECORD_BYTES), bytes);
        assert_memory_equal(first, second, bytes);
        dev->ops->destroy(dev);
    }
}

static int setup(void **state)
{
    random_state = 0x5eed5eed5eed5eed;
    clock_start();
    fake_counter_set(1000);
    console_init(swallow);
    if (make_arena(state) != 0 || vmo_init(&memory, FLASH_SECTOR_BYTES) != OK)
        return -1;
    return console_attach(&console, "vm") == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    console_detach(&console);
    vmo_destroy(&memory);
    return pmm_free_count() == FAKE_ARENA_PAGES ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restore_of_save_is_the_same_for_every_model),
        cmocka_unit_test(a_truncated_or_longer_record_is_refused),
        cmocka_unit_test(a_damaged_record_is_refused_or_harmless),
        cmocka_unit_test(a_random_record_is_refused_or_harmless),
        cmocka_unit_test(reset_gives_what_a_new_one_has),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
