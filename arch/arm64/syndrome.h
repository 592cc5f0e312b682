/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a guest was left: fields of ESR_ELx (Arm ARM D17.2.37) and of the PSTATE that is kept in
 * SPSR_ELx (C5.2.19), as far as more than one file needs them.
 */
#pragma once

#include "arch/bits.h"

#define ESR_EC GENMASK(31, 26)
#define ESR_IL BIT(25) /* the instruction has 32 bits */
#define ESR_ISS GENMASK(24, 0)

enum esr_ec {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_CP15_MCR = 0x03, /* AArch32, as the next four and 0x0c */
    EC_CP15_MCRR = 0x04,
    EC_CP14_MCR = 0x05,
    EC_CP14_LDC = 0x06,
    EC_FP = 0x07,
    EC_CP10_VMRS = 0x08,
    EC_PAUTH = 0x09,
    EC_LS64 = 0x0a,
    EC_CP14_MRRC = 0x0c,
    EC_SMC32 = 0x13,
    EC_HVC64 = 0x16,
    EC_SMC64 = 0x17,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_TME = 0x1b,
    EC_SME = 0x1d,
    EC_INSTRUCTION_ABORT_LOWER = 0x20,
    EC_INSTRUCTION_ABORT = 0x21,
    EC_DATA_ABORT_LOWER = 0x24,
    EC_DATA_ABORT = 0x25,
};

/* Of data aborts; the fault status and S1PTW of instruction aborts too. */
#define ISS_ISV BIT(24)
#define ISS_SAS GENMASK(23, 22) /* access size: 1 << SAS bytes */
#define ISS_SSE BIT(21)         /* sign-extended */
#define ISS_SRT GENMASK(20, 16) /* register */
#define ISS_SF BIT(15)          /* it is 64 bits wide */
#define ISS_FNV BIT(10)         /* FAR is not valid */
#define ISS_EA BIT(9)
#define ISS_CM BIT(8) /* a cache maintenance instruction */
#define ISS_S1PTW BIT(7)
#define ISS_WNR BIT(6)
#define ISS_FSC GENMASK(5, 0)

#define FSC_EXTERNAL 0x10 /* synchronous external abort, not on a table walk */

#define PSTATE_SP BIT(0) /* the stack pointer is SP_ELx rather than SP_EL0 */
#define PSTATE_EL GENMASK(3, 2)
#define PSTATE_NRW BIT(4) /* AArch32 */
#define PSTATE_DAIF GENMASK(9, 6)
#define PSTATE_BTYPE GENMASK(11, 10)
#define PSTATE_SSBS BIT(12)
#define PSTATE_IL BIT(20)
#define PSTATE_SS BIT(21)
#define PSTATE_PAN BIT(22)
#define PSTATE_UAO BIT(23)
#define PSTATE_DIT BIT(24)
#define PSTATE_NZCV GENMASK(31, 28)
#define PSTATE_EL1H (PSTATE_SP | FIELD_PREP(PSTATE_EL, 1))

#define PSTATE32_T BIT(5)
#define PSTATE32_E BIT(9)
#define PSTATE32_IT_HIGH GENMASK(15, 10) /* IT[7:2] */
#define PSTATE32_IT_LOW GENMASK(26, 25)  /* IT[1:0] */

#define SCTLR_SPAN BIT(23)
#define SCTLR_E0E BIT(24) /* data of EL0 is big-endian */
#define SCTLR_EE BIT(25)  /* data of EL1, and its tables */
#define SCTLR_DSSBS BIT(44)
