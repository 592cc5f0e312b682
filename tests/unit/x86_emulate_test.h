/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction of the fake guest's, emulated, and what became of it. Include once. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86/emulate/emulate.h"
#include "arch/x86/exception.h"
#include "tests/unit/x86_fake_guest.h"

#define SUPERVISOR (ENTRY_P | ENTRY_W)

#define EMULATE(bytes) emulate(bytes, sizeof(bytes) - 1)

static struct vm_exit exit_of_test;

static inline status_t emulate(const char *bytes, size_t count)
{
    fake_code(bytes, count);
    return x86_emulate(&guest.vcpu, &exit_of_test, &fake_bus);
}

static inline void assert_done(unsigned length)
{
    assert_int_equal(guest.vector, -1);
    assert_int_equal(guest.reg[REG_RIP], FAKE_CODE + length);
    assert_int_equal(guest.retired, 1);
}

static inline void assert_unmoved(void)
{
    assert_int_equal(guest.reg[REG_RIP], FAKE_CODE);
    assert_int_equal(guest.retired, 0);
}

/* With nothing done. */
static inline void assert_fault(enum x86_vector vector, int64_t code)
{
    assert_int_equal(guest.vector, vector);
    assert_int_equal(guest.error, code);
    assert_true(guest.reg[REG_RFLAGS] & RFLAGS_RF);
    assert_unmoved();
    assert_int_equal(guest.accesses, 0);
}

/* 64-bit mode, a memory exit, RBX into the first of two pages from LINEAR on. */
#define LINEAR 0xffffc90000000000ULL

static inline int set_up_long_mode(void **state)
{
    (void)state;
    exit_of_test = (struct vm_exit){ .reason = VM_EXIT_MEMORY };
    fake_long_mode();
    fake_map(LINEAR, FAKE_DATA, SUPERVISOR);
    fake_map(LINEAR + PAGE_SIZE, FAKE_DATA + 0x8000, SUPERVISOR);
    guest.vcpu.gpr[GPR_RBX] = LINEAR + 0x100;
    return 0;
}
