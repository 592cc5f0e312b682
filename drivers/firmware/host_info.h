/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host's firmware tells about the machine: the part that Socle itself needs, in
 * host-physical addresses and GIC interrupt numbers, whatever the firmware's format was.
 */
#pragma once

#include "arch/addr.h"

#define HOST_MAX_BANKS 8
#define HOST_MAX_RESERVED 16
#define HOST_MAX_CPUS 64
#define HOST_MAX_GICR 4

struct host_range {
    paddr_t base;
    uint64_t bytes; /* 0: not there */
};

enum host_cpu_enable { HOST_CPU_NO_METHOD, HOST_CPU_PSCI, HOST_CPU_SPIN_TABLE };

enum host_conduit { HOST_CONDUIT_NONE, HOST_CONDUIT_SMC, HOST_CONDUIT_HVC };

struct host_cpu {
    uint64_t hwid; /* MPIDR affinity */
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

/* The generic timer's interrupts; 0: not told. Device-tree order. */
struct host_timer {
    uint32_t secure, physical, virtual, hypervisor;
};

enum host_uart_kind { HOST_UART_NONE, HOST_UART_PL011 };

struct host_uart {
    enum host_uart_kind kind;
    struct host_range regs;
    uint32_t irq; /* 0: not told */
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
    struct host_timer timer;
    struct host_uart uart;
    struct host_range rtc; /* a PL031 */
    struct host_range initrd;
    const char *bootargs; /* in the firmware's own memory; "" where there are none */
};
