/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ID registers by allow list: for each field, the highest value that a guest is shown. A field
 * shows what every CPU of the machine has, up to that, so that all vCPUs are alike wherever
 * they run; a field not listed reads as zero ("not implemented").
 * Hidden are: what is not switched between vCPUs (SVE, SME, MTE, PAuth keys, PMU, trace,
 * profiling, AMU, MPAM, error records), what only EL2 and EL3 could use, and what is unknown.
 *
 *     AArch64   C4: PFR   C5: DFR, AFR   C6: ISAR   C7: MMFR
 *     AArch32   C1: PFR, DFR, AFR, MMFR   C2: ISAR, MMFR4   C3: MVFR, PFR2, MMFR5
 */
#include "arch/arm64/idregs.h"

#include <arch/cpu.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/spinlock.h"

/* Fields have four bits, at `shift`. Names of the manual stand in the table. */
#define UP_TO(shift, max) ((uint64_t)(max) << (shift))
#define SIGNED(shift) (8ULL << (shift)) /* 0xf is less than 0, which means "implemented" */
#define ALL GENMASK(31, 0)              /* registers whose fields are all old and harmless */

struct id_register {
    uint64_t max;
    uint64_t is_signed;
};

/* clang-format off */
static const struct id_register id_registers[8][8] = {
    [1] = {
        /* ID_PFR0: State0-3, CSV2, DIT */
        [0] = { UP_TO(0, 15) | UP_TO(4, 15) | UP_TO(8, 15) | UP_TO(12, 15) |
                UP_TO(16, 1) | UP_TO(24, 1) },
        /* ID_PFR1: GenTimer, GIC */
        [1] = { UP_TO(16, 1) | UP_TO(28, 1) },
        /* ID_DFR0: CopDbg */
        [2] = { UP_TO(0, 6) },
        /* ID_MMFR0 to ID_MMFR3 */
        [4] = { ALL }, [5] = { ALL }, [6] = { ALL }, [7] = { ALL },
    },
    [2] = {
        /* ID_ISAR0 to ID_ISAR5 */
        [0] = { ALL }, [1] = { ALL }, [2] = { ALL }, [3] = { ALL },
        [4] = { ALL }, [5] = { ALL },
        /* ID_MMFR4: AC2, CnP, HPDS, LSM, CCIDX */
        [6] = { UP_TO(4, 1) | UP_TO(12, 1) | UP_TO(16, 2) | UP_TO(20, 1) |
                UP_TO(24, 1) },
        /* ID_ISAR6: JSCVT, DP, FHM, SB, SPECRES, BF16, I8MM */
        [7] = { UP_TO(0, 1) | UP_TO(4, 1) | UP_TO(8, 1) | UP_TO(12, 1) | UP_TO(16, 1) |
                UP_TO(20, 1) | UP_TO(24, 1) },
    },
    [3] = {
        /* MVFR0 to MVFR2 */
        [0] = { ALL }, [1] = { ALL }, [2] = { ALL },
        /* ID_PFR2: CSV3, SSBS */
        [4] = { UP_TO(0, 1) | UP_TO(4, 1) },
        /* ID_MMFR5: ETS, nTLBPA */
        [6] = { UP_TO(0, 1) | UP_TO(4, 1) },
    },
    [4] = {
        /* ID_AA64PFR0: EL0, EL1 (AArch64 only), FP, AdvSIMD, GIC, DIT, CSV2, CSV3 */
        [0] = { UP_TO(0, 2) | UP_TO(4, 1) | UP_TO(16, 1) | UP_TO(20, 1) |
                UP_TO(24, 1) | UP_TO(48, 1) | UP_TO(56, 1) | UP_TO(60, 1),
                SIGNED(16) | SIGNED(20) },
        /* ID_AA64PFR1: BT, SSBS */
        [1] = { UP_TO(0, 1) | UP_TO(4, 2) },
    },
    [5] = {
        /* ID_AA64DFR0: DebugVer, BRPs, WRPs, CTX_CMPs */
        [0] = { UP_TO(0, 6) | UP_TO(12, 15) | UP_TO(20, 15) | UP_TO(28, 15) },
    },
    [6] = {
        /* ID_AA64ISAR0: AES, SHA1, SHA2, CRC32, Atomic, RDM, SHA3, SM3, SM4, DP, FHM, TS, TLB,
         * RNDR */
        [0] = { UP_TO(4, 2) | UP_TO(8, 1) | UP_TO(12, 2) | UP_TO(16, 1) | UP_TO(20, 2) |
                UP_TO(28, 1) | UP_TO(32, 1) | UP_TO(36, 1) | UP_TO(40, 1) | UP_TO(44, 1) |
                UP_TO(48, 1) | UP_TO(52, 2) | UP_TO(56, 2) | UP_TO(60, 1) },
        /* ID_AA64ISAR1: DPB, JSCVT, FCMA, LRCPC, FRINTTS, SB, SPECRES, BF16, DGH, I8MM */
        [1] = { UP_TO(0, 2) | UP_TO(12, 1) | UP_TO(16, 1) | UP_TO(20, 2) | UP_TO(32, 1) |
                UP_TO(36, 1) | UP_TO(40, 1) | UP_TO(44, 1) | UP_TO(48, 1) |
                UP_TO(52, 1) },
        /* ID_AA64ISAR2: RPRES, BC, CLRBHB */
        [2] = { UP_TO(4, 1) | UP_TO(20, 1) | UP_TO(28, 1) },
    },
    [7] = {
        /* ID_AA64MMFR0: PARange (40 bits), ASIDBits, BigEnd, BigEndEL0, TGran16, TGran64, TGran4 */
        [0] = { UP_TO(0, 2) | UP_TO(4, 2) | UP_TO(8, 1) | UP_TO(16, 1) | UP_TO(20, 1) |
                UP_TO(24, 0) | UP_TO(28, 0),
                SIGNED(24) | SIGNED(28) },
        /* ID_AA64MMFR1: HAFDBS, HPDS, PAN, ETS, AFP, nTLBPA */
        [1] = { UP_TO(0, 2) | UP_TO(12, 2) | UP_TO(20, 3) | UP_TO(36, 1) | UP_TO(44, 1) |
                UP_TO(48, 1) },
        /* ID_AA64MMFR2: CnP, UAO, LSM, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD */
        [2] = { UP_TO(0, 1) | UP_TO(4, 1) | UP_TO(8, 1) | UP_TO(16, 1) | UP_TO(20, 1) |
                UP_TO(28, 1) | UP_TO(32, 1) | UP_TO(36, 1) | UP_TO(48, 1) | UP_TO(52, 2) |
                UP_TO(60, 1) },
    },
};

