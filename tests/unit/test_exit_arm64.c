/* SPDX-License-Identifier: BSD-2-Clause */
/* How exits of arm64 are decoded: what is answered at once, and what vm/ is told. */
#include <arch/cpu.h>
#include <arch/smccc.h>
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/arm64/arm64.h"
#include "arch/arm64/at.h"
#include "arch/arm64/emulate.h"
#include "arch/arm64/syndrome.h"

#define PC 0x40080000u
#define VBAR 0x40000800u
#define GVA 0xffff800012345678u
#define FSC_TRANSLATION 0x07u
#define FSC_PERMISSION 0x0fu

static struct hv_vcpu vcpu;
static struct vm_exit vm_exit;
static unsigned answers;
static uint64_t par; /* what AT finds */
static enum arm64_at asked;

uint64_t arm64_at(enum arm64_at kind, uint64_t va)
{
    (void)va;
    asked = kind;
    return par;
}

static bool answer(struct hv_vcpu *of, const struct vm_exit *exit)
{
    assert_ptr_equal(of, &vcpu);
    assert_ptr_equal(exit, &vm_exit);
    answers++;
    return false;
}

static int set_up(void **state)
{
    (void)state;
    fake_sysreg_reset();
    sysreg_write(vbar_el1, VBAR);
    sysreg_write(far_el2, GVA);
    sysreg_write(hpfar_el2, 0x09000000 >> 8);
    vcpu = (struct hv_vcpu){ .pc = PC, .pstate = PSTATE_EL1H };
    vm_exit = (struct vm_exit){ .reason = VM_EXIT_REASONS };
    answers = 0;
    par = 0x47654000;
    asked = AT_EL0_WRITE;
    return 0;
}

/* As vectors.S does it. True: back into the guest without an answer. */
static bool leave_as(uint64_t esr)
{
    vcpu.esr = esr;
    return arm64_exits[FIELD_GET(ESR_EC, esr)](&vcpu, &vm_exit, answer, esr);
}

static bool leave(enum esr_ec ec, uint64_t iss)
{
    return leave_as(FIELD_PREP(ESR_EC, ec) | ESR_IL | iss);
}

static void a_call_with_another_immediate_is_nobodys(void **state)
{
    (void)state;
    vcpu.x[0] = PSCI_VERSION;
    assert_true(leave(EC_HVC64, 1));
    assert_int_equal(vcpu.x[0], UINT64_MAX);
    assert_int_equal(vcpu.pc, PC);
    vcpu.x[0] = PSCI_VERSION;
    assert_true(leave(EC_SMC64, 0xffff));
    assert_int_equal(vcpu.x[0], UINT64_MAX);
    assert_int_equal(vcpu.pc, PC + 4);
    assert_int_equal(answers, 0);
}

static void other_calls_are_passed_on(void **state)
{
    (void)state;
    vcpu.x[0] = 0x84000008;
    assert_false(leave(EC_SMC64, 0));
    assert_int_equal(vm_exit.reason, VM_EXIT_HYPERCALL);
    assert_true(vm_exit.hypercall.smc);
    assert_int_equal(answers, 1);
}

static void hidden_features_are_undefined(void **state)
{
    static const uint8_t classes[] = { EC_FP, EC_PAUTH, EC_LS64, EC_SVE, EC_SME, 0x3f };

    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
        set_up(state);
        assert_true(leave(classes[i], 0));
        assert_int_equal(vcpu.pc, VBAR + 0x200);
        assert_int_equal(sysreg_read(esr_el1), ESR_IL);
    }
}

static void a_plain_access_tells_all(void **state)
{
    (void)state;
    vcpu.x[3] = 0x1122334455667788;
    assert_false(leave(EC_DATA_ABORT_LOWER, ISS_ISV | FIELD_PREP(ISS_SAS, 1) |
                                                FIELD_PREP(ISS_SRT, 3) | ISS_WNR |
                                                FSC_TRANSLATION));
    assert_int_equal(vm_exit.reason, VM_EXIT_MEMORY);
    assert_int_equal(vm_exit.memory.gpa.raw, 0x09000678);
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_WRITE);
    assert_int_equal(vm_exit.memory.size, 2);
    assert_int_equal(vm_exit.memory.value, 0x7788);
    assert_true(vm_exit.memory.decoded);
}

static void cache_maintenance_without_memory_is_done(void **state)
{
    static const uint64_t types[] = { FSC_TRANSLATION, FSC_PERMISSION };

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        set_up(state);
        assert_true(leave(EC_DATA_ABORT_LOWER, ISS_CM | ISS_WNR | types[i]));
        assert_int_equal(answers, 0);
        assert_int_equal(vcpu.pc, PC + 4);
    }
}

/* It did not come to its address: the table is to be brought in first. */
static void a_walk_for_cache_maintenance_is_a_walk(void **state)
{
    (void)state;
    assert_false(leave(EC_DATA_ABORT_LOWER, ISS_CM | ISS_WNR | ISS_S1PTW | FSC_TRANSLATION));
    assert_true(vm_exit.memory.table_walk);
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_READ);
    assert_int_equal(vcpu.pc, PC);
}

/* EL0 may execute such a page and not read it; a fetch that is refused must not be retried. */
static void a_page_that_el0_may_only_execute_is_found(void **state)
{
    (void)state;
    vcpu.pstate = 0;
    assert_false(leave(EC_INSTRUCTION_ABORT_LOWER, FSC_PERMISSION));
    assert_int_equal(asked, AT_EL1_READ);
    assert_int_equal(vm_exit.memory.gpa.raw, 0x47654678);
    assert_int_equal(vm_exit.memory.access, VM_ACCESS_EXEC);
    assert_true(vm_exit.memory.permission);
}

static void what_is_no_longer_mapped_is_the_guests_own_fault(void **state)
{
    (void)state;
    par = PAR_F;
    assert_true(leave(EC_DATA_ABORT_LOWER, ISS_WNR | FSC_PERMISSION));
    assert_int_equal(answers, 0);
    assert_int_equal(vcpu.pc, PC);
}

static void an_external_abort_has_no_address(void **state)
{
    (void)state;
    assert_false(leave(EC_DATA_ABORT_LOWER, ISS_ISV | FSC_EXTERNAL));
    assert_true(vm_exit.memory.external);
    assert_false(vm_exit.memory.decoded);
}

static void any_syndrome_is_decoded(void **state)
{
    uint64_t seed = 1;

    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        set_up(state);
        vcpu.pstate = seed >> 20 & 4 ? PSTATE_EL1H : 0;
        vm_exit.reason = VM_EXIT_REASONS;
        if (!leave_as(seed >> 32))
            assert_true(vm_exit.reason < VM_EXIT_REASONS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_call_with_another_immediate_is_nobodys, set_up),
        cmocka_unit_test_setup(other_calls_are_passed_on, set_up),
        cmocka_unit_test_setup(hidden_features_are_undefined, set_up),
        cmocka_unit_test_setup(a_plain_access_tells_all, set_up),
        cmocka_unit_test_setup(cache_maintenance_without_memory_is_done, set_up),
        cmocka_unit_test_setup(a_walk_for_cache_maintenance_is_a_walk, set_up),
        cmocka_unit_test_setup(a_page_that_el0_may_only_execute_is_found, set_up),
        cmocka_unit_test_setup(what_is_no_longer_mapped_is_the_guests_own_fault, set_up),
        cmocka_unit_test_setup(an_external_abort_has_no_address, set_up),
        cmocka_unit_test_setup(any_syndrome_is_decoded, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
