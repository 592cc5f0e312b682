/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning the machine off and starting it again. */
#pragma once

#include "drivers/firmware/host_info.h"

/*
 * By what the firmware tells, and by the boot arguments' words: "semihosting" (arm64: a debugger
 * or emulator answers HLT #0xf000), "debug-exit" (x86: QEMU's isa-debug-exit at port 0xf4),
 * "bochs-exit" (x86: Bochs' port 0x8900). Also registers power_off for panics.
 */
void power_init(const struct host_info *host);

/*
 * Stops the machine. Where the boot arguments name a way, it hands `status` to whoever started
 * the emulator; else the last line of the log says it ("socle: power off, status 0"), and the
 * firmware's way turns the power off. Any CPU, any lock held.
 */
_Noreturn void power_off(int status);

/* From the firmware on. */
_Noreturn void power_reset(void);
