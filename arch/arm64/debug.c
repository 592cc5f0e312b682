/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware breakpoints and watchpoints of guests; see debug.h. Arm ARM D2.8 to D2.10, D13.3. */
#include "arch/arm64/debug.h"

#include <arch/cpu.h>
#include <arch/vcpu.h>

#include "arch/arm64/idregs.h"
#include "arch/bits.h"

#define DFR0_BRPS GENMASK(15, 12)
#define DFR0_WRPS GENMASK(23, 20)

/*
 * What a guest may set of the control registers. HMC and SSC stay 0: nothing matches outside
 * EL1 and EL0. So does the top bit of BT, the comparisons with a VMID.
 */
#define BCR_E_PMC GENMASK(2, 0)
#define BCR_BAS GENMASK(8, 5)
#define BCR_LBN_BT GENMASK(22, 16)
#define WCR_E_PAC_LSC_BAS GENMASK(12, 0)
#define WCR_LBN_WT GENMASK(20, 16)
#define WCR_MASK GENMASK(28, 24)

static const uint64_t writable[DEBUG_KINDS] = {
    [DEBUG_BVR] = ~0ULL,
    [DEBUG_BCR] = BCR_E_PMC | BCR_BAS | BCR_LBN_BT,
    [DEBUG_WVR] = ~0ULL,
    [DEBUG_WCR] = WCR_E_PAC_LSC_BAS | WCR_LBN_WT | WCR_MASK,
};

/* How many breakpoints or watchpoints the guest's CPU has. */
static unsigned count(enum arm64_debug kind)
{
    const uint64_t dfr0 = arm64_idreg(5, 0);

    return 1 +
           (unsigned)(kind <= DEBUG_BCR ? FIELD_GET(DFR0_BRPS, dfr0) : FIELD_GET(DFR0_WRPS, dfr0));
}

/* The number of a register is in its name. */
/* clang-format off */
#define WRITE(n, op2) case (n) * DEBUG_KINDS + (op2)-4: sysreg_write(S2_0_C0_C##n##_##op2, value); break;
#define WRITE_PAIR(n) WRITE(n, 4) WRITE(n, 5) WRITE(n, 6) WRITE(n, 7)

static void write_cpu(enum arm64_debug kind, unsigned n, uint64_t value)
{
    switch (n * DEBUG_KINDS + (unsigned)kind) {
    WRITE_PAIR(0) WRITE_PAIR(1) WRITE_PAIR(2) WRITE_PAIR(3)
    WRITE_PAIR(4) WRITE_PAIR(5) WRITE_PAIR(6) WRITE_PAIR(7)
    WRITE_PAIR(8) WRITE_PAIR(9) WRITE_PAIR(10) WRITE_PAIR(11)
    WRITE_PAIR(12) WRITE_PAIR(13) WRITE_PAIR(14) WRITE_PAIR(15)
    default: break;
    }
}
/* clang-format on */

bool arm64_debug_read(const struct hv_vcpu *vcpu, enum arm64_debug kind, unsigned n,
                      uint64_t *value)
{
    if (n >= count(kind))
        return false;
    *value = vcpu->debug[kind][n];
    return true;
}

bool arm64_debug_write(struct hv_vcpu *vcpu, enum arm64_debug kind, unsigned n, uint64_t value)
{
    if (n >= count(kind))
        return false;
    vcpu->debug[kind][n] = value & writable[kind];
    if (sysreg_read(mdscr_el1) & MDSCR_MDE)
        write_cpu(kind, n, vcpu->debug[kind][n]);
    return true;
}

void arm64_debug_load(const struct hv_vcpu *vcpu)
{
    for (enum arm64_debug kind = 0; kind < DEBUG_KINDS; kind++)
        for (unsigned n = 0; n < count(kind); n++)
            write_cpu(kind, n, vcpu->debug[kind][n]);
}
