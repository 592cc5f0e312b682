/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64: the UART that the device tree tells. */

#include "drivers/terminal/terminal.h"
#include "drivers/uart/uart.h"

terminal_write terminal_attach(const struct host_info *host)
{
    (void)uart_attach(&host->uart);
    return uart_write;
}

void terminal_finish(bool failed)
{
    (void)failed;
    uart_drain();
}

status_t terminal_listen(const struct host_info *host, terminal_typed typed)
{
    return uart_listen(host->uart.irq, typed);
}
