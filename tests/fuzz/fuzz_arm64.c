/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64's emulation of whatever instruction is found where a guest trapped, on a bus that may
 * refuse: each access is aligned and within its page, and there are no more than one
 * instruction makes.
 */
#include <arch/cpu.h>
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arm64/at.h"
#include "arch/arm64/emulate.h"
#include "arch/arm64/fpreg.h"
#include "arch/arm64/insn.h"
#include "arch/arm64/syndrome.h"
#include "tests/fuzz/fuzz.h"

#define ROUNDS 200000

static struct hv_vcpu vcpu;
static uint8_t simd[32][16];
static uint32_t word;
static unsigned accesses;

uint64_t arm64_at(enum arm64_at kind, uint64_t va)
{
    assert_in_range(kind, AT_EL1_READ, AT_EL0_WRITE);
    if (fuzz_one_in(16))
        return PAR_F | (fuzz_next() & (PAR_FST | PAR_S));
    return va & PAR_PA & GENMASK(39, 12);
}

void arm64_fpreg_get(unsigned n, uint8_t to[16])
{
    assert_true(n < 32);
    memcpy(to, simd[n], 16);
}

void arm64_fpreg_set(unsigned n, const uint8_t from[16])
{
    assert_true(n < 32);
    memcpy(simd[n], from, 16);
}

static status_t note(gpa_t address, unsigned size)
{
    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    assert_int_equal(address.raw % size, 0);
    assert_true(++accesses <= INSN_MAX_BYTES);
    return fuzz_one_in(32) ? ERR_NOT_FOUND : OK;
}

static status_t bus_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    (void)context;
    *value = fuzz_next();
    return note(address, size);
}

static status_t bus_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    (void)context;
    assert_true(size == 8 || value >> (8 * size) == 0);
    return note(address, size);
}

static status_t read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    (void)context;
    (void)address;
    assert_int_equal(bytes, sizeof(word));
    memcpy(to, &word, sizeof(word));
    return OK;
}

static const struct hv_bus bus = { .read = bus_read,
                                   .write = bus_write,
                                   .read_memory = read_memory };

/* Bits 27 and 25 of loads and stores are 1 and 0. */
static void one_instruction(void)
{
    const struct vm_exit exit = { .reason = VM_EXIT_MEMORY };
    status_t status;

    fake_sysreg_reset();
    sysreg_write(sp_el0, fuzz_value());
    sysreg_write(sp_el1, fuzz_value());
    sysreg_write(sctlr_el1, fuzz_next());
    word = ((uint32_t)fuzz_next() | 1u << 27) & ~(1u << 25);
    for (unsigned i = 0; i < 31; i++)
        vcpu.x[i] = fuzz_value();
    vcpu.pc = fuzz_value() & ~3ULL;
    vcpu.pstate = fuzz_next() & (PSTATE_EL | PSTATE_SP | PSTATE_UAO);
    vcpu.esr = 0;
    accesses = 0;
    status = arm64_emulate(&vcpu, &exit, &bus);
    assert_true(status == OK || status == ERR_UNSUPPORTED || status == ERR_NOT_FOUND);
    assert_true(status != ERR_UNSUPPORTED || accesses == 0);
}

static void every_instruction_is_a_few_accesses(void **state)
{
    (void)state;
    fuzz(ROUNDS, one_instruction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_is_a_few_accesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
