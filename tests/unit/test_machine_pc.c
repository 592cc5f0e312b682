/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines of x86: what stands where in memory and port space, over models of the VM's core
 * that only note what is attached; ACPI tables at each start; and no memory left behind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/rtc/rtc.h"
#include "kernel/pmm.h"
#include "tests/unit/captured_log.h"
#include "tests/unit/fake_arena.h"
#include "tests/unit/starve.h"
#include "vm/devices/acpi_pm.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine/machine.h"
#include "vm/machine/machine_pc.h"
#include "vm/pio.h"
#include "vm/ram_disk.h"
#include "vm/vm.h"

#define MAX_SEEN 32

uint32_t rtc_now(void)
{
    return 0;
}

static struct vm vm;
static struct region seen[MAX_SEEN];
static unsigned seen_count;
static struct pio_range ports[MAX_SEEN];
static unsigned port_count;
static uint8_t rom[PC_ROM_END - PC_ROM_BASE];
static uint32_t levels; /* of interrupt lines */
static enum vm_end ended;
static const char *crashed;

/* --- the VM's core --- */

status_t virqchip_create(struct vm *of)
{
    assert_ptr_equal(of, &vm);
    return OK;
}

static void set_line(void *controller, uint32_t irq, bool level)
{
    (void)controller;
    levels = level ? levels | 1u << irq : levels & ~(1u << irq);
}

struct irq_line virqchip_line(struct vm *of, uint32_t irq)
{
    return (struct irq_line){ .set = set_line, .controller = of, .irq = irq };
}

static void own(struct vdev *dev)
{
    for (struct vdev *at = vm.devices; at != NULL; at = at->next)
        if (at == dev)
            return;
    dev->next = vm.devices;
    vm.devices = dev;
}

status_t vm_attach_device(struct vm *of, struct vdev *dev, gpa_t base, uint64_t size)
{
    assert_ptr_equal(of, &vm);
    own(dev);
    for (unsigned i = 0; i < seen_count; i++)
        if (base.raw < seen[i].base.raw + seen[i].size && seen[i].base.raw < base.raw + size)
            return ERR_ALREADY_EXISTS;
    assert_true(seen_count < MAX_SEEN);
    seen[seen_count++] = (struct region){ .base = base, .size = size, .dev = dev };
    return OK;
}

status_t vm_attach_ports(struct vm *of, struct vdev *dev, uint16_t first, uint16_t count)
{
    assert_ptr_equal(of, &vm);
    own(dev);
    for (unsigned i = 0; i < port_count; i++)
        if (first < ports[i].first + ports[i].count && ports[i].first < first + count)
            return ERR_ALREADY_EXISTS;
    assert_true(port_count < MAX_SEEN);
    ports[port_count++] = (struct pio_range){ .first = first, .count = count, .dev = dev };
    return OK;
}

struct vdev *vm_devices(struct vm *of)
{
    return of->devices;
}

status_t vm_write_guest(struct vm *of, gpa_t to, const void *from, size_t bytes)
{
    (void)of;
    assert_in_range(to.raw, PC_ROM_BASE, PC_ROM_END);
    assert_true(to.raw + bytes <= PC_ROM_END);
    memcpy(rom + (to.raw - PC_ROM_BASE), from, bytes);
    return OK;
}

status_t vm_image_load_region(struct vm *of, gpa_t to, const struct blob *image, size_t span)
{
    (void)of, (void)to, (void)image, (void)span;
    return OK;
}

void vm_end_by_guest(struct vm *of, enum vm_end end)
{
    assert_ptr_equal(of, &vm);
    ended = end;
}

void vcpu_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what)
{
    (void)vcpu, (void)exit;
    crashed = what;
}

/* --- making and unmaking --- */

static int set_up(void **state)
{
    static struct vcpu vcpus[2];

    (void)state;
    memset(&vm, 0, sizeof(vm));
    memset(rom, 0, sizeof(rom));
    seen_count = 0;
    port_count = 0;
    levels = 0;
    ended = VM_END_NONE;
    crashed = NULL;
    logged[0] = '\0';
    vm_config_init(&vm.config);
    strcpy(vm.config.name, "guest");
    vm.config.cpus = 2;
    vm.vcpus = vcpus;
    vm.config.kernel = (struct blob){ "kernel", 7 };
    return console_attach(&vm.console, "guest") == OK ? 0 : -1;
}

static status_t defaults(const char *name)
{
    strcpy(vm.config.machine, name);
    vm.machine = machine_find(name);
    assert_non_null(vm.machine);
    return vm.machine->defaults(&vm.config);
}

static status_t build(const char *name)
{
    return defaults(name) == OK ? vm.machine->build(&vm) : ERR_INVALID_ARGS;
}

static void unmake(void)
{
    while (vm.devices != NULL) {
        struct vdev *dev = vm.devices;

        vm.devices = dev->next;
        dev->ops->destroy(dev);
    }
}

static int tear_down(void **state)
{
    (void)state;
    unmake();
    ram_disk_destroy_all();
    console_detach(&vm.console);
    return 0;
}

