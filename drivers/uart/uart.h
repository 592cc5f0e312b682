/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host UARTs. One of them is the hypervisor's console: written polled, read by interrupt.
 *
 *     uart_attach -> uart_write ...        as soon as registers can be mapped
 *     uart_listen -> typed(bytes) ...      once there is an interrupt controller
 */
#pragma once

#include "drivers/firmware/host_info.h"

#include <stdbool.h>
#include <stdint.h>

struct uart;

/* Bytes received; from the interrupt's handler, with no lock held. */
typedef void (*uart_typed)(const uint8_t *bytes, unsigned count);

/* A driver. Line settings (baud rate) are the firmware's. */
struct uart_ops {
    const char *name;
    bool (*init)(struct uart *uart); /* ready to transmit; false: there is none */
    void (*write)(struct uart *uart, const char *text, unsigned length); /* returns when queued */
    void (*drain)(struct uart *uart);                                    /* until all is sent */
    void (*listen)(struct uart *uart);                                   /* interrupts on receive */
    unsigned (*read)(struct uart *uart, uint8_t *bytes, unsigned most);  /* what was received */
};

struct uart {
    const struct uart_ops *ops;
    volatile uint8_t *regs;
    uart_typed typed;
};

extern const struct uart_ops pl011_uart_ops;     /* Arm PrimeCell UART (PL011) */
extern const struct uart_ops uart16550_uart_ops; /* a PC's, in I/O ports */

/* By enum host_uart_kind; NULL: none. Of this architecture's machines. */
extern const struct uart_ops *const uart_drivers[HOST_UART_KINDS];

/*
 * From here on it is the console.
 * ERR_NOT_FOUND: none is told, or none answers. ERR_NO_MEMORY: none to map its registers.
 */
status_t uart_attach(const struct host_uart *host);

/* To the console, as it is. Callers serialize. Dropped while no UART is attached. */
void uart_write(const char *text, unsigned length);

/* Waits until the console's last byte is out: before the power goes. */
void uart_drain(void);

/*
 * Received bytes go to `typed`, by host interrupt `irq`.
 * ERR_BAD_STATE: no UART. Errors of irq_register.
 */
status_t uart_listen(uint32_t irq, uart_typed typed);
