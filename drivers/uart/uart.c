/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's UART, whichever driver it has. */

#include "drivers/uart/uart.h"

#include "kernel/irq.h"

#define CHUNK 32 /* bytes: a PL011's FIFO */

static struct uart console;

void uart_attach(const struct uart_ops *ops, void *regs)
{
    console = (struct uart){ .ops = ops, .regs = regs };
    ops->init(&console);
}

void uart_write(const char *text, unsigned length)
{
    if (console.ops)
        console.ops->write(&console, text, length);
}

void uart_drain(void)
{
    if (console.ops)
        console.ops->drain(&console);
}

/* Until nothing is left: the interrupt comes again only for bytes received after it. */
static enum irq_result handle_receive(uint32_t irq, void *arg)
{
    struct uart *uart = arg;
    uint8_t bytes[CHUNK];
    unsigned count;

    (void)irq;
    while ((count = uart->ops->read(uart, bytes, CHUNK)) != 0)
        uart->typed(bytes, count);
    return IRQ_DONE;
}

status_t uart_listen(uint32_t irq, uart_typed typed)
{
    if (!console.ops)
        return ERR_BAD_STATE;

    status_t status = irq_register(irq, handle_receive, &console);
    if (status != OK)
        return status;
    console.typed = typed;
    console.ops->listen(&console);
    irq_chip()->enable(irq, false);
    return OK;
}
