/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power of a PC: off by ACPI's sleep state S5 (ACPI 6.5, 4.8.3.2 and 7.4), reset by the port
 * that the FADT names, else by the chipset's (0xcf9), else by a triple fault. The exit status
 * goes through a port that the emulator provides.
 */

#include "drivers/power/power.h"

#include <arch/cpu.h>
#include <arch/io.h>

#include "arch/bits.h"
#include "arch/smp.h"
#include "drivers/terminal/terminal.h"
#include "kernel/log.h"
#include "kernel/panic.h"

#define SLP_EN BIT(13)
#define SLP_TYP GENMASK(12, 10)
#define SCI_EN BIT(0)

#define PATIENCE 100000 /* reads of a port: a tenth of a second */

#define PORT_DEBUG_EXIT 0xf4 /* QEMU's isa-debug-exit: it ends with 2 * status + 1 */
#define PORT_BOCHS 0x8900    /* Bochs ends at the word "Shutdown" */
#define PORT_RESET_CONTROL 0xcf9
#define RESET_CONTROL_HARD 0x06 /* system reset, now */

static struct host_pc pc;
static bool has_debug_exit, has_bochs_exit;

void power_init(const struct host_info *host)
{
    pc = host->pc;
    has_debug_exit = host_is_told(host, "debug-exit");
    has_bochs_exit = host_is_told(host, "bochs-exit");
    panic_set_power_off(power_off);
}

static void bochs_exit(void)
{
    for (const char *at = "Shutdown"; *at != '\0'; at++)
        port_write8(PORT_BOCHS, (uint8_t)*at);
}

/* ACPI 6.5, 4.8.2.5: until then PM1 control does nothing. */
static void enable_acpi(void)
{
    if (pc.smi_command == 0 || pc.acpi_enable == 0)
        return;
    port_write8(pc.smi_command, pc.acpi_enable);
    for (unsigned i = 0; i < PATIENCE && !(port_read16(pc.pm1a_control) & SCI_EN); i++)
        cpu_relax();
}

static void sleep_by(uint16_t port, uint8_t type)
{
    const uint16_t kept = port_read16(port) & SCI_EN;

    port_write16(port, (uint16_t)(kept | FIELD_PREP(SLP_TYP, type) | SLP_EN));
}

/* S5. Returns only where the machine stays on; it may take a moment to go off. */
static void acpi_off(void)
{
    if (!pc.has_sleep || pc.pm1a_control == 0)
        return;
    if (!(port_read16(pc.pm1a_control) & SCI_EN))
        enable_acpi();
    sleep_by(pc.pm1a_control, pc.sleep_a);
    if (pc.pm1b_control != 0)
        sleep_by(pc.pm1b_control, pc.sleep_b);
    for (unsigned i = 0; i < PATIENCE; i++)
        port_read16(pc.pm1a_control);
}

void power_off(int status)
{
    if (has_debug_exit)
        port_write8(PORT_DEBUG_EXIT, (uint8_t)status);
    log_last_words("power off, status %d", status);
    terminal_finish(status != 0);
    if (has_bochs_exit)
        bochs_exit();
    acpi_off();
    log_last_words("the machine cannot be turned off by software: do it by hand");
    arch_cpu_stop();
}

void power_reset(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_idt = { 0, 0 };

    if (pc.reset_port != 0)
        port_write8(pc.reset_port, pc.reset_value);
    port_write8(PORT_RESET_CONTROL, RESET_CONTROL_HARD);
    __asm__ volatile("lidt %0; int3" : : "m"(no_idt));
    arch_cpu_stop();
}
