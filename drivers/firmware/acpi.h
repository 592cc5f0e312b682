/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI's tables (ACPI 6.5) tell about a PC: its CPUs, interrupt controllers, timer, and
 * how to turn it off.
 *
 *     RSDP -> XSDT or RSDT -> MADT                CPUs, APICs, wires of the ISA interrupts
 *                          -> FADT -> DSDT        ports; the value of _S5
 *
 * Firmware is trusted not to lie, but a table that is damaged is passed over, and nothing
 * outside of a table's checked length is read.
 */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

/*
 * [base, base + bytes) of host-physical memory, for reading; NULL: cannot be reached. Tables
 * may be anywhere, at any alignment.
 */
typedef const uint8_t *(*acpi_memory)(uint64_t base, uint64_t bytes);

/* ACPI 6.5, 5.2.5.1: where a BIOS leaves the RSDP. 0: not there. */
uint64_t acpi_find_rsdp(acpi_memory memory);

/*
 * Fills out's cpus and pc from the tables that the RSDP at `rsdp` leads to. On an error *why is
 * a sentence. ERR_NOT_FOUND: no MADT, or no CPU or I/O APIC in it.
 */
status_t acpi_read(acpi_memory memory, uint64_t rsdp, struct host_info *out, const char **why);

/*
 * The values of SLP_TYP that mean S5, from a DSDT's AML: the first two numbers of the package
 * that is called _S5_, written as a constant. False: not found.
 */
bool acpi_find_sleep(const uint8_t *aml, size_t bytes, uint8_t *type_a, uint8_t *type_b);
