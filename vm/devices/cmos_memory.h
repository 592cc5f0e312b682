/* SPDX-License-Identifier: BSD-2-Clause */
/* What firmware keeps in a PC's battery-backed memory. */
#pragma once

#include "vm/devices/cmos.h"

/* Fills in what is known of it; `byte` has 128 of them, zeroed but for the clock's. */
void cmos_memory_fill(uint8_t *byte, const struct cmos_config *config);
