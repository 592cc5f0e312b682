/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host interrupts: one table from number to handler. They are taken when a guest exits or a
 * CPU idles, never inside the hypervisor, so a handler runs to completion with nothing held.
 */
#pragma once

#include "arch/status.h"

#include <stdbool.h>
#include <stdint.h>

#define IRQ_MAX 1020
#define IRQ_NONE 1023 /* what ack() gives when nothing is pending */

enum irq_result {
    IRQ_DONE,      /* handled: end and deactivate it */
    IRQ_FORWARDED, /* a guest deactivates it */
};

typedef enum irq_result (*irq_handler_t)(uint32_t irq, void *arg);

/* A host interrupt controller, registered by its driver. */
struct irqchip {
    const char *name;
    void (*cpu_init)(void); /* on each CPU */
    /* Number of a pending interrupt, now active, with its priority dropped; IRQ_NONE. */
    uint32_t (*ack)(void);
    void (*deactivate)(uint32_t irq);
    void (*activate)(uint32_t irq);          /* as if acknowledged; PPIs: of the calling CPU */
    void (*enable)(uint32_t irq, bool edge); /* PPIs: of the calling CPU */
    void (*disable)(uint32_t irq);
    void (*send_ipi)(unsigned cpu); /* the kick: SGI 0 */
    uint32_t ipi;                   /* its number */
};

void irq_set_chip(const struct irqchip *chip);
const struct irqchip *irq_chip(void); /* NULL before that */

/* From here on, a kick stops the CPU that it comes to. There is a chip. */
void irq_stop_at_kick(void);

/* ERR_INVALID_ARGS: number too large. ERR_ALREADY_EXISTS: taken. */
status_t irq_register(uint32_t irq, irq_handler_t handler, void *arg);

/* Handles one interrupt that is pending on this CPU. False: there was none. */
bool irq_handle_one(void);

/* Handles everything that is pending on this CPU. */
static inline void irq_dispatch(void)
{
    while (irq_handle_one())
        continue;
}
