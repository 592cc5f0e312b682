/* SPDX-License-Identifier: BSD-2-Clause */
/* The flash of a machine virt that starts a firmware: see virt_flash.c. */
#pragma once

#include "arch/status.h"

struct vm;

/* Adds both banks, erased; the firmware itself is loaded by image_load. ERR_NO_MEMORY. */
status_t virt_flash_add(struct vm *vm);
