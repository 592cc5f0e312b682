/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine virt: the table of what is where. */

#include "vm/devices/flash.h"
#include "vm/devices/fw_cfg.h"
#include "vm/devices/primecell.h"
#include "vm/irqchip/vgic.h"
#include "vm/machine/machine_virt.h"

/* clang-format off */
const struct virt_slot virt_map[VIRT_PARTS] = {
    [VIRT_FLASH0] = { 0x00000000,     FLASH_BANK_BYTES, 0 },
    [VIRT_FLASH1] = { 0x04000000,     FLASH_BANK_BYTES, 0 },
    [VIRT_GICD]   = { VGIC_GICD_BASE, VGIC_GICD_BYTES,  0 },
    [VIRT_GICC]   = { VGIC_GICC_BASE, VGIC_GICC_BYTES,  0 },
    [VIRT_GICR]   = { VGIC_GICR_BASE, VGIC_GICR_BYTES,  0 },
    [VIRT_UART]   = { 0x09000000,     PRIMECELL_BYTES,  33 },
    [VIRT_RTC]    = { 0x09010000,     PRIMECELL_BYTES,  34 },
    [VIRT_FW_CFG] = { 0x09020000,     FW_CFG_BYTES,     0 },
    [VIRT_GPIO]   = { 0x09030000,     PRIMECELL_BYTES,  39 },
};
/* clang-format on */
