/* SPDX-License-Identifier: BSD-2-Clause */
/* Trapped system registers, the ID registers among them, and what an undefined one injects. */
#include <arch/cpu.h>
#include <arch/ipi.h>
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "arch/arm64/idregs.h"
#include "arch/arm64/inject.h"
#include "arch/arm64/syndrome.h"
#include "arch/arm64/sysreg_trap.h"
#include "arch/hv.h"

#define READ 1u
#define ISS(op0, op1, crn, crm, op2, rt, read) \
    ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1 | (read))

#define PC 0xffff800010001000u
#define VBAR 0xffff800020000800u

static struct hv_vcpu vcpu;
static struct vm_exit vm_exit;

static int set_up(void **state)
{
    (void)state;
    fake_sysreg_reset();
    sysreg_write(vbar_el1, VBAR);
    sysreg_write(sctlr_el1, SCTLR_SPAN);
    vcpu = (struct hv_vcpu){ .pc = PC, .pstate = PSTATE_EL1H };
    vm_exit = (struct vm_exit){ .reason = VM_EXIT_REASONS };
    return 0;
}

static bool is_undefined(void)
{
    return vcpu.pc == VBAR + 0x200 && sysreg_read(esr_el1) == ESR_IL && sysreg_read(elr_el1) == PC;
}

/* A CPU with this in all of its ID registers. */
static void this_cpu_has(uint64_t value)
{
    char name[16];

    for (unsigned crm = 1; crm < 8; crm++)
        for (unsigned op2 = 0; op2 < 8; op2++) {
            static char names[8][8][16];

            snprintf(name, sizeof(name), "S3_0_C0_C%u_%u", crm, op2);
            snprintf(names[crm][op2], sizeof(name), "%s", name);
            *fake_sysreg(names[crm][op2]) = value;
        }
    arm64_idregs_note_cpu();
}

static void every_bit_of_the_host(uint64_t value)
{
    arm64_idregs_init();
    this_cpu_has(value);
}

static void a_cpu_that_has_everything_shows_only_what_is_allowed(void **state)
{
    (void)state;
    every_bit_of_the_host(0x7777777777777777);
    assert_int_equal(arm64_idreg(4, 0), 0x1101000001110012); /* no SVE, RAS, EL2, EL3 */
    assert_int_equal(arm64_idreg(4, 1), 0x21);               /* no MTE, SME */
    assert_int_equal(arm64_idreg(4, 4), 0);                  /* SVE */
    assert_int_equal(arm64_idreg(4, 5), 0);                  /* SME */
    assert_int_equal(arm64_idreg(5, 0), 0x70707006);         /* no PMU, trace, profiling */
    assert_int_equal(arm64_idreg(6, 0), 0x1221111110212120); /* no TME */
    assert_int_equal(arm64_idreg(6, 1), 0x0011111100211002); /* no PAuth, LS64 */
    assert_int_equal(arm64_idreg(6, 2), 0x10100010);         /* no PAuth, MOPS, WFxT */
    assert_int_equal(arm64_idreg(7, 0), 0x110122);           /* 40 bits; no ECV, FGT */
    assert_int_equal(arm64_idreg(7, 1), 0x0001101000302002); /* no VMIDBits, VH, LO */
    assert_int_equal(arm64_idreg(7, 2), 0x1021001110110111); /* no NV, FWB, EVT */
}

static void a_cpu_that_has_nothing_shows_nothing(void **state)
{
    (void)state;
    every_bit_of_the_host(0);
    for (unsigned crm = 1; crm < 8; crm++)
        for (unsigned op2 = 0; op2 < 8; op2++)
            assert_int_equal(arm64_idreg(crm, op2), 0);
}

static void guests_see_what_all_cpus_have(void **state)
{
    (void)state;
    every_bit_of_the_host(0x2222222222222222);
    this_cpu_has(0x0101010101010101);
    this_cpu_has(0x1111111111111111);
    assert_int_equal(arm64_idreg(4, 0), 0x0101000001010001);
    assert_int_equal(arm64_idreg(6, 0), 0x0101010100010100); /* of 0x1221111110212120 */
    assert_int_equal(arm64_idreg(1, 4), 0x01010101);         /* ID_MMFR0 */
    assert_int_equal(arm64_idreg(5, 0), 1);
}

static void a_signed_field_is_least_where_it_is_not_implemented(void **state)
{
    (void)state;
    every_bit_of_the_host(0);
    assert_int_equal(arm64_idreg(7, 0) & 0xff000000, 0); /* TGran64, TGran4: implemented */
    this_cpu_has(0xf0f00000f0000000);
    assert_int_equal(arm64_idreg(7, 0) & 0xff000000, 0xf0000000);
    this_cpu_has(0);
    assert_int_equal(arm64_idreg(7, 0) & 0xff000000, 0xf0000000);
}

