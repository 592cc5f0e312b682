/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power by PSCI (Arm DEN 0022), whose conduit is SMC for whoever runs at EL2, and the exit
 * status by Arm semihosting (SYS_EXIT_EXTENDED).
 */

#include "drivers/power/power.h"

#include "arch/smp.h"
#include "drivers/terminal/terminal.h"
#include "kernel/log.h"
#include "kernel/panic.h"

#define PSCI_VERSION_0_2 0x00002
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009

#define SYS_EXIT_EXTENDED 0x20
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static bool has_psci;        /* 0.2 or later, reached by SMC */
static bool has_semihosting; /* a debugger or emulator answers */

void power_init(const struct host_info *host)
{
    has_psci = host->psci.conduit == HOST_CONDUIT_SMC && host->psci.version >= PSCI_VERSION_0_2;
    has_semihosting = host_is_told(host, "semihosting");
    panic_set_power_off(power_off);
}

/* SMC calling convention 1.0: x0 to x17 are the callee's. Returns only if refused. */
static void smc(uint32_t function)
{
    register uint64_t x0 __asm__("x0") = function;

    __asm__ volatile("smc #0"
                     : "+r"(x0)
                     :
                     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                       "x13", "x14", "x15", "x16", "x17", "memory");
}

static void semihosting_exit(int status)
{
    const uint64_t block[2] = { ADP_STOPPED_APPLICATION_EXIT, (uint64_t)status };
    register uint64_t x0 __asm__("x0") = SYS_EXIT_EXTENDED;
    register const uint64_t *x1 __asm__("x1") = block;

    __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

void power_off(int status)
{
    if (has_semihosting)
        semihosting_exit(status);
    log_last_words("power off, status %d", status);
    terminal_finish(status != 0);
    if (has_psci)
        smc(PSCI_SYSTEM_OFF);
    log_last_words("the machine cannot be turned off by software: do it by hand");
    arch_cpu_stop();
}

void power_reset(void)
{
    if (has_psci)
        smc(PSCI_SYSTEM_RESET);
    log_last_words("the machine cannot be reset by software: do it by hand");
    arch_cpu_stop();
}
