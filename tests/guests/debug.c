/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self-hosted debug: hardware breakpoints, watchpoints and software step at EL1. Run with more
 * CPUs than the machine has, it also shows that each keeps its own.
 */
#include "tests/guests/lib/guest.h"

#define ROUNDS 12

#define MDSCR_SS (1u << 0)
#define MDSCR_KDE (1u << 13) /* also at EL1 */
#define MDSCR_MDE (1u << 15)

#define CONTROL_ON 1u
#define CONTROL_EL1 (1u << 1)
#define BCR_ANY_BYTE (0xfu << 5)
#define WCR_LOAD (1u << 3)
#define WCR_STORE (2u << 3)
#define WCR_8_BYTES (0xffu << 5)
#define BREAK_HERE (CONTROL_ON | CONTROL_EL1 | BCR_ANY_BYTE)

#define SPSR_STEP (1u << 21)
#define SPSR_EL1H_NO_INTERRUPTS 0x1c5u /* D is clear */

static volatile uint64_t watched[2];
static volatile unsigned missed[MAX_CPUS], strayed[MAX_CPUS];
static volatile unsigned rounds[2];

/* Places to stop at, at their first instruction. */
#define TARGET(name)                              \
    static __attribute__((noipa)) void name(void) \
    {                                             \
        asm volatile("nop");                      \
    }
TARGET(target_0)
TARGET(target_1)
TARGET(target_2)

static void (*const targets[])(void) = { target_0, target_1, target_2 };

static void debug_on(void)
{
    sysreg_write(mdscr_el1, MDSCR_KDE | MDSCR_MDE);
    isb();
    asm volatile("msr daifclr, #8\n\tisb" ::: "memory");
}

static void debug_off(void)
{
    sysreg_write(mdscr_el1, 0);
    isb();
}

static bool stops_at(void (*target)(void))
{
    expect_faults();
    target();
    return ESR_CLASS(expected_fault()) == CLASS_BREAKPOINT;
}

static void breakpoints(void)
{
    uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1);

    print("debug: %lu breakpoints, %lu watchpoints\n", (dfr0 >> 12 & 0xf) + 1,
          (dfr0 >> 20 & 0xf) + 1);
    check((dfr0 >> 12 & 0xf) >= 1 && (dfr0 >> 20 & 0xf) >= 1, "two_of_each_at_least");
    check_equal("off_at_reset", sysreg_read(mdscr_el1), 0);
    sysreg_write(dbgbvr0_el1, (uint64_t)target_0);
    sysreg_write(dbgbcr0_el1, BREAK_HERE);
    sysreg_write(dbgbvr1_el1, (uint64_t)target_1);
    check_equal("breakpoint_reads_back", sysreg_read(dbgbvr0_el1), (uint64_t)target_0);
    check_equal("its_control_reads_back", sysreg_read(dbgbcr0_el1), BREAK_HERE);
    check(!stops_at(target_0), "no_breakpoint_while_they_are_off");
    debug_on();
    check(stops_at(target_0), "breakpoint_stops");
    check(!stops_at(target_1), "one_without_control_does_not");
    sysreg_write(dbgbcr1_el1, BREAK_HERE);
    isb();
    check(stops_at(target_1), "breakpoint_written_while_they_are_on");
    check(!stops_at(target_2), "elsewhere_nothing_stops");
    sysreg_write(dbgbcr1_el1, 0);
    isb();
    check(!stops_at(target_1), "breakpoint_taken_away");
    debug_off();
    check(!stops_at(target_0), "all_off_again");
}

static void watchpoints(void)
{
    sysreg_write(dbgwvr0_el1, (uint64_t)&watched[0]);
    sysreg_write(dbgwcr0_el1, CONTROL_ON | CONTROL_EL1 | WCR_STORE | WCR_8_BYTES);
    sysreg_write(dbgwvr1_el1, (uint64_t)&watched[1]);
    sysreg_write(dbgwcr1_el1, CONTROL_ON | CONTROL_EL1 | WCR_LOAD | WCR_8_BYTES);
    debug_on();
    expect_faults();
    mmio_write64((uint64_t)&watched[0], 1);
    check_equal("watched_store", ESR_CLASS(expected_fault()), CLASS_WATCHPOINT);
    check_equal("its_address", fault_address(), (uint64_t)&watched[0]);
    expect_faults();
    mmio_read64((uint64_t)&watched[0]);
    mmio_write64((uint64_t)&watched[1], 1);
    check_equal("other_direction_is_not_watched", expected_fault(), 0);
    expect_faults();
    mmio_read64((uint64_t)&watched[1]);
    check_equal("watched_load", ESR_CLASS(expected_fault()), CLASS_WATCHPOINT);
    sysreg_write(dbgwcr0_el1, 0);
    sysreg_write(dbgwcr1_el1, 0);
    debug_off();
}

/* From an exception return with SPSR.SS, one instruction: a plain one, or one that traps. */
static uint64_t step(uint64_t address)
{
    uint64_t after;

    expect_faults();
    asm volatile("msr daifset, #8\n\tisb" ::: "memory"); /* until the return */
    sysreg_write(mdscr_el1, MDSCR_KDE | MDSCR_SS);
    isb();
    asm volatile("adr x1, 1f\n\t"
                 "msr elr_el1, x1\n\t"
                 "msr spsr_el1, %1\n\t"
                 "mov %0, #0\n\t"
                 "eret\n"
                 "1: ldr w1, [%2]\n\t" /* the step */
                 "mov %0, #1\n\t"      /* not executed: the handler skips it */
                 "add %0, %0, #2"
                 : "=&r"(after)
                 : "r"((uint64_t)(SPSR_EL1H_NO_INTERRUPTS | SPSR_STEP)), "r"(address)
                 : "x1", "memory");
    debug_off();
    check_equal("step_stops", ESR_CLASS(expected_fault()), CLASS_STEP);
    return after;
}

/* Rounds of a CPU whose breakpoint is at its own target; the two take turns. */
static void keep_own(unsigned self)
{
    sysreg_write(dbgbvr0_el1, (uint64_t)targets[self]);
    sysreg_write(dbgbcr0_el1, BREAK_HERE);
    debug_on();
    for (unsigned round = 0; round < ROUNDS; round++) {
        missed[self] += !stops_at(targets[self]);
        strayed[self] += stops_at(targets[!self]) + stops_at(target_2);
        rounds[self] = round + 1;
        while (rounds[!self] < round + self)
            continue;
    }
    debug_off();
}

static void other(uint64_t self)
{
    keep_own((unsigned)self);
    cpu_off();
}

void guest_main(void)
{
    breakpoints();
    watchpoints();
    check_equal("step_over_a_load", step((uint64_t)&watched[0]), 2);
    check_equal("step_over_a_device_access", step(UART_BASE + 0x18), 2);
    if (cpu_count() < 2)
        return;
    cpu_on(1, other, 1);
    keep_own(0);
    while (rounds[1] < ROUNDS)
        continue;
    check_equal("each_cpu_keeps_its_breakpoint", missed[0] + missed[1], 0);
    check_equal("and_has_no_others", strayed[0] + strayed[1], 0);
}
