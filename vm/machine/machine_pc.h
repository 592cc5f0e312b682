/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine pc: what is where. For the machine's builder, its ACPI tables and its memory map.
 *
 *     0x0000_0000  RAM; the loaders' structures are below 0x10000
 *     0x000a_0000  VGA
 *     0x000c_0000  RAM that the guest takes for ROM: ACPI tables at 0xe0000
 *     0x0010_0000  RAM, up to 0xb000_0000 at most; the rest of it is above 4 GiB
 *     0xb000_0000  PCI configuration (ECAM), bus 0
 *     0xc000_0000  PCI devices' memory
 *     0xfec0_0000  I/O APIC
 *     0xfee0_0000  local APIC
 */
#pragma once

#include "kernel/lib/string.h"
#include "vm/config/config.h"

#define PC_LOW_RAM_END 0xa0000u
#define PC_VGA_TEXT_BASE 0xb8000u
#define PC_ROM_BASE 0xc0000u
#define PC_ROM_END 0x100000u
#define PC_ACPI_BASE 0xe0000u
#define PC_ACPI_ROOM 0x4000u
#define PC_RAM_MAX 0xb0000000u /* below 4 GiB */
#define PC_HIGH_RAM_BASE 0x100000000u

#define PC_ECAM_BASE 0xb0000000u
#define PC_ECAM_BYTES 0x100000u /* bus 0 */
#define PC_PCI_MEMORY_BASE 0xc0000000u
#define PC_PCI_MEMORY_END 0xfec00000u
#define PC_IOAPIC_BASE 0xfec00000u
#define PC_LAPIC_BASE 0xfee00000u

#define PC_PIT_IRQ 0 /* input 2 of the I/O APIC */
#define PC_PIT_GSI 2
#define PC_KEYBOARD_IRQ 1
#define PC_COM1_IRQ 4
#define PC_RTC_IRQ 8
#define PC_SCI_IRQ 9
#define PC_PCI_GSI 16 /* the first of PC_PCI_GSIS that PCI devices share */
#define PC_PCI_GSIS 8

#define PC_COM1_PORT 0x3f8u
#define PC_VGA_PORT 0x3c0u
#define PC_PCI_ADDRESS_PORT 0xcf8u
#define PC_PCI_DATA_PORT 0xcfcu
#define PC_PM_PORT 0x600u /* the first of ACPI_PM_PORTS */
#define PC_RESET_PORT 0xcf9u
#define PC_RESET_VALUE 6

/* The I/O APIC's input that a PCI device's INTA# (pin 0) to INTD# is wired to. */
static inline unsigned pc_pci_gsi(unsigned slot, unsigned pin)
{
    return PC_PCI_GSI + (slot + pin) % PC_PCI_GSIS;
}

/* Is this the configuration of a machine pc? */
static inline bool pc_is(const struct vm_config *config)
{
    return strcmp(config->machine, "pc") == 0;
}
