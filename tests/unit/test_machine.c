/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines: which devices stand where, over models of the VM's core that only note what is
 * attached; and that an unmade machine leaves no memory behind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/rtc/rtc.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"
#include "tests/unit/captured_log.h"
#include "tests/unit/fake_arena.h"
#include "tests/unit/starve.h"
#include "vm/devices/flash.h"
#include "vm/devices/pl061.h"
#include "vm/irqchip/irqchip.h"
#include "vm/irqchip/vgic.h"
#include "vm/machine/machine.h"
#include "vm/machine/machine_virt.h"
#include "vm/vm.h"

#define MAX_SEEN 32

static struct cpu cpu; /* the power key is let go by a timer */
static struct vm vm;
static struct region seen[MAX_SEEN];
static unsigned seen_count;
static status_t irqchip_status;
static bool gpio_level;

/* --- the VM's core --- */

status_t virqchip_create(struct vm *of)
{
    assert_ptr_equal(of, &vm);
    return irqchip_status;
}

static void set_line(void *controller, uint32_t irq, bool level)
{
    (void)controller;
    if (irq == virt_map[VIRT_GPIO].irq)
        gpio_level |= level;
}

struct irq_line virqchip_line(struct vm *of, uint32_t irq)
{
    return (struct irq_line){ .set = set_line, .controller = of, .irq = irq };
}

uint32_t rtc_now(void)
{
    return 0;
}

unsigned vgic_version(void)
{
    return 3;
}

status_t vm_map_region(struct vm *of, const struct region *region)
{
    assert_ptr_equal(of, &vm);
    for (unsigned i = 0; i < seen_count; i++)
        if (region->base.raw < seen[i].base.raw + seen[i].size &&
            seen[i].base.raw < region->base.raw + region->size)
            return ERR_ALREADY_EXISTS;
    assert_true(seen_count < MAX_SEEN);
    seen[seen_count++] = *region;
    return OK;
}

status_t vm_attach_device(struct vm *of, struct vdev *dev, gpa_t base, uint64_t size)
{
    const struct region region = { .base = base, .size = size, .kind = REGION_DEVICE, .dev = dev };
    struct vdev *at = of->devices;

    while (at != NULL && at != dev)
        at = at->next;
    if (at == NULL) {
        dev->next = of->devices;
        of->devices = dev;
    }
    return vm_map_region(of, &region);
}

status_t vm_attach_ports(struct vm *of, struct vdev *dev, uint16_t first, uint16_t count)
{
    (void)of, (void)dev, (void)first, (void)count;
    return ERR_UNSUPPORTED; /* arm64 has none */
}

struct vdev *vm_devices(struct vm *of)
{
    return of->devices;
}

status_t aspace_read(struct aspace *as, gpa_t from, void *to, size_t bytes)
{
    (void)as, (void)from, (void)to, (void)bytes;
    return ERR_NOT_FOUND;
}

status_t aspace_write_by_device(struct aspace *as, gpa_t to, const void *from, size_t bytes)
{
    (void)as, (void)to, (void)from, (void)bytes;
    return ERR_NOT_FOUND;
}

void aspace_rom_trap_reads(struct aspace *as, gpa_t base, bool trap)
{
    (void)as, (void)base, (void)trap;
}

status_t vm_write_guest(struct vm *of, gpa_t to, const void *from, size_t bytes)
{
    (void)of, (void)to, (void)from, (void)bytes;
    return OK;
}

status_t vm_image_load_region(struct vm *of, gpa_t to, const struct blob *image, size_t span)
{
    (void)of, (void)to, (void)image, (void)span;
    return OK;
}

/* --- making and unmaking --- */

static int set_up(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    seen_count = 0;
    irqchip_status = OK;
    gpio_level = false;
    logged[0] = '\0';
    vm_config_init(&vm.config);
    strcpy(vm.config.name, "guest");
    vm.config.kernel = (struct blob){ "kernel", 7 };
    return console_attach(&vm.console, "guest") == OK ? 0 : -1;
}

static status_t build(const char *name)
{
    vm.machine = machine_find(name);
    assert_non_null(vm.machine);
    if (vm.machine->defaults(&vm.config) != OK)
        return ERR_INVALID_ARGS;
    return vm.machine->build(&vm);
}

