/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's interrupt controller, whichever the machine has: see kernel/irq.h. */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

/*
 * On the boot CPU, once: finds it, registers its driver with irq_set_chip. Then kernel/irq.h's
 * cpu_init on each CPU, the boot CPU too. On an error *why is one sentence.
 * ERR_UNSUPPORTED: a part that we need is missing. ERR_NO_MEMORY: its registers could not be
 * mapped.
 */
status_t irqchip_init(const struct host_info *host, const char **why);
