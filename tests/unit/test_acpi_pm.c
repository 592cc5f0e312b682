/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI registers, and the ports that reset a PC or end a test. */
#include "vm/devices/acpi_pm.h"

#include "tests/unit/vdev_clock.h"
#include "tests/unit/vdev_record.h"
#include "tests/unit/vdev_test.h"
#include "vm/devices/debug_exit.h"
#include "vm/devices/pc_reset.h"

enum { STS = ACPI_PM_EVENT, EN = ACPI_PM_EVENT + 2, CNT = ACPI_PM_CONTROL, TMR = ACPI_PM_TIMER };
enum { TMR_STS = 1, PWRBTN = 0x100, WAK = 0x8000, SLP_EN = 0x2000 };

#define HALF_TURN (1u << 23)

static struct wire wire;
static struct vdev *dev;
static struct {
    unsigned resets, offs, exits, cpu, value;
} asked;

static void on_reset(void *context)
{
    assert_ptr_equal(context, &asked);
    asked.resets++;
}

static void on_power_off(void *context)
{
    assert_ptr_equal(context, &asked);
    asked.offs++;
}

static void on_debug_exit(void *context, unsigned from, uint8_t value)
{
    assert_ptr_equal(context, &asked);
    asked.exits++;
    asked.cpu = from;
    asked.value = value;
}

static const struct pc_events events = {
    .context = &asked,
    .reset = on_reset,
    .power_off = on_power_off,
    .debug_exit = on_debug_exit,
};

/* To when the PM timer has counted this far since counter 0. */
static void at_tick(uint64_t tick)
{
    clock_to((tick * FAKE_COUNTER_HZ + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ);
}

static int setup(void **unused)
{
    (void)unused;
    clock_start();
    wire = (struct wire){ 0 };
    memset(&asked, 0, sizeof(asked));
    at_tick(0);
    return acpi_pm_create(&dev, wire_line(&wire), &events) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    assert_no_timer();
    return 0;
}

static void the_timer_counts_24_bits(void **unused)
{
    (void)unused;
    assert_int_equal(dev_read(dev, TMR, 4), 0);
    at_tick(ACPI_PM_TIMER_HZ);
    assert_int_equal(dev_read(dev, TMR, 4), ACPI_PM_TIMER_HZ);
    assert_int_equal(dev_read(dev, TMR, 2), ACPI_PM_TIMER_HZ & 0xffff);
    assert_int_equal(dev_read(dev, TMR + 1, 1), ACPI_PM_TIMER_HZ >> 8 & 0xff);
    at_tick(2 * HALF_TURN + 5);
    assert_int_equal(dev_read(dev, TMR, 4), 5);
    dev_write(dev, TMR, 4, 99);
    assert_int_equal(dev_read(dev, TMR, 4), 5);
}

static void its_highest_bit_sets_the_status_and_interrupts_when_asked_for(void **unused)
{
    (void)unused;
    at_tick(HALF_TURN - 1);
    assert_int_equal(dev_read(dev, STS, 2), 0);
    at_tick(HALF_TURN);
    assert_int_equal(dev_read(dev, STS, 2), TMR_STS);
    assert_false(wire.level);
    dev_write(dev, STS, 2, TMR_STS);
    assert_int_equal(dev_read(dev, STS, 2), 0);
    dev_write(dev, EN, 2, TMR_STS);
    at_tick(2 * HALF_TURN - 1);
    assert_false(wire.level);
    at_tick(2 * HALF_TURN);
    assert_true(wire.level);
    dev_write(dev, STS, 2, TMR_STS);
    assert_false(wire.level);
    at_tick(3 * HALF_TURN);
    assert_true(wire.level);
    dev_write(dev, EN, 2, 0);
    assert_false(wire.level);
    assert_no_timer();
}

static void the_power_button_interrupts_until_its_status_is_cleared(void **unused)
{
    (void)unused;
    acpi_pm_press_power(dev);
    assert_false(wire.level);
    assert_int_equal(dev_read(dev, STS, 4), PWRBTN);
    dev_write(dev, EN, 2, PWRBTN);
    assert_true(wire.level);
    dev_write(dev, STS, 2, TMR_STS);
    assert_true(wire.level);
    dev_write(dev, STS + 1, 1, PWRBTN >> 8); /* byte by byte, as ACPI allows */
    assert_false(wire.level);
    assert_int_equal(dev_read(dev, STS, 4), (uint32_t)PWRBTN << 16);
    acpi_pm_press_power(dev);
    assert_true(wire.level);
}

static void s5_powers_off_and_nothing_else_does(void **unused)
{
    (void)unused;
    assert_int_equal(dev_read(dev, CNT, 2), 1); /* ACPI mode, always */
    dev_write(dev, CNT, 2, ACPI_PM_S5 << 10);
    assert_int_equal(asked.offs, 0);
    assert_int_equal(dev_read(dev, CNT, 2), 1 | ACPI_PM_S5 << 10);
    dev_write(dev, CNT, 2, 3 << 10 | SLP_EN);
    assert_int_equal(asked.offs, 0);
    assert_int_equal(dev_read(dev, STS, 2), WAK);
    dev_write(dev, CNT, 2, ACPI_PM_S5 << 10 | SLP_EN);
    assert_int_equal(asked.offs, 1);
    assert_int_equal(dev_read(dev, CNT, 2), 1 | ACPI_PM_S5 << 10);
}

static void the_timer_goes_on_after_a_restore(void **unused)
{
    uint8_t record[64];
    size_t bytes;

    (void)unused;
    at_tick(HALF_TURN + 1000);
    dev_write(dev, EN, 2, TMR_STS);
    dev_write(dev, STS, 2, TMR_STS);
    bytes = vdev_save(dev, record, sizeof(record));
    at_tick(3 * HALF_TURN);
    assert_int_equal(vdev_restore(dev, record, bytes), OK);
    assert_false(wire.level);
    assert_in_range(dev_read(dev, TMR, 4), HALF_TURN + 999, HALF_TURN + 1001);
    at_tick(4 * HALF_TURN);
    assert_true(wire.level);

    record[8] = 0xff; /* more turns than it can have made */
    assert_int_equal(vdev_restore(dev, record, bytes), ERR_INVALID_ARGS);
}

static void accesses_anywhere_are_harmless(void **unused)
{
    (void)unused;
    for (uint64_t offset = 0; offset < 20; offset++)
        for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2)) {
            dev_read(dev, offset, size);
            dev_write(dev, offset, size, UINT64_MAX);
        }
    assert_int_equal(dev_read(dev, ACPI_PM_PORTS, 4), 0);
    assert_int_equal(dev_read(dev, EN, 2), 0x0721);
}

