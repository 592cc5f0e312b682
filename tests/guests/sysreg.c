/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the CPU says it can do, and whether it means it: features that are hidden read 0 in
 * the ID registers, and used anyway are undefined instructions.
 */
#include "tests/guests/lib/guest.h"

/* The register or instruction as its encoding, so that no assembler needs to know it. */
#define MRS(op0, op1, crn, crm, op2) \
    (0xd5200000u | (op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)

struct feature {
    const char *name;
    uint32_t id;    /* MRS x0 of the ID register */
    uint8_t shift;  /* of its field */
    uint32_t probe; /* an instruction that is undefined without it; may change x0 */
};

#define PFR0 MRS(3u, 0u, 0u, 4u, 0u)
#define PFR1 MRS(3u, 0u, 0u, 4u, 1u)
#define DFR0 MRS(3u, 0u, 0u, 5u, 0u)
#define ISAR1 MRS(3u, 0u, 0u, 6u, 1u)
#define MMFR1 MRS(3u, 0u, 0u, 7u, 1u)
#define MMFR3 MRS(3u, 0u, 0u, 7u, 3u)
#define ZERO 0xd2800000u /* mov x0, #0: "never there" */

static const struct feature hidden[] = {
    { "sve_registers", PFR0, 32, MRS(3u, 0u, 1u, 2u, 0u) },
    { "sve_instructions", PFR0, 32, 0x04bf5020 }, /* rdvl x0, #1 */
    { "activity_monitors", PFR0, 44, MRS(3u, 3u, 13u, 2u, 0u) },
    { "mpam", PFR0, 40, MRS(3u, 0u, 10u, 5u, 0u) },
    { "pointer_authentication", ISAR1, 4, MRS(3u, 0u, 2u, 1u, 0u) },
    { "memory_tagging", PFR1, 8, MRS(3u, 0u, 5u, 6u, 0u) },
    { "sme", PFR1, 24, MRS(3u, 0u, 1u, 2u, 6u) },
    { "performance_monitors", DFR0, 8, MRS(3u, 3u, 9u, 12u, 0u) },
    { "cycle_counter", DFR0, 8, MRS(3u, 3u, 9u, 13u, 0u) },
    { "statistical_profiling", DFR0, 32, MRS(3u, 0u, 9u, 10u, 0u) },
    { "trace_buffer", DFR0, 44, MRS(3u, 0u, 9u, 11u, 0u) },
    { "lo_regions", MMFR1, 16, MRS(3u, 0u, 10u, 4u, 3u) },
};

/* Either both, or neither. */
static const struct feature consistent[] = {
    { "error_records", PFR0, 28, MRS(3u, 0u, 5u, 3u, 0u) },
    { "tcr2", MMFR3, 0, MRS(3u, 0u, 2u, 0u, 3u) },
};

static const struct feature above[] = {
    { "hcr_el2", ZERO, 0, MRS(3u, 4u, 1u, 1u, 0u) },
    { "vttbr_el2", ZERO, 0, MRS(3u, 4u, 2u, 1u, 0u) },
    { "sctlr_el2", ZERO, 0, MRS(3u, 4u, 1u, 0u, 0u) },
    { "ich_hcr_el2", ZERO, 0, MRS(3u, 4u, 12u, 11u, 0u) },
    { "scr_el3", ZERO, 0, MRS(3u, 6u, 1u, 1u, 0u) },
    { "sp_el1", ZERO, 0, MRS(3u, 4u, 4u, 1u, 0u) },
};

/* The ESR of the instruction's fault, 0 for none; *value is x0 after it. */
static uint64_t probe(uint32_t instruction, uint64_t *value)
{
    uint64_t x[18] = { 0 };

    expect_faults();
    execute(instruction, x);
    *value = x[0];
    return expected_fault();
}

static uint64_t field(const struct feature *feature)
{
    uint64_t value;

    probe(feature->id, &value);
    return value >> feature->shift & 0xf;
}

static bool undefined(const struct feature *feature)
{
    uint64_t value;
    uint64_t esr = probe(feature->probe, &value);

    return esr != 0 && ESR_CLASS(esr) == CLASS_UNKNOWN;
}

static void id_registers(void)
{
    unsigned faults = 0;

    for (uint32_t crm = 1; crm <= 7; crm++) {
        for (uint32_t op2 = 0; op2 < 8; op2++) {
            uint64_t value;

            if (probe(MRS(3u, 0u, 0u, crm, op2), &value) != 0)
                faults++;
        }
    }
    check_equal("the_whole_id_space_reads", faults, 0);

    uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1);

    check_equal("no_el2_and_el3_for_guests", pfr0 >> 8 & 0xff, 0);
    check((pfr0 & 0x0f) != 0 && (pfr0 & 0xf0) != 0, "el0_and_el1_are_64_bit");
}

static void debug(void)
{
    uint64_t value;

    check(probe(MRS(2u, 0u, 0u, 2u, 2u), &value) == 0, "mdscr_reads");
    /* The OS lock, written by every kernel at its start. */
    check(probe(0xd5101080, &value) == 0, "oslar_writes");
    check(probe(MRS(2u, 0u, 0u, 0u, 4u), &value) == 0, "dbgbvr_reads");
}

static void features(const struct feature *table, size_t count, bool must_hide)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t there = field(&table[i]);
        bool gone = undefined(&table[i]);

        check(must_hide ? there == 0 && gone : (there == 0) == gone, table[i].name);
    }
}

static void floating_point(void)
{
    uint64_t x;

    asm volatile("fmov d0, %1\n\tfadd d0, d0, d0\n\tfmov %0, d0"
                 : "=r"(x)
                 : "r"(0x4000000000000000));
    check_equal("floating_point_adds", x, 0x4010000000000000);
}

/* Else CPACR_EL1 would trap SVE and SME to this guest's own vectors, hidden or not. */
#define CPACR_ZEN (3u << 16)
#define CPACR_SMEN (3u << 24)

void guest_main(void)
{
    sysreg_write(cpacr_el1, sysreg_read(cpacr_el1) | CPACR_ZEN | CPACR_SMEN);
    isb();
    id_registers();
    features(hidden, ARRAY_SIZE(hidden), true);
    features(consistent, ARRAY_SIZE(consistent), false);
    features(above, ARRAY_SIZE(above), true);
    debug();
    floating_point();
}