static void assert_port(uint16_t port, const char *name)
{
    for (unsigned i = 0; i < port_count; i++) {
        if (port - ports[i].first < ports[i].count && port >= ports[i].first) {
            assert_string_equal(ports[i].dev->ops->name, name);
            return;
        }
    }
    fail_msg("nothing is at port 0x%x", port);
}

static void assert_device(uint64_t base, const char *name)
{
    for (unsigned i = 0; i < seen_count; i++) {
        if (seen[i].base.raw == base) {
            assert_string_equal(seen[i].dev->ops->name, name);
            return;
        }
    }
    fail_msg("nothing is at 0x%llx", (unsigned long long)base);
}

static struct vdev *device(const char *name)
{
    struct vdev *dev = vm.devices;

    while (strcmp(dev->ops->name, name) != 0)
        dev = dev->next;
    return dev;
}

static void add_device(const char *type)
{
    strcpy(vm.config.devices[vm.config.device_count++].type, type);
}

static void add_disk(const char *type, const char *disk)
{
    strcpy(vm.config.devices[vm.config.device_count].disk, disk);
    add_device(type);
}

/* --- tests --- */

static void memory_is_laid_out_around_vga_and_devices(void **state)
{
    (void)state;
    vm.config.memory = 4ull << 30;
    assert_int_equal(defaults("pc"), OK);
    assert_int_equal(vm.config.memory, 0);
    assert_int_equal(vm.config.ram_count, 3);
    assert_int_equal(vm.config.ram[0].size, 0xa0000);
    assert_int_equal(vm.config.ram[1].base.raw, 0xc0000);
    assert_int_equal(vm.config.ram[1].base.raw + vm.config.ram[1].size, 0xb0000000);
    assert_int_equal(vm.config.ram[2].base.raw, 1ull << 32);
    assert_int_equal(vm.config.ram[2].size, 0x50000000);
    assert_int_equal(vm.config.load.raw, 0x100000);
}

static void a_small_pc_has_nothing_above_4_gib(void **state)
{
    (void)state;
    assert_int_equal(defaults("pc"), OK);
    assert_int_equal(vm.config.ram_count, 2);
    assert_int_equal(vm.config.ram[1].base.raw + vm.config.ram[1].size, 256 << 20);
    set_up(NULL);
    vm.config.memory = 1 << 20;
    assert_int_equal(defaults("pc"), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "guest: memory:"));
}

static void what_a_pc_does_not_take_is_refused(void **state)
{
    (void)state;
    vm.config.fdt = vm.config.kernel;
    assert_int_equal(defaults("pc"), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "guest: fdt:"));
    vm.config.firmware = vm.config.kernel;
    assert_int_equal(defaults("pc"), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "guest: firmware:"));
    vm.config.firmware = (struct blob){ 0 };
    assert_int_equal(build("bare"), ERR_INVALID_ARGS);
}

static void a_pc_has_its_devices_where_every_pc_has_them(void **state)
{
    (void)state;
    assert_int_equal(build("pc"), OK);
    assert_port(0x3f8, "uart16550");
    assert_port(0x3ff, "uart16550");
    assert_port(0x60, "i8042");
    assert_port(0x64, "i8042");
    assert_port(0x70, "cmos");
    assert_port(0x600, "acpi-pm");
    assert_port(0x60b, "acpi-pm");
    assert_port(0xcf9, "pc-reset");
    assert_port(0x92, "pc-reset");
    assert_port(0xcf8, "pci-host");
    assert_port(0xcff, "pci-host");
    assert_port(0xf4, "debug-exit");
    assert_port(0xe9, "debug-console");
    assert_port(0x3d4, "vga-text");
    assert_device(0xb8000, "vga-text");
    assert_device(PC_ECAM_BASE, "pci-host");
}

static void each_start_writes_the_acpi_tables_again(void **state)
{
    static const uint8_t zeroes[16];

    (void)state;
    assert_int_equal(build("pc"), OK);
    for (unsigned i = 0; i < 2; i++) {
        memset(rom, 0, sizeof(rom));
        assert_int_equal(vm.machine->load(&vm), OK);
        assert_memory_equal(rom + (PC_ACPI_BASE - PC_ROM_BASE), "RSD PTR ", 8);
        assert_memory_equal(rom, zeroes, sizeof(zeroes));
    }
}

static void write_port(const char *name, unsigned range, unsigned offset, unsigned size,
                       uint64_t value)
{
    struct vdev *dev = device(name);
    const struct vdev_access access = {
        .offset = offset,
        .size = (uint8_t)size,
        .range = (uint8_t)range,
    };

    dev->ops->write(dev, access, value);
}

static void the_acpi_registers_power_off(void **state)
{
    (void)state;
    assert_int_equal(build("pc"), OK);
    write_port("acpi-pm", 0, ACPI_PM_CONTROL, 2, ACPI_PM_S5 << 10 | 1 << 13);
    assert_int_equal(ended, VM_END_POWER_OFF);
}

