/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test guest of x86 stands on: COM1, exceptions that can be expected, interrupts that are
 * counted, the other CPUs. It is a Multiboot kernel, runs in long mode with the first 4 GiB
 * mapped to themselves, and ends through port 0xf4; so it runs on QEMU alone, too:
 *
 *     qemu-system-x86_64 -M q35 -cpu EPYC -nographic -kernel GUEST.elf \
 *         -device isa-debug-exit,iobase=0xf4
 */
#pragma once

#include "tests/guests/lib/say.h"

/* Each guest's own; ends by returning. Interrupts are masked. */
void guest_main(void);

/* The TSC at the guest's first instructions. */
extern uint64_t start_ticks;

/* ---- instructions ---- */

#define PORT_ACCESS(bits, suffix, reg)                                          \
    static inline uint##bits##_t in##bits(uint16_t port)                        \
    {                                                                           \
        uint##bits##_t value;                                                   \
        asm volatile("in %1, %" reg "0" : "=a"(value) : "Nd"(port) : "memory"); \
        return value;                                                           \
    }                                                                           \
    static inline void out##bits(uint16_t port, uint##bits##_t value)           \
    {                                                                           \
        asm volatile("out %" reg "0, %1" ::"a"(value), "Nd"(port) : "memory");  \
    }
PORT_ACCESS(8, "b", "b")
PORT_ACCESS(16, "w", "w")
PORT_ACCESS(32, "l", "k")

static inline uint64_t rdmsr(uint32_t index)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
    asm volatile("wrmsr" ::"c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                 : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out;

    asm volatile("cpuid"
                 : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                 : "a"(leaf), "c"(subleaf));
    return out;
}

#define CONTROL_REGISTER(name)                                       \
    static inline uint64_t read_##name(void)                         \
    {                                                                \
        uint64_t value;                                              \
        asm volatile("mov %%" #name ", %0" : "=r"(value)::"memory"); \
        return value;                                                \
    }                                                                \
    static inline void write_##name(uint64_t value)                  \
    {                                                                \
        asm volatile("mov %0, %%" #name ::"r"(value) : "memory");    \
    }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
CONTROL_REGISTER(dr6)
CONTROL_REGISTER(dr7)

static inline void sti(void)
{
    asm volatile("sti\n\tnop" ::: "memory");
}

static inline void cli(void)
{
    asm volatile("cli" ::: "memory");
}

/* Until an interrupt has come; they are masked before and after. */
static inline void sti_hlt_cli(void)
{
    asm volatile("sti\n\thlt\n\tcli" ::: "memory");
}

static inline uint32_t mmio_read32(uint64_t address)
{
    uint32_t value;

    asm volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void mmio_write32(uint64_t address, uint32_t value)
{
    asm volatile("movl %0, (%1)" ::"r"(value), "r"(address) : "memory");
}

/* ---- exceptions and interrupts ---- */

enum vector {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_UD = 6,
    VECTOR_DF = 8,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    NO_FAULT = 256,
};

#define SELECTOR_CODE64 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE32 0x18
#define SELECTOR_CODE16 0x20

struct frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* Runs run(argument) up to its first fault: the fault's vector, or NO_FAULT. Boot CPU only. */
unsigned attempt(void (*run)(uint64_t argument), uint64_t argument);
/* The last fault of an attempt, and CR2 then. */
extern struct frame fault;
extern uint64_t fault_address;
/* What an attempt's fault calls first, where it is not NULL. */
extern void (*on_fault)(void);

/* Exceptions of this CPU find their stack below `top`; it has one from the start. */
void exception_stack(unsigned cpu, uint64_t top);

/* Interrupts by vector, on any CPU; they are counted and ended. on_interrupt may be NULL. */
extern volatile unsigned interrupts[256];
extern void (*on_interrupt)(unsigned vector);

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
extern struct gate idt[256];
void load_idt(uint16_t limit);

/* Page tables: the entry that maps `address`, of 4 KiB after splitting. */
uint64_t *page_entry(uint64_t address);
void flush_page(uint64_t address);

/* ---- local APIC ---- */

enum lapic {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_TPR = 0x80,
    LAPIC_PPR = 0xa0,
    LAPIC_EOI = 0xb0,
    LAPIC_LDR = 0xd0,
    LAPIC_DFR = 0xe0,
    LAPIC_SVR = 0xf0,
    LAPIC_ISR = 0x100,
    LAPIC_IRR = 0x200,
    LAPIC_ESR = 0x280,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define LAPIC_BASE 0xfee00000UL
#define SPURIOUS_VECTOR 0xff

uint32_t lapic_read(enum lapic reg);
void lapic_write(enum lapic reg, uint32_t value);
/* From now on, on this CPU: it is for guests with one. */
void lapic_use_x2apic(void);
/* `command` is the low half of the interrupt command register. */
void lapic_ipi(uint32_t destination, uint32_t command);

/* ---- the other CPUs ---- */

#define MAX_CPUS 16

unsigned cpu_self(void);
unsigned cpu_count(void); /* `cpus=` of the command line */
/* Runs run(argument) on another CPU, from INIT and SIPI on; it must not return. */
void cpu_on(unsigned cpu, void (*run)(uint64_t argument), uint64_t argument);

/* ---- COM1 ---- */

int uart_getc(void); /* waits for a byte */
/* Undoes whatever was done to the UART's registers. */
void uart_init(void);
