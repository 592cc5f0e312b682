/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host's firmware tells about the machine: the part that Socle itself needs, in
 * host-physical addresses and the interrupt controller's numbers, whatever the firmware's
 * format was: a device tree (fdt.h), or Multiboot and ACPI (multiboot.h, acpi.h).
 */
#pragma once

#include "arch/boot.h"

#define HOST_MAX_BANKS 8
#define HOST_MAX_RESERVED 16
#define HOST_MAX_CPUS 64
#define HOST_MAX_GICR 4

struct host_range {
    paddr_t base;
    uint64_t bytes; /* 0: not there */
};

enum host_cpu_enable {
    HOST_CPU_NO_METHOD,
    HOST_CPU_PSCI,
    HOST_CPU_SPIN_TABLE,
    HOST_CPU_STARTUP, /* x86: INIT and start-up messages */
};

enum host_conduit { HOST_CONDUIT_NONE, HOST_CONDUIT_SMC, HOST_CONDUIT_HVC };

struct host_cpu {
    uint64_t hwid; /* MPIDR affinity, APIC id */
    enum host_cpu_enable enable;
};

struct host_psci {
    enum host_conduit conduit;
    uint32_t version; /* as PSCI_VERSION tells it: 0x10000 is 1.0; 0: 0.1, without SYSTEM_OFF */
};

struct host_gic {
    unsigned version; /* 2 or 3; 0: none that we know */
    struct host_range gicd;
    struct host_range gicr[HOST_MAX_GICR]; /* version 3 */
    unsigned gicr_count;
    struct host_range gicc, gich, gicv; /* version 2; on 3 only what is there for GICv2 guests */
    uint32_t maintenance_irq;           /* 0: not told */
};

/* The timers' interrupts; 0: not told. Device-tree order; x86 has the hypervisor's alone. */
struct host_timer {
    uint32_t secure, physical, virtual, hypervisor;
};

enum host_uart_kind { HOST_UART_NONE, HOST_UART_PL011, HOST_UART_16550, HOST_UART_KINDS };

struct host_uart {
    enum host_uart_kind kind;
    bool ports; /* regs are I/O ports, not memory */
    struct host_range regs;
    uint32_t irq; /* 0: not told */
};

/* --- a PC --- */

enum host_screen_kind {
    HOST_SCREEN_NONE,
    HOST_SCREEN_TEXT,   /* VGA: a character and its colours for each cell */
    HOST_SCREEN_PIXELS, /* a linear frame buffer of RGB */
    HOST_SCREEN_KINDS,
};

/* As the firmware or the boot loader set it up. */
struct host_screen {
    enum host_screen_kind kind;
    paddr_t base;
    uint32_t pitch;           /* bytes from a row to the next */
    uint32_t width, height;   /* in characters, or in pixels */
    unsigned bytes_per_pixel; /* 2 to 4 */
    uint32_t white;           /* a pixel with all of its colours */
};

#define HOST_MAX_IOAPICS 8
#define HOST_ISA_IRQS 16

struct host_ioapic {
    paddr_t base;
    uint32_t gsi_base; /* global system interrupt of its first input */
};

/* How an input is wired. */
struct host_gsi {
    uint32_t gsi;
    bool level, active_low;
};

struct host_pc {
    struct host_range lapic; /* xAPIC registers */
    struct host_ioapic ioapics[HOST_MAX_IOAPICS];
    unsigned ioapic_count;
    struct host_gsi isa[HOST_ISA_IRQS]; /* by ISA interrupt */
    bool has_pics;                      /* 8259s, to be masked */
    uint16_t pm_timer;                  /* ports; 0: not there */
    uint16_t pm1a_control, pm1b_control;
    uint16_t smi_command; /* gets acpi_enable where ACPI is not on yet */
    uint8_t acpi_enable;
    uint8_t sleep_a, sleep_b; /* SLP_TYP values for power-off, where has_sleep */
    bool has_sleep;
    uint16_t reset_port; /* 0: none */
    uint8_t reset_value;
};

struct host_info {
    struct host_range banks[HOST_MAX_BANKS];
    unsigned bank_count;
    struct host_range reserved[HOST_MAX_RESERVED];
    unsigned reserved_count;
    struct host_cpu cpus[HOST_MAX_CPUS];
    unsigned cpu_count;
    unsigned left_out; /* banks and CPUs that the tables above have no room for */
    struct host_psci psci;
    struct host_gic gic;
    struct host_pc pc;
    struct host_timer timer;
    struct host_uart uart;
    struct host_screen screen;
    uint32_t keyboard_irq; /* of a PC's keyboard controller; 0: not told */
    struct host_range rtc; /* a PL031 */
    struct host_range initrd;
    struct host_range firmware; /* what was read: not to be overwritten */
    const char *bootargs;       /* may be in the firmware's memory; "" where there are none */
};

/*
 * Reads what the boot loader handed over, on the boot tables. Errors as those of the format's
 * reader; *why is then one sentence.
 */
status_t host_info_read(const struct boot_info *boot, struct host_info *out, const char **why);

/* Is this one of the boot arguments' words? */
bool host_is_told(const struct host_info *host, const char *word);
