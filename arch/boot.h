/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way from the architecture's boot code to the first C function, vm/main.c, and what it
 * needs before the hypervisor's own tables are in place.
 */
#pragma once

#include "arch/addr.h"
#include "arch/status.h"

struct boot_info {
    paddr_t firmware;    /* what the firmware told: arm64 device tree, x86 Multiboot information */
    uint32_t magic;      /* x86: the boot loader's word in EAX, which Multiboot it is */
    paddr_t image_start; /* this image, with bss and boot tables */
    paddr_t image_end;
};

/* Entered on the boot CPU: MMU and caches on, image and device tree mapped. */
_Noreturn void socle_main(const struct boot_info *boot);

/*
 * Adds RAM to the direct map of the boot tables, in 2 MiB blocks: what sticks out of one at
 * either end is not mapped. ERR_NO_MEMORY: too ragged for the tables that the image brings.
 */
status_t arch_boot_map_ram(paddr_t base, uint64_t bytes);

/* A text for the board's first UART, for as long as there is no log; boot tables only. */
void arch_early_print(const char *text);

/* The hypervisor itself took an exception: a bug. Prints what there is, stops the machine. */
_Noreturn void socle_exception(const char *what, uint64_t syndrome, uint64_t pc, uint64_t address);
