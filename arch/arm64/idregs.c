/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ID registers by allow list: for each field, the highest value that a guest is shown. A field
 * shows what the CPU has, up to that; a field not listed reads as zero ("not implemented").
 * Hidden are: what is not switched between vCPUs (SVE, SME, MTE, PAuth keys, PMU, trace,
 * profiling, AMU, MPAM, error records), what only EL2 and EL3 could use, and what is unknown.
 *
 *     AArch64   C4: PFR   C5: DFR, AFR   C6: ISAR   C7: MMFR
 *     AArch32   C1: PFR, DFR, AFR, MMFR   C2: ISAR, MMFR4   C3: MVFR, PFR2, MMFR5
 */
#include "arch/arm64/idregs.h"

#include <arch/cpu.h>

#include "arch/bits.h"

/* One field; four bits at `shift`. Names of the manual stand in the table. */
struct id_field {
    uint8_t shift;
    int8_t max;
    bool is_signed; /* 0xf is less than 0: "not implemented" where 0 is implemented */
};

#define UP_TO(shift, max) \
    {                     \
        shift, max, false \
    }
#define SIGNED_UP_TO(shift, max) \
    {                            \
        shift, max, true         \
    }
#define FIELDS_MAX 16

struct id_register {
    uint64_t pass; /* bits shown as they are: registers whose fields are all old and harmless */
    struct id_field field[FIELDS_MAX];
};

#define PASS_ALL GENMASK(31, 0)

/* clang-format off */
static const struct id_register id_registers[8][8] = {
    [1] = {
        /* ID_PFR0: State0-3, CSV2, DIT */
        [0] = { .field = { UP_TO(0, 15), UP_TO(4, 15), UP_TO(8, 15), UP_TO(12, 15),
                           UP_TO(16, 1), UP_TO(24, 1) } },
        /* ID_PFR1: GenTimer, GIC */
        [1] = { .field = { UP_TO(16, 1), UP_TO(28, 1) } },
        /* ID_DFR0: CopDbg */
        [2] = { .field = { UP_TO(0, 6) } },
        /* ID_MMFR0 to ID_MMFR3 */
        [4] = { PASS_ALL }, [5] = { PASS_ALL }, [6] = { PASS_ALL }, [7] = { PASS_ALL },
    },
    [2] = {
        /* ID_ISAR0 to ID_ISAR5 */
        [0] = { PASS_ALL }, [1] = { PASS_ALL }, [2] = { PASS_ALL }, [3] = { PASS_ALL },
        [4] = { PASS_ALL }, [5] = { PASS_ALL },
        /* ID_MMFR4: AC2, CnP, HPDS, LSM, CCIDX */
        [6] = { .field = { UP_TO(4, 1), UP_TO(12, 1), UP_TO(16, 2), UP_TO(20, 1),
                           UP_TO(24, 1) } },
        /* ID_ISAR6: JSCVT, DP, FHM, SB, SPECRES, BF16, I8MM */
        [7] = { .field = { UP_TO(0, 1), UP_TO(4, 1), UP_TO(8, 1), UP_TO(12, 1), UP_TO(16, 1),
                           UP_TO(20, 1), UP_TO(24, 1) } },
    },
    [3] = {
        /* MVFR0 to MVFR2 */
        [0] = { PASS_ALL }, [1] = { PASS_ALL }, [2] = { PASS_ALL },
        /* ID_PFR2: CSV3, SSBS */
        [4] = { .field = { UP_TO(0, 1), UP_TO(4, 1) } },
        /* ID_MMFR5: ETS, nTLBPA */
        [6] = { .field = { UP_TO(0, 1), UP_TO(4, 1) } },
    },
    [4] = {
        /* ID_AA64PFR0: EL0, EL1 (AArch64 only), FP, AdvSIMD, GIC, DIT, CSV2, CSV3 */
        [0] = { .field = { UP_TO(0, 2), UP_TO(4, 1), SIGNED_UP_TO(16, 1), SIGNED_UP_TO(20, 1),
                           UP_TO(24, 1), UP_TO(48, 1), UP_TO(56, 1), UP_TO(60, 1) } },
        /* ID_AA64PFR1: BT, SSBS */
        [1] = { .field = { UP_TO(0, 1), UP_TO(4, 2) } },
    },
    [5] = {
        /* ID_AA64DFR0: DebugVer, BRPs, WRPs; no register beyond the two that those two mean */
        [0] = { .field = { UP_TO(0, 6), UP_TO(12, 1), UP_TO(20, 1) } },
    },
    [6] = {
        /* ID_AA64ISAR0: AES, SHA1, SHA2, CRC32, Atomic, RDM, SHA3, SM3, SM4, DP, FHM, TS, TLB,
         * RNDR */
        [0] = { .field = { UP_TO(4, 2), UP_TO(8, 1), UP_TO(12, 2), UP_TO(16, 1), UP_TO(20, 2),
                           UP_TO(28, 1), UP_TO(32, 1), UP_TO(36, 1), UP_TO(40, 1), UP_TO(44, 1),
                           UP_TO(48, 1), UP_TO(52, 2), UP_TO(56, 2), UP_TO(60, 1) } },
        /* ID_AA64ISAR1: DPB, JSCVT, FCMA, LRCPC, FRINTTS, SB, SPECRES, BF16, DGH, I8MM */
        [1] = { .field = { UP_TO(0, 2), UP_TO(12, 1), UP_TO(16, 1), UP_TO(20, 2), UP_TO(32, 1),
                           UP_TO(36, 1), UP_TO(40, 1), UP_TO(44, 1), UP_TO(48, 1),
                           UP_TO(52, 1) } },
        /* ID_AA64ISAR2: RPRES, BC, CLRBHB */
        [2] = { .field = { UP_TO(4, 1), UP_TO(20, 1), UP_TO(28, 1) } },
    },
    [7] = {
        /* ID_AA64MMFR0: PARange (40 bits), ASIDBits, BigEnd, BigEndEL0, TGran16, TGran64, TGran4 */
        [0] = { .field = { UP_TO(0, 2), UP_TO(4, 2), UP_TO(8, 1), UP_TO(16, 1), UP_TO(20, 1),
                           SIGNED_UP_TO(24, 0), SIGNED_UP_TO(28, 0) } },
        /* ID_AA64MMFR1: HAFDBS, HPDS, PAN, ETS, AFP, nTLBPA */
        [1] = { .field = { UP_TO(0, 2), UP_TO(12, 2), UP_TO(20, 3), UP_TO(36, 1), UP_TO(44, 1),
                           UP_TO(48, 1) } },
        /* ID_AA64MMFR2: CnP, UAO, LSM, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD */
        [2] = { .field = { UP_TO(0, 1), UP_TO(4, 1), UP_TO(8, 1), UP_TO(16, 1), UP_TO(20, 1),
                           UP_TO(28, 1), UP_TO(32, 1), UP_TO(36, 1), UP_TO(48, 1), UP_TO(52, 2),
                           UP_TO(60, 1) } },
    },
};

