/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APICs (82093AA data sheet): wires to vectors. */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

/* Maps them, everything masked. ERR_NO_MEMORY. */
status_t ioapic_init(const struct host_pc *pc);

/*
 * The input comes as `vector` to the CPU with APIC id `cpu` (below 256), or is masked again.
 * False: there is no such input.
 */
bool ioapic_route(const struct host_gsi *wire, uint8_t vector, uint32_t cpu);
bool ioapic_mask(uint32_t gsi);
