/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register values and descriptor bits that assembly and C share. Arm ARM D13 (registers) and
 * D8.3 (descriptors).
 */
#pragma once

#ifdef __ASSEMBLER__
#define UL(n) n
#else
#define UL(n) n##UL
#endif

/* Descriptors of EL2's stage 1 (one privilege level: AP[1] is RES1). */
#define DESC_VALID (1 << 0)
#define DESC_TABLE (1 << 1)       /* at levels 0..2 */
#define DESC_PAGE (1 << 1)        /* at level 3 */
#define DESC_ATTR_NORMAL (0 << 2) /* MAIR index 0 */
#define DESC_ATTR_DEVICE (1 << 2) /* MAIR index 1 */
#define DESC_AP1 (1 << 6)
#define DESC_RO (1 << 7) /* AP[2] */
#define DESC_SH_INNER (3 << 8)
#define DESC_AF (1 << 10)
#define DESC_XN (UL(1) << 54)

#define MAIR_VALUE 0x04ff /* 0: normal write-back; 1: device nGnRE */

/* T0SZ 16 (48 bits), walks inner-shareable write-back, 4 KiB granule; PS is set at run time. */
#define TCR_VALUE 0x80803510

/* RES1 | I | WXN | SA | C | M */
#define SCTLR_VALUE 0x30cd183d

#define HCR_BOOT (UL(1) << 31) /* RW: EL1 is AArch64; the rest when a guest is there */

#define L0_INDEX_DIRECT_MAP 128
#define L0_INDEX_IMAGE 256
#define L0_INDEX_DYNAMIC 288

#define BOOT_L2_TABLES 20 /* 2 MiB blocks at the ragged ends of RAM banks, and the device tree */