static void the_reset_register_of_the_fadt_resets(void **state)
{
    (void)state;
    assert_int_equal(build("pc"), OK);
    write_port("pc-reset", 0, 0, 1, PC_RESET_VALUE);
    assert_int_equal(ended, VM_END_RESET);
}

static void the_debug_exit_ends_well_or_crashes(void **state)
{
    (void)state;
    assert_int_equal(build("pc"), OK);
    write_port("debug-exit", 0, 0, 1, 0);
    assert_int_equal(ended, VM_END_POWER_OFF);
    assert_null(crashed);
    write_port("debug-exit", 0, 0, 1, 3);
    assert_non_null(crashed);
}

static void the_power_button_interrupts_a_guest_that_listens(void **state)
{
    (void)state;
    assert_int_equal(build("pc"), OK);
    device("acpi-pm")->ops->reset(device("acpi-pm"));
    write_port("acpi-pm", 0, ACPI_PM_EVENT + 2, 2, 1 << 8);
    assert_int_equal(levels & 1u << PC_SCI_IRQ, 0);
    assert_true(vm.machine->ask_shutdown(&vm));
    assert_int_equal(levels & 1u << PC_SCI_IRQ, 1u << PC_SCI_IRQ);
}

static void what_is_typed_goes_to_the_uart_but_for_a_boot_sector(void **state)
{
    uint8_t sector[512] = { [510] = 0x55, [511] = 0xaa };

    (void)state;
    assert_int_equal(build("pc"), OK);
    assert_ptr_equal(vm.console.device, device("uart16550"));
    tear_down(NULL);
    set_up(NULL);
    vm.config.kernel = (struct blob){ sector, sizeof(sector) };
    assert_int_equal(build("pc"), OK);
    assert_ptr_equal(vm.console.device, device("i8042"));
}

static void a_disk_stands_behind_ide(void **state)
{
    const struct ram_disk_config disk = { .name = "data", .size = 1 << 20 };

    (void)state;
    assert_int_equal(ram_disk_create(&disk), OK);
    add_disk("ide", "data");
    vm.config.devices[0].irq = 14;
    assert_int_equal(build("pc"), OK);
    assert_port(0x1f0, "ide");
    assert_port(0x3f6, "ide");
}

static void a_disk_that_is_not_there_is_named(void **state)
{
    (void)state;
    add_disk("ide", "nothing");
    assert_int_equal(build("pc"), ERR_NOT_FOUND);
}

static void bare_has_ports_or_memory_as_it_is_told(void **state)
{
    (void)state;
    add_device("uart16550");
    vm.config.devices[0].port = 0x2f8;
    vm.config.devices[0].irq = 3;
    add_device("uart16550");
    vm.config.devices[1].base = gpa(0x90000000);
    add_device("debug-exit");
    assert_int_equal(build("bare"), OK);
    assert_port(0x2f8, "uart16550");
    assert_device(0x90000000, "uart16550");
    assert_port(0xf4, "debug-exit");
    assert_int_equal(seen_count, 1);
    assert_int_equal(port_count, 2);
}

static void wrong_places_and_interrupts_are_refused(void **state)
{
    static const struct vm_config_device wrong[] = {
        { .type = "uart16550", .irq = 24 },
        { .type = "uart16550", .port = 0x2f8, .base = { 0x1000 } },
        { .type = "cmos", .base = { 0x1000 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        set_up(NULL);
        vm.config.devices[0] = wrong[i];
        vm.config.device_count = 1;
        assert_int_equal(build("bare"), ERR_INVALID_ARGS);
        assert_non_null(strstr(logged, "guest: device '"));
        console_detach(&vm.console);
    }
    set_up(NULL);
    add_device("uart16550");
    assert_int_equal(build("pc"), ERR_ALREADY_EXISTS); /* COM1's ports are taken */
}

static status_t build_pc(void)
{
    seen_count = 0;
    port_count = 0;
    vm.config.ram_count = 0;
    return build("pc");
}

static void running_out_of_memory_while_building_leaves_nothing(void **state)
{
    (void)state;
    starve(build_pc, unmake);
}

#define machine_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(memory_is_laid_out_around_vga_and_devices),
        machine_test(a_small_pc_has_nothing_above_4_gib),
        machine_test(what_a_pc_does_not_take_is_refused),
        machine_test(a_pc_has_its_devices_where_every_pc_has_them),
        machine_test(each_start_writes_the_acpi_tables_again),
        machine_test(the_acpi_registers_power_off),
        machine_test(the_reset_register_of_the_fadt_resets),
        machine_test(the_debug_exit_ends_well_or_crashes),
        machine_test(the_power_button_interrupts_a_guest_that_listens),
        machine_test(what_is_typed_goes_to_the_uart_but_for_a_boot_sector),
        machine_test(a_disk_stands_behind_ide),
        machine_test(a_disk_that_is_not_there_is_named),
        machine_test(bare_has_ports_or_memory_as_it_is_told),
        machine_test(wrong_places_and_interrupts_are_refused),
        machine_test(running_out_of_memory_while_building_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, make_arena, NULL);
}