static void the_reset_port_resets_when_its_bit_rises(void **unused)
{
    struct vdev *ports;

    (void)unused;
    assert_int_equal(pc_reset_create(&ports, &events), OK);
    range_write(ports, PC_RESET_RANGE_CONTROL, 0, 1, 0x02);
    assert_int_equal(asked.resets, 0);
    assert_int_equal(range_read(ports, PC_RESET_RANGE_CONTROL, 0, 1), 0x02);
    range_write(ports, PC_RESET_RANGE_CONTROL, 0, 1, 0x06);
    assert_int_equal(asked.resets, 1);
    range_write(ports, PC_RESET_RANGE_CONTROL, 0, 1, 0x06);
    assert_int_equal(asked.resets, 1);
    assert_int_equal(range_read(ports, PC_RESET_RANGE_PORT92, 0, 1), 0x02); /* A20 is on */
    range_write(ports, PC_RESET_RANGE_PORT92, 0, 1, 0x00);
    assert_int_equal(range_read(ports, PC_RESET_RANGE_PORT92, 0, 1), 0x00);
    range_write(ports, PC_RESET_RANGE_PORT92, 0, 1, 0x03);
    assert_int_equal(asked.resets, 2);
    range_write(ports, 2, 0, 1, 0xff);
    assert_int_equal(range_read(ports, 2, 0, 1), 0);
    assert_int_equal(asked.resets, 2);
    ports->ops->destroy(ports);
}

static void the_debug_exit_passes_the_byte_on(void **unused)
{
    struct vdev *port;

    (void)unused;
    assert_int_equal(debug_exit_create(&port, &events), OK);
    assert_int_equal(dev_read(port, 0, 1), 0);
    assert_int_equal(asked.exits, 0);
    vdev_write(port, (struct vdev_access){ .size = 1, .cpu = 3 }, 0x42);
    assert_int_equal(asked.exits, 1);
    assert_int_equal(asked.cpu, 3);
    assert_int_equal(asked.value, 0x42);
    port->ops->destroy(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_timer_counts_24_bits),
        TEST(its_highest_bit_sets_the_status_and_interrupts_when_asked_for),
        TEST(the_power_button_interrupts_until_its_status_is_cleared),
        TEST(s5_powers_off_and_nothing_else_does),
        TEST(the_timer_goes_on_after_a_restore),
        TEST(accesses_anywhere_are_harmless),
        TEST(the_reset_port_resets_when_its_bit_rises),
        TEST(the_debug_exit_passes_the_byte_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