static void a_signed_field_of_f_says_not_implemented(void **state)
{
    (void)state;
    every_bit_of_the_host(UINT64_MAX);
    assert_int_equal(arm64_idreg(4, 0) & 0xff0000, 0xff0000);     /* FP, AdvSIMD */
    assert_int_equal(arm64_idreg(7, 0) & 0xff000000, 0xff000000); /* TGran64, TGran4 */
    assert_int_equal(arm64_idreg(7, 0) & 0xf00000, 0x100000);     /* TGran16 is not signed */
}

static void reserved_id_registers_read_zero(void **state)
{
    static const uint8_t reserved[][2] = { { 3, 3 }, { 3, 7 }, { 4, 2 }, { 4, 3 }, { 4, 6 },
                                           { 5, 2 }, { 6, 3 }, { 6, 7 }, { 7, 3 }, { 7, 7 } };

    (void)state;
    every_bit_of_the_host(UINT64_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        assert_int_equal(arm64_idreg(reserved[i][0], reserved[i][1]), 0);
}

static void an_id_register_is_read_into_its_register(void **state)
{
    (void)state;
    every_bit_of_the_host(0x2222222222222222);
    assert_true(sysreg_trap(&vcpu, ISS(3u, 0, 0, 4, 1, 7u, READ), &vm_exit));
    assert_int_equal(vcpu.x[7], 0x21);
    assert_int_equal(vcpu.pc, PC + 4);
}

static void an_id_register_cannot_be_written(void **state)
{
    (void)state;
    assert_true(sysreg_trap(&vcpu, ISS(3u, 0, 0, 4, 1, 7u, 0), &vm_exit));
    assert_true(is_undefined());
}

static void reads_into_xzr_change_nothing(void **state)
{
    const struct hv_vcpu before = vcpu;

    (void)state;
    assert_true(sysreg_trap(&vcpu, ISS(2u, 0, 1, 1, 4, 31u, READ), &vm_exit)); /* OSLSR */
    assert_memory_equal(vcpu.x, before.x, sizeof(vcpu.x));
    assert_int_equal(vcpu.pc, PC + 4);
}

static void an_sgi_is_an_exit_with_its_value(void **state)
{
    static const uint8_t kinds[] = { IPI_SGI1R, IPI_ASGI1R, IPI_SGI0R };

    (void)state;
    vcpu.x[9] = 0x123456789abcdef0;
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        assert_false(sysreg_trap(&vcpu, ISS(3u, 0, 12, 11, 5 + i, 9u, 0), &vm_exit));
        assert_int_equal(vm_exit.reason, VM_EXIT_IPI);
        assert_int_equal(vm_exit.ipi.kind, kinds[i]);
        assert_int_equal(vm_exit.ipi.value, vcpu.x[9]);
    }
    assert_false(sysreg_trap(&vcpu, ISS(3u, 0, 12, 11, 5, 31u, 0), &vm_exit));
    assert_int_equal(vm_exit.ipi.value, 0);
    assert_int_equal(vcpu.pc, PC);
}

static void sgi_registers_cannot_be_read(void **state)
{
    (void)state;
    assert_true(sysreg_trap(&vcpu, ISS(3u, 0, 12, 11, 5, 9u, READ), &vm_exit));
    assert_true(is_undefined());
}

#define MDSCR(rt, read) ISS(2u, 0, 0, 2, 2, rt, read)
#define BVR(n, rt, read) ISS(2u, 0, 0, n, 4, rt, read)
#define BCR(n, rt, read) ISS(2u, 0, 0, n, 5, rt, read)
#define WVR(n, rt, read) ISS(2u, 0, 0, n, 6, rt, read)
#define WCR(n, rt, read) ISS(2u, 0, 0, n, 7, rt, read)
#define MDE 0x8000u

/* What `iss` reads, or that it is undefined. */
static uint64_t read_of(uint32_t iss)
{
    vcpu.pc = PC;
    vcpu.x[30] = 0;
    assert_true(sysreg_trap(&vcpu, iss | 30u << 5 | READ, &vm_exit));
    assert_int_equal(vcpu.pc, PC + 4);
    return vcpu.x[30];
}

static void write_of(uint32_t iss, uint64_t value)
{
    vcpu.pc = PC;
    vcpu.x[30] = value;
    assert_true(sysreg_trap(&vcpu, iss | 30u << 5, &vm_exit));
    assert_int_equal(vcpu.pc, PC + 4);
}

static bool undefined(uint32_t iss)
{
    vcpu.pc = PC;
    assert_true(sysreg_trap(&vcpu, iss, &vm_exit));
    return is_undefined();
}