static void unmake(void)
{
    while (vm.devices != NULL) {
        struct vdev *dev = vm.devices;

        vm.devices = dev->next;
        dev->ops->destroy(dev);
    }
    pmm_free_wired(vm.fdt);
    vm.fdt = NULL;
}

static int tear_down(void **state)
{
    (void)state;
    unmake();
    console_detach(&vm.console);
    return 0;
}

static const struct region *region_at(uint64_t base)
{
    for (unsigned i = 0; i < seen_count; i++)
        if (seen[i].base.raw == base)
            return &seen[i];
    return NULL;
}

static void assert_device(uint64_t base, const char *name)
{
    const struct region *region = region_at(base);

    assert_non_null(region);
    assert_string_equal(region->dev->ops->name, name);
}

/* --- tests --- */

static void unknown_machines_are_not_found(void **state)
{
    (void)state;
    assert_null(machine_find("pc104"));
    assert_null(machine_find(""));
}

static void virt_has_its_devices_where_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(build("virt"), OK);
    assert_device(virt_map[VIRT_UART].base, "pl011");
    assert_device(virt_map[VIRT_RTC].base, "pl031");
    assert_device(virt_map[VIRT_GPIO].base, "pl061");
    assert_device(virt_map[VIRT_FW_CFG].base, "fw-cfg");
    assert_null(region_at(0));
    assert_int_equal(vm.config.ram[0].base.raw, VIRT_RAM_BASE);
    assert_int_equal(vm.config.load.raw, VIRT_RAM_BASE + 0x80000);
}

static void virt_has_a_device_tree_of_its_own(void **state)
{
    (void)state;
    vm.config.memory = 64 << 20;
    assert_int_equal(build("virt"), OK);
    assert_non_null(vm.fdt);
    assert_int_equal(fdt_check_full(vm.fdt, vm.fdt_bytes), 0);
    assert_true(fdt_path_offset(vm.fdt, "/pl011@9000000") >= 0);
    assert_int_equal(vm.config.ram[0].size, 64 << 20);
    assert_int_equal(vm.config.memory, 0);
}

static void a_firmware_gets_both_banks_of_flash(void **state)
{
    (void)state;
    vm.config.firmware = vm.config.kernel;
    vm.config.kernel = (struct blob){ 0 };
    assert_int_equal(build("virt"), OK);
    assert_int_equal(region_at(0)->kind, REGION_ROM);
    assert_int_equal(region_at(0)->size, FLASH_SECTOR_BYTES);
    assert_device(FLASH_SECTOR_BYTES, "flash");
    assert_int_equal(region_at(virt_map[VIRT_FLASH1].base)->kind, REGION_ROM);
}

static void too_large_a_firmware_is_refused(void **state)
{
    (void)state;
    vm.config.firmware = (struct blob){ "", FLASH_BANK_BYTES + 1 };
    vm.config.kernel = (struct blob){ 0 };
    assert_int_equal(build("virt"), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "guest: firmware:"));
}

static void the_power_key_interrupts_a_guest_that_listens(void **state)
{
    const struct vdev_access write_is = { .offset = 0x404, .size = 4 };
    const struct vdev_access write_iev = { .offset = 0x40c, .size = 4 };
    const struct vdev_access write_ie = { .offset = 0x410, .size = 4 };

    (void)state;
    assert_int_equal(build("virt"), OK);
    for (struct vdev *dev = vm.devices; dev != NULL; dev = dev->next) {
        if (dev->ops != &pl061_ops)
            continue;
        dev->ops->write(dev, write_is, 0);
        dev->ops->write(dev, write_iev, BIT(PL061_PIN_POWER));
        dev->ops->write(dev, write_ie, BIT(PL061_PIN_POWER));
    }
    assert_false(gpio_level);
    arch_set_this_cpu(&cpu);
    assert_true(vm.machine->ask_shutdown(&vm));
    assert_true(gpio_level);
}

static void bare_has_what_is_named_and_nothing_else(void **state)
{
    (void)state;
    vm.config.device_count = 2;
    strcpy(vm.config.devices[0].type, "debug-console");
    vm.config.devices[0].base = gpa(0x90000000);
    strcpy(vm.config.devices[1].type, "pl011");
    vm.config.devices[1].base = gpa(0x9000000);
    vm.config.devices[1].irq = 40;
    assert_int_equal(build("bare"), OK);
    assert_int_equal(seen_count, 2);
    assert_device(0x90000000, "debug-console");
    assert_device(0x9000000, "pl011");
    assert_null(vm.fdt);
    assert_int_equal(vm.config.ram[0].base.raw, 0);
    assert_int_equal(vm.config.load.raw, 0x10000);
    assert_null(vm.machine->ask_shutdown);
}

