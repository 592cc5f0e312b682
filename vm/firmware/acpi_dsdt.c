/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DSDT of a machine pc: how it is powered off, the PCI host bridge, and the devices at
 * the ports where every PC has them.
 */

#include "arch/bits.h"
#include "vm/devices/acpi_pm.h"
#include "vm/firmware/acpi.h"
#include "vm/firmware/acpi_aml.h"
#include "vm/machine/machine_pc.h"

#define PCI_SLOTS 32
#define PCI_PINS 4

struct ports {
    uint16_t first;
    uint8_t count; /* 0: none */
};

/* clang-format off */
static const struct legacy_device {
    const char *name, *id;
    struct ports ports[2];
    int irq; /* -1: none */
} legacy_devices[] = {
    { "COM1", "PNP0501", { { PC_COM1_PORT, 8 } },            PC_COM1_IRQ },
    { "KBD_", "PNP0303", { { 0x60, 1 }, { 0x64, 1 } },       PC_KEYBOARD_IRQ },
    { "RTC_", "PNP0B00", { { 0x70, 2 } },                    PC_RTC_IRQ },
    { "TIMR", "PNP0100", { { 0x40, 4 } },                    PC_PIT_IRQ },
    { "SPKR", "PNP0800", { { 0x61, 1 } },                    -1 },
    { "PIC_", "PNP0000", { { 0x20, 2 }, { 0xa0, 2 } },       -1 },
};
/* clang-format on */

static void put_legacy_device(struct aml *out, const struct legacy_device *device)
{
    const aml_block_t block = aml_device(out, device->name);
    aml_block_t resources;

    aml_name_eisa(out, "_HID", device->id);
    aml_name_integer(out, "_UID", 0);
    resources = aml_resources(out);
    for (size_t i = 0; i < ARRAY_SIZE(device->ports); i++)
        if (device->ports[i].count != 0)
            aml_io(out, device->ports[i].first, device->ports[i].count);
    if (device->irq >= 0)
        aml_irq(out, (unsigned)device->irq);
    aml_end_resources(out, resources);
    aml_end(out, block);
}

/* Says that ECAM and the power management's ports are taken: systems use neither else. */
static void put_board_resources(struct aml *out)
{
    const aml_block_t block = aml_device(out, "BRD_");
    aml_block_t resources;

    aml_name_eisa(out, "_HID", "PNP0C02");
    aml_name_integer(out, "_UID", 0);
    resources = aml_resources(out);
    aml_memory(out, PC_ECAM_BASE, PC_ECAM_BYTES);
    aml_io(out, PC_PM_PORT, ACPI_PM_PORTS);
    aml_end_resources(out, resources);
    aml_end(out, block);
}

static void put_pci_windows(struct aml *out)
{
    const aml_block_t resources = aml_resources(out);

    aml_bus_window(out, 0, 0);
    aml_io(out, 0xcf8, 8);
    aml_io_window(out, 0x0000, 0x0cf7);
    aml_io_window(out, 0x0d00, 0xffff);
    aml_memory_window(out, 0xa0000, 0xbffff);
    aml_memory_window(out, PC_PCI_MEMORY_BASE, PC_PCI_MEMORY_END - 1);
    aml_end_resources(out, resources);
}

/* Device and pin to I/O APIC input, as pc_pci_gsi has it. */
static void put_pci_interrupts(struct aml *out)
{
    const aml_block_t table = aml_name_package(out, "_PRT", PCI_SLOTS * PCI_PINS);

    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_PINS; pin++) {
            const aml_block_t row = aml_package(out, 4);

            aml_integer(out, slot << 16 | 0xffff); /* all functions */
            aml_integer(out, pin);
            aml_integer(out, 0); /* no link device: hard-wired */
            aml_integer(out, pc_pci_gsi(slot, pin));
            aml_end(out, row);
        }
    }
    aml_end(out, table);
}

static void put_pci_host(struct aml *out)
{
    const aml_block_t block = aml_device(out, "PCI0");

    aml_name_eisa(out, "_HID", "PNP0A08");
    aml_name_eisa(out, "_CID", "PNP0A03");
    aml_name_integer(out, "_UID", 0);
    aml_name_integer(out, "_SEG", 0);
    aml_name_integer(out, "_BBN", 0);
    aml_method_echo(out, "_OSC", 4, 3); /* the system may control all that it asks for */
    put_pci_windows(out);
    put_pci_interrupts(out);
    aml_end(out, block);
}

/* Sleep state 5 is the only one: SLP_TYPa, SLP_TYPb, and two that are reserved. */
static void put_power_off(struct aml *out)
{
    const aml_block_t package = aml_name_package(out, "_S5_", 4);

    aml_integer(out, ACPI_PM_S5);
    for (unsigned i = 1; i < 4; i++)
        aml_integer(out, 0);
    aml_end(out, package);
}

void acpi_dsdt(struct aml *out)
{
    aml_block_t scope;

    put_power_off(out);
    scope = aml_scope(out, "\\_SB_");
    put_pci_host(out);
    put_board_resources(out);
    for (size_t i = 0; i < ARRAY_SIZE(legacy_devices); i++)
        put_legacy_device(out, &legacy_devices[i]);
    aml_end(out, scope);
}