/* By number rather than name: assemblers know only the registers of their time. */
#define READ(crm, op2) case (crm) << 3 | (op2): return sysreg_read(S3_0_C0_C##crm##_##op2);
#define READ_ROW(crm) \
    READ(crm, 0) READ(crm, 1) READ(crm, 2) READ(crm, 3) \
    READ(crm, 4) READ(crm, 5) READ(crm, 6) READ(crm, 7)

static uint64_t host_register(unsigned crm, unsigned op2)
{
    switch (crm << 3 | op2) {
    READ_ROW(1) READ_ROW(2) READ_ROW(3) READ_ROW(4) READ_ROW(5) READ_ROW(6) READ_ROW(7)
    default: return 0;
    }
}
/* clang-format on */

/* The field of `host` as a guest sees it, in place. */
static uint64_t shown(struct id_field field, uint64_t host)
{
    unsigned value = (unsigned)(host >> field.shift) & 0xf;
    bool negative = field.is_signed && value >= 8;

    if (!negative && value > (unsigned)field.max)
        value = (unsigned)field.max;
    return (uint64_t)value << field.shift;
}

uint64_t arm64_idreg(unsigned crm, unsigned op2)
{
    const struct id_register *reg = &id_registers[crm & 7][op2 & 7];
    uint64_t host = host_register(crm & 7, op2 & 7);
    uint64_t value = host & reg->pass;

    for (unsigned i = 0; i < FIELDS_MAX; i++)
        value |= shown(reg->field[i], host);
    return value;
}
