/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's interrupt controller, a GICv2 or GICv3: drivers behind kernel/irq.h, and the
 * start of its half for guests (arch/gich.h). Everything of the host is in one group at one
 * priority; priority drop and deactivation are separate, so that a guest can do the second.
 */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

#define GIC_MAINTENANCE_IRQ 25 /* where the firmware does not tell (BSA) */

/*
 * On the boot CPU, once: the distributor is reset, the driver registered with irq_set_chip,
 * gich initialized. Then kernel/irq.h's cpu_init on each CPU, the boot CPU too.
 * On an error *why is one sentence. ERR_UNSUPPORTED: a part that we need is missing.
 * ERR_NO_MEMORY: the registers could not be mapped.
 */
status_t gicv2_init(const struct host_gic *gic, const char **why);
status_t gicv3_init(const struct host_gic *gic, const char **why);