static void an_irq_that_is_no_spi_is_refused(void **state)
{
    (void)state;
    vm.config.device_count = 1;
    strcpy(vm.config.devices[0].type, "pl011");
    vm.config.devices[0].irq = 31;
    assert_int_equal(build("bare"), ERR_INVALID_ARGS);
    assert_string_equal(logged, "guest: device 'pl011': there is no such irq");
}

static void a_load_address_that_is_given_stays(void **state)
{
    (void)state;
    vm.config.has_load = true;
    vm.config.load = gpa(0x4000);
    assert_int_equal(build("bare"), OK);
    assert_int_equal(vm.config.load.raw, 0x4000);
}

static void a_type_that_is_not_there_is_logged(void **state)
{
    (void)state;
    vm.config.device_count = 1;
    strcpy(vm.config.devices[0].type, "floppy");
    assert_int_equal(build("bare"), ERR_NOT_FOUND);
    assert_string_equal(logged, "guest: device: there is no type 'floppy'");
}

static void devices_that_overlap_are_refused(void **state)
{
    (void)state;
    vm.config.device_count = 2;
    strcpy(vm.config.devices[0].type, "pl011");
    strcpy(vm.config.devices[1].type, "pl031");
    assert_int_equal(build("bare"), ERR_ALREADY_EXISTS);
    assert_non_null(strstr(logged, "guest: device 'pl031' at 0x0: "));
}

static void ram_over_the_interrupt_controller_is_allowed_in_bare(void **state)
{
    (void)state;
    irqchip_status = ERR_ALREADY_EXISTS;
    assert_int_equal(build("bare"), OK);
    assert_non_null(strstr(logged, "RAM lies over"));
}

static void a_firmware_is_nothing_for_bare(void **state)
{
    (void)state;
    vm.config.firmware = vm.config.kernel;
    assert_int_equal(build("bare"), ERR_INVALID_ARGS);
}

static void an_irqchip_that_fails_fails_the_machine(void **state)
{
    (void)state;
    irqchip_status = ERR_NO_MEMORY;
    assert_int_equal(build("virt"), ERR_NO_MEMORY);
    assert_int_equal(build("bare"), ERR_NO_MEMORY);
}

static void making_and_unmaking_leaves_every_page_free(void **state)
{
    size_t free_before = pmm_free_count();

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        seen_count = 0;
        vm.config.firmware = (struct blob){ "firmware", 9 };
        vm.config.kernel = (struct blob){ 0 };
        assert_int_equal(build("virt"), OK);
        assert_true(pmm_free_count() < free_before);
        unmake();
        assert_int_equal(pmm_free_count(), free_before);
    }
}

static status_t build_virt(void)
{
    seen_count = 0;
    return build("virt");
}

static void running_out_of_memory_while_building_leaves_nothing(void **state)
{
    (void)state;
    vm.config.firmware = (struct blob){ "firmware", 9 };
    vm.config.kernel = (struct blob){ 0 };
    starve(build_virt, unmake);
}

#define machine_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(unknown_machines_are_not_found),
        machine_test(virt_has_its_devices_where_the_table_says),
        machine_test(virt_has_a_device_tree_of_its_own),
        machine_test(a_firmware_gets_both_banks_of_flash),
        machine_test(too_large_a_firmware_is_refused),
        machine_test(the_power_key_interrupts_a_guest_that_listens),
        machine_test(bare_has_what_is_named_and_nothing_else),
        machine_test(an_irq_that_is_no_spi_is_refused),
        machine_test(a_load_address_that_is_given_stays),
        machine_test(a_type_that_is_not_there_is_logged),
        machine_test(devices_that_overlap_are_refused),
        machine_test(ram_over_the_interrupt_controller_is_allowed_in_bare),
        machine_test(a_firmware_is_nothing_for_bare),
        machine_test(an_irqchip_that_fails_fails_the_machine),
        machine_test(making_and_unmaking_leaves_every_page_free),
        machine_test(running_out_of_memory_while_building_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, make_arena, NULL);
}
