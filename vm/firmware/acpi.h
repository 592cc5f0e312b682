/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of a machine pc, for guest memory at PC_ACPI_BASE:
 *
 *     RSDP -> XSDT -> FADT -> DSDT   devices, as AML
 *                     |  \--> FACS   64 bytes that the guest may write
 *                     MADT           local APICs, I/O APIC, interrupt overrides
 *                     MCFG           PCI configuration in memory
 */
#pragma once

#include "arch/status.h"

#include <stddef.h>

struct aml;

/*
 * All tables of a machine with `cpus` CPUs, into `buffer`; *bytes of it are used.
 * ERR_NO_MEMORY: more than `room`.
 */
status_t acpi_generate(unsigned cpus, void *buffer, size_t room, size_t *bytes);

/* The DSDT's definition block. */
void acpi_dsdt(struct aml *out);