/* clang-format on */

static uint64_t shown[8][8] SEALED;
static bool is_noted SEALED;            /* of one CPU at least */
static spinlock_t lock = SPINLOCK_INIT; /* while CPUs start; innermost */

/* Field by field the lesser value. With the top bits of signed fields flipped, all are plain. */
static inline uint64_t lesser(uint64_t a, uint64_t b, uint64_t is_signed)
{
    const uint64_t top = 0x8888888888888888;
    uint64_t x = a ^ is_signed, y = b ^ is_signed;
    uint64_t not_below = (x | top) - (y & ~top); /* in its top bits, by the lower three */
    uint64_t below = ((~x & y) | (~(x ^ y) & ~not_below)) & top;
    uint64_t take_a = (below >> 3) * 0xf;

    return (a & take_a) | (b & ~take_a);
}

void arm64_idregs_init(void)
{
    is_noted = false;
}

/* On the first CPU, most of whose fields are taken as they are: it is on the way to a guest. */
static inline uint64_t first(uint64_t host, const struct id_register *reg)
{
    return reg->max == ALL ? host & ALL : lesser(host, reg->max, reg->is_signed);
}

/* By number rather than name: assemblers know only the registers of their time. */
/* clang-format off */
#define NOTE(crm, op2)                                                                    \
    if (id_registers[crm][op2].max != 0) {                                                \
        uint64_t host = sysreg_read(S3_0_C0_C##crm##_##op2);                              \
        const struct id_register *reg = &id_registers[crm][op2];                          \
        shown[crm][op2] = is_first ? first(host, reg)                                     \
                                   : lesser(host, shown[crm][op2], reg->is_signed);       \
    }
#define NOTE_ROW(crm) \
    NOTE(crm, 0) NOTE(crm, 1) NOTE(crm, 2) NOTE(crm, 3) \
    NOTE(crm, 4) NOTE(crm, 5) NOTE(crm, 6) NOTE(crm, 7)

static inline __attribute__((always_inline)) void note(const bool is_first)
{
    NOTE_ROW(1) NOTE_ROW(2) NOTE_ROW(3) NOTE_ROW(4) NOTE_ROW(5) NOTE_ROW(6) NOTE_ROW(7)
}
/* clang-format on */

void arm64_idregs_note_cpu(void)
{
    spin_lock(&lock);
    if (is_noted)
        note(false);
    else
        note(true);
    is_noted = true;
    spin_unlock(&lock);
}

uint64_t arm64_idreg(unsigned crm, unsigned op2)
{
    return shown[crm & 7][op2 & 7];
}
