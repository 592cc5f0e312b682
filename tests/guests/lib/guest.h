/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test guest of arm64 stands on: a console, exceptions that can be expected, PSCI, the
 * other CPUs. It runs at EL1 with its MMU off on machine `virt`, and ends by PSCI SYSTEM_OFF.
 */
#pragma once

#include "tests/guests/lib/say.h"
#include "tests/guests/lib/sysreg.h"

/* Each guest's own; ends by returning. Interrupts are masked. */
void guest_main(void);

/* CNTPCT_EL0 at the guest's first instruction. */
extern uint64_t start_ticks;

/* ---- exceptions ---- */

struct frame {
    uint64_t x[31];
    uint64_t elr, spsr, esr, far;
};

#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
enum {
    CLASS_UNKNOWN = 0,
    CLASS_TRAPPED_FP = 7,
    CLASS_SYSREG = 0x18,
    CLASS_DATA_ABORT = 0x25,
    CLASS_BREAKPOINT = 0x31,
    CLASS_STEP = 0x33,
    CLASS_WATCHPOINT = 0x35,
};

/*
 * From expect_faults to expected_fault, a synchronous exception of the calling CPU is noted and
 * its instruction skipped. expected_fault tells the last one's ESR, 0 where there was none.
 */
void expect_faults(void);
uint64_t expected_fault(void);
/* Its FAR. */
uint64_t fault_address(void);

/* One instruction with x0..x17 from and to `x`; it may write any register but SP. */
void execute(uint32_t instruction, uint64_t x[18]);

/* What an IRQ calls; NULL: an IRQ is a failure. */
extern void (*irq_handler)(void);

static inline void irq_unmask(void)
{
    asm volatile("msr daifclr, #2\n\tisb" ::: "memory");
}

static inline void irq_mask(void)
{
    asm volatile("msr daifset, #2\n\tisb" ::: "memory");
}

/* ---- calls to the hypervisor ---- */

int64_t hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
int64_t smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

enum {
    PSCI_VERSION = 0x84000000,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
    PSCI_SYSTEM_RESET2 = 0x84000012,
    PSCI_CPU_SUSPEND_32 = 0x84000001,
    PSCI_CPU_ON_32 = 0x84000003,
    PSCI_AFFINITY_INFO_32 = 0x84000004,
    SMCCC_VERSION = 0x80000000,
    SMCCC_ARCH_FEATURES = 0x80000001,
    TRNG_VERSION = 0x84000050,
    TRNG_RND32 = 0x84000053,
};
#define PSCI_CPU_SUSPEND 0xc4000001UL
#define PSCI_CPU_ON 0xc4000003UL
#define PSCI_AFFINITY_INFO 0xc4000004UL

enum {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INVALID_ADDRESS = -9,
};

/* ---- the other CPUs ---- */

#define MAX_CPUS 16

/* The affinity fields of CPU n's MPIDR as machine `virt` numbers them. */
uint64_t cpu_mpidr(unsigned cpu);
unsigned cpu_count(void);
unsigned cpu_self(void);
/* Runs run(argument) on another CPU; PSCI's answer. It must not return, but may turn itself off. */
int64_t cpu_on(unsigned cpu, void (*run)(uint64_t argument), uint64_t argument);
_Noreturn void cpu_off(void);
/* An entry point for PSCI_CPU_ON that turns the CPU off again. */
void turn_off(void);

/* ---- memory-mapped registers, exactly one plain load or store each ---- */

#define MMIO_ACCESS(bits, suffix, reg)                                                         \
    static inline uint##bits##_t mmio_read##bits(uint64_t address)                             \
    {                                                                                          \
        uint64_t value;                                                                        \
        asm volatile("ldr" suffix " %" reg "0, [%1]" : "=r"(value) : "r"(address) : "memory"); \
        return (uint##bits##_t)value;                                                          \
    }                                                                                          \
    static inline void mmio_write##bits(uint64_t address, uint##bits##_t value)                \
    {                                                                                          \
        asm volatile("str" suffix " %" reg "0, [%1]" ::"r"((uint64_t)value), "r"(address)      \
                     : "memory");                                                              \
    }
MMIO_ACCESS(8, "b", "w")
MMIO_ACCESS(16, "h", "w")
MMIO_ACCESS(32, "", "w")
MMIO_ACCESS(64, "", "x")

#define UART_BASE 0x09000000UL
#define RTC_BASE 0x09010000UL

int uart_getc(void); /* waits for a byte */
/* Undoes whatever was done to the UART's registers. */
void uart_init(void);
