/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EL2 backend's half of a vCPU. The general registers are saved at every exit; the EL1
 * system registers and SIMD state stay in the CPU until another vCPU is loaded.
 */
#pragma once

#include "arch/addr.h"

/* EL1 state in the order that save and restore walk it. */
/* clang-format off */
#define HV_EL1_REGS(X)                                                                  \
    X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(esr_el1)           \
    X(far_el1) X(afsr0_el1) X(afsr1_el1) X(mair_el1) X(amair_el1) X(vbar_el1)           \
    X(contextidr_el1) X(par_el1) X(tpidr_el0) X(tpidrro_el0) X(tpidr_el1) X(sp_el0)     \
    X(sp_el1) X(elr_el1) X(spsr_el1) X(cntkctl_el1) X(csselr_el1) X(mdscr_el1)
/* clang-format on */

struct hv_el1 {
#define HV_EL1_FIELD(name) uint64_t name;
    HV_EL1_REGS(HV_EL1_FIELD)
#undef HV_EL1_FIELD
};

struct hv_fp {
    uint8_t v[32][16] __attribute__((aligned(16)));
    uint64_t fpcr, fpsr;
};

struct hv_vcpu {
    uint64_t x[31]; /* assembly knows: offsets are generated */
    uint64_t pc;
    uint64_t pstate;
    uint64_t esr; /* of the last exit, for reports and hv_finish_read */
    uint64_t vttbr;
    uint64_t hcr;
    uint64_t vmpidr;
    struct hv_el1 el1;
    uint64_t tpidr2_el0; /* where the CPU has SME: no trap hides it from EL1 */
    struct hv_fp fp;
    uint64_t debug[4][16]; /* breakpoints and watchpoints, arm64/debug.h */
    bool loaded;           /* el1 and fp are in the CPU, not here */
};
