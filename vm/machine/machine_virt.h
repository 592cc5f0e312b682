/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine virt: what is where. The addresses and interrupts of QEMU's virt board, so that
 * what runs there runs here. One table, for the machine's builder and for the device tree
 * that it shows its guest.
 *
 *     0x0000_0000  flash, two banks of 64 MiB
 *     0x0800_0000  GIC
 *     0x0900_0000  UART, RTC, fw_cfg, GPIO
 *     0x4000_0000  RAM
 */
#pragma once

#include <stdint.h>

#define VIRT_RAM_BASE 0x40000000u

enum virt_part {
    VIRT_FLASH0,
    VIRT_FLASH1,
    VIRT_GICD,
    VIRT_GICC, /* GICv2 */
    VIRT_GICR, /* GICv3: `size` for each CPU */
    VIRT_UART,
    VIRT_RTC,
    VIRT_FW_CFG,
    VIRT_GPIO,
    VIRT_PARTS,
};

struct virt_slot {
    uint64_t base;
    uint64_t size;
    uint32_t irq; /* INTID; 0: none */
};

extern const struct virt_slot virt_map[VIRT_PARTS];