static void a_cpu_with_breakpoints(unsigned count)
{
    every_bit_of_the_host((uint64_t)(count - 1) << 12 | (uint64_t)(count - 1) << 20 | 6);
}

static void mdscr_has_step_and_breakpoints_but_nothing_of_an_external_debugger(void **state)
{
    (void)state;
    a_cpu_with_breakpoints(2);
    write_of(MDSCR(0, 0), UINT64_MAX);
    assert_int_equal(read_of(MDSCR(0, 0)), 0xb001);
    assert_int_equal(sysreg_read(mdscr_el1), 0xb001);
}

static void breakpoints_are_there_up_to_their_number(void **state)
{
    (void)state;
    a_cpu_with_breakpoints(6);
    for (unsigned op2 = 4; op2 < 8; op2++) {
        assert_int_equal(read_of(ISS(2u, 0, 0, 5, op2, 0, 0)), 0);
        assert_true(undefined(ISS(2u, 0, 0, 6, op2, 1u, READ)));
        assert_true(undefined(ISS(2u, 0, 0, 6, op2, 1u, 0)));
        assert_true(undefined(ISS(2u, 0, 0, 15, op2, 1u, 0)));
    }
}

/* HMC (13), SSC (15:14) and the VMID types (23) would match elsewhere than at EL1 and EL0. */
static void breakpoints_match_in_the_guest_only(void **state)
{
    (void)state;
    a_cpu_with_breakpoints(16);
    write_of(BVR(15, 0, 0), 0xffff800012345678);
    write_of(BCR(15, 0, 0), UINT64_MAX);
    write_of(WVR(15, 0, 0), 0x1234);
    write_of(WCR(15, 0, 0), UINT64_MAX);
    assert_int_equal(read_of(BVR(15, 0, 0)), 0xffff800012345678);
    assert_int_equal(read_of(BCR(15, 0, 0)), 0x7f01e7);
    assert_int_equal(read_of(WVR(15, 0, 0)), 0x1234);
    assert_int_equal(read_of(WCR(15, 0, 0)), 0x1f1f1fff);
}

/* Off, they are nobody's: the CPU may hold another vCPU's. */
static void breakpoints_reach_the_cpu_while_they_are_on(void **state)
{
    (void)state;
    a_cpu_with_breakpoints(2);
    *fake_sysreg("S2_0_C0_C1_4") = 0xdead;
    write_of(BVR(0, 0, 0), 0x1000);
    write_of(WCR(1, 0, 0), 1);
    assert_int_equal(*fake_sysreg("S2_0_C0_C0_4"), 0);
    write_of(MDSCR(0, 0), MDE);
    assert_int_equal(*fake_sysreg("S2_0_C0_C0_4"), 0x1000);
    assert_int_equal(*fake_sysreg("S2_0_C0_C1_4"), 0);
    assert_int_equal(*fake_sysreg("S2_0_C0_C1_7"), 1);
    write_of(BCR(1, 0, 0), 0x1e5);
    assert_int_equal(*fake_sysreg("S2_0_C0_C1_5"), 0x1e5);
    assert_int_equal(*fake_sysreg("S2_0_C0_C2_4"), 0); /* the CPU may not have it */
    write_of(MDSCR(0, 0), 0);
    write_of(BCR(1, 0, 0), 0);
    assert_int_equal(*fake_sysreg("S2_0_C0_C1_5"), 0x1e5);
}

static void whatever_has_no_line_is_undefined(void **state)
{
    static const uint32_t unknown[] = {
        ISS(3u, 3, 9, 12, 0, 1u, READ), /* PMCR_EL0 */
        ISS(3u, 0, 2, 1, 0, 1u, 0),     /* APIAKeyLo_EL1 */
        ISS(3u, 0, 15, 2, 0, 1u, READ), /* IMPLEMENTATION DEFINED */
        ISS(3u, 1, 0, 0, 6, 1u, READ),  /* SMIDR_EL1 */
        ISS(2u, 1, 0, 0, 0, 1u, READ),  /* trace */
        ISS(3u, 4, 1, 1, 0, 1u, 0),     /* HCR_EL2 */
        ISS(2u, 0, 1, 0, 4, 1u, READ),  /* OSLAR_EL1 is written only */
        ISS(2u, 0, 1, 1, 4, 1u, 0),     /* OSLSR_EL1 is read only */
        ISS(3u, 0, 0, 0, 0, 1u, READ),  /* MIDR_EL1: not in the group that traps */
    };

    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        set_up(state);
        assert_true(sysreg_trap(&vcpu, unknown[i], &vm_exit));
        assert_true(is_undefined());
    }
}

