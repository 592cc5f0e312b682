/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's UART, whichever driver it has. */

#include "drivers/uart/uart.h"

#include "kernel/hypspace.h"
#include "kernel/irq.h"

#define CHUNK 32 /* bytes: a PL011's FIFO */

static struct uart console;

status_t uart_attach(const struct host_uart *host)
{
    const struct uart_ops *const ops = uart_drivers[host->kind];
    struct uart uart = { .ops = ops };

    if (ops == NULL)
        return ERR_NOT_FOUND;
    uart.regs = host->ports ? (void *)(uintptr_t)host->regs.base.raw
                            : hyp_map_device(host->regs.base, host->regs.bytes);
    if (uart.regs == NULL)
        return ERR_NO_MEMORY;
    if (!ops->init(&uart))
        return ERR_NOT_FOUND;
    console = uart;
    return OK;
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
