/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What traps to EL2 while a guest runs, so that it finds exactly the CPU that idregs.c shows
 * it. The world switch ORs these into the registers that it writes (layouts for E2H = 0).
 *
 *     trapped                  answered by
 *     ID registers             sysreg_trap.c, idregs.c: an allow list of fields
 *     debug registers          sysreg_trap.c, debug.c: software step, breakpoints, watchpoints
 *     ICC_SGI*R (HCR.IMO/FMO)  sysreg_trap.c: VM_EXIT_IPI
 *     anything else            UNDEF
 *
 * Exception classes that mean "hidden feature": arm64_inject_undef, from AArch32 EL0 too:
 *
 *     0x03-0x06 0x08 0x0c  AArch32 coprocessor registers (debug, PMU, IMPLEMENTATION DEFINED)
 *     0x09  PAuth: HCR.API = APK = 0        0x0a  LS64: HCRX = 0
 *     0x19  SVE: CPTR.TZ                    0x1b  TME
 *     0x1d  SME: CPTR.TSM                   0x07  FP is never trapped; UNDEF if it ever is
 */
#pragma once

#include "arch/bits.h"

/*
 * HCR_EL2. What stays 0 matters as much: API and APK (PAuth), ATA and DCT (MTE), NV*, AT,
 * FIEN, EnSCXT (SCXTNUM_ELx), AMVOFFEN: used anyway, they trap to EL2 or are UNDEF.
 * SWIO makes a guest's invalidation by set/way a clean-and-invalidate, as stage 2 does for
 * invalidation by address: a guest never throws another's data away. Set/way itself is not
 * trapped: on the guest's CPU it does what its author meant.
 */
#define HCR_SWIO BIT(1)
#define HCR_PTW BIT(2)    /* a guest's tables in device memory fault, also in our AT instructions */
#define HCR_TID1 BIT(16)  /* REVIDR, AIDR, SMIDR */
#define HCR_TID3 BIT(18)  /* ID registers of group 3 */
#define HCR_TIDCP BIT(20) /* IMPLEMENTATION DEFINED registers */
#define HCR_TACR BIT(21)  /* ACTLR */
#define HCR_TLOR BIT(35)  /* limited ordering regions */
#define HCR_TERR BIT(36)  /* RAS error records */
#define HCR_TID5 BIT(58)  /* GMID: MTE */
#define HCR_TRAPS                                                                            \
    (HCR_SWIO | HCR_PTW | HCR_TID1 | HCR_TID3 | HCR_TIDCP | HCR_TACR | HCR_TLOR | HCR_TERR | \
     HCR_TID5)

/* CPTR_EL2: RES1 bits, which are the traps of SVE (TZ, 8) and SME (TSM, 12) where these exist. */
#define CPTR_RES1 0x33ffULL
#define CPTR_TTA BIT(20) /* trace registers */
#define CPTR_TAM BIT(30) /* activity monitors */
#define CPTR_TFP BIT(10) /* stays 0: SIMD is the guest's */
#define CPTR_TRAPS ((CPTR_RES1 & ~CPTR_TFP) | CPTR_TTA | CPTR_TAM)

/*
 * MDCR_EL2: ORed to its HPMN field, the number of counters, as found at boot. TDE stays 0, or
 * the guest's BRK and steps would come to EL2. E2PB and E2TB stay 0: no profiling or trace
 * buffer in a guest's space.
 */
#define MDCR_HPMN GENMASK(4, 0)
#define MDCR_TPMCR BIT(5)  /* PMCR_EL0 */
#define MDCR_TPM BIT(6)    /* the other PMU registers */
#define MDCR_TDA BIT(9)    /* debug registers but the next two groups */
#define MDCR_TDOSA BIT(10) /* OS lock, power-down */
#define MDCR_TDRA BIT(11)  /* debug ROM address */
#define MDCR_TPMS BIT(14)  /* statistical profiling */
#define MDCR_TTRF BIT(19)  /* trace filter */
#define MDCR_TRAPS \
    (MDCR_TPMCR | MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | MDCR_TPMS | MDCR_TTRF)

/* CNTHCTL_EL2: a guest has both timers and both counters for itself. */
#define CNTHCTL_EL1PCTEN BIT(0)
#define CNTHCTL_EL1PCEN BIT(1)
#define CNTHCTL_TRAPS (CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN)

/* HSTR_EL2: only AArch32 at EL0 would notice; TIDCP and TDA do what is needed. */
#define HSTR_TRAPS 0

/*
 * Written 0 where ID_AA64MMFR1.HCX and ID_AA64MMFR0.FGT say that they exist: HCRX_EL2 hides
 * LS64, MOPS, TCR2, …; in HFGRTR, HFGWTR, HFGITR, HDFGRTR and HDFGWTR_EL2 the bits named "n…"
 * trap when they are 0, which hides what came after them, and the others then trap nothing.
 */
#define HCRX_TRAPS 0
#define FGT_TRAPS 0