static void any_syndrome_is_answered(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t pc = vcpu.pc;
        uint32_t iss;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        iss = (uint32_t)(seed >> 39);
        if (sysreg_trap(&vcpu, iss, &vm_exit))
            assert_true(vcpu.pc == pc + 4 || vcpu.pc == VBAR + 0x200);
        else
            assert_int_equal(vm_exit.reason, VM_EXIT_IPI);
    }
}

static void the_vector_follows_from_where_the_guest_was(void **state)
{
    static const struct {
        uint64_t pstate, offset;
    } cases[] = {
        { PSTATE_EL1H, 0x200 },
        { PSTATE_EL1H & ~PSTATE_SP, 0x000 },
        { 0, 0x400 },
        { PSTATE_NRW, 0x600 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_up(state);
        vcpu.pstate = cases[i].pstate | PSTATE_NZCV;
        arm64_inject_undef(&vcpu);
        assert_int_equal(vcpu.pc, VBAR + cases[i].offset);
        assert_int_equal(sysreg_read(spsr_el1), cases[i].pstate | PSTATE_NZCV);
        assert_int_equal(vcpu.pstate, PSTATE_EL1H | PSTATE_DAIF | PSTATE_NZCV);
    }
}

static void an_abort_tells_address_and_syndrome(void **state)
{
    (void)state;
    arm64_inject_data_abort(&vcpu, 0x1234, ISS_WNR | FSC_EXTERNAL);
    assert_int_equal(sysreg_read(far_el1), 0x1234);
    assert_int_equal(sysreg_read(esr_el1), 0x96000050);
    set_up(state);
    vcpu.pstate = 0;
    arm64_inject_data_abort(&vcpu, 0x1234, FSC_EXTERNAL);
    assert_int_equal(sysreg_read(esr_el1), 0x92000010);
    set_up(state);
    arm64_inject_instruction_abort(&vcpu, 0x5678, FSC_EXTERNAL);
    assert_int_equal(sysreg_read(far_el1), 0x5678);
    assert_int_equal(sysreg_read(esr_el1), 0x86000010);
    set_up(state);
    vcpu.pstate = 0;
    arm64_inject_instruction_abort(&vcpu, 0x5678, FSC_EXTERNAL);
    assert_int_equal(sysreg_read(esr_el1), 0x82000010);
}

static void exception_entry_sets_pan_and_ssbs_as_sctlr_says(void **state)
{
    (void)state;
    sysreg_write(sctlr_el1, SCTLR_DSSBS); /* SPAN 0 */
    vcpu.pstate |= PSTATE_IL | PSTATE_SS | PSTATE_UAO | PSTATE_BTYPE | PSTATE_DIT;
    arm64_inject_undef(&vcpu);
    assert_int_equal(vcpu.pstate,
                     PSTATE_EL1H | PSTATE_DAIF | PSTATE_PAN | PSTATE_SSBS | PSTATE_DIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cpu_that_has_everything_shows_only_what_is_allowed, set_up),
        cmocka_unit_test_setup(a_cpu_that_has_nothing_shows_nothing, set_up),
        cmocka_unit_test_setup(guests_see_what_all_cpus_have, set_up),
        cmocka_unit_test_setup(a_signed_field_is_least_where_it_is_not_implemented, set_up),
        cmocka_unit_test_setup(a_signed_field_of_f_says_not_implemented, set_up),
        cmocka_unit_test_setup(reserved_id_registers_read_zero, set_up),
        cmocka_unit_test_setup(an_id_register_is_read_into_its_register, set_up),
        cmocka_unit_test_setup(an_id_register_cannot_be_written, set_up),
        cmocka_unit_test_setup(reads_into_xzr_change_nothing, set_up),
        cmocka_unit_test_setup(an_sgi_is_an_exit_with_its_value, set_up),
        cmocka_unit_test_setup(sgi_registers_cannot_be_read, set_up),
        cmocka_unit_test_setup(mdscr_has_step_and_breakpoints_but_nothing_of_an_external_debugger,
                               set_up),
        cmocka_unit_test_setup(breakpoints_are_there_up_to_their_number, set_up),
        cmocka_unit_test_setup(breakpoints_match_in_the_guest_only, set_up),
        cmocka_unit_test_setup(breakpoints_reach_the_cpu_while_they_are_on, set_up),
        cmocka_unit_test_setup(whatever_has_no_line_is_undefined, set_up),
        cmocka_unit_test_setup(any_syndrome_is_answered, set_up),
        cmocka_unit_test_setup(the_vector_follows_from_where_the_guest_was, set_up),
        cmocka_unit_test_setup(an_abort_tells_address_and_syndrome, set_up),
        cmocka_unit_test_setup(exception_entry_sets_pan_and_ssbs_as_sctlr_says, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
