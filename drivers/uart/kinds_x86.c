/* SPDX-License-Identifier: BSD-2-Clause */
/* x86: the UARTs that there are drivers for. */

#include "drivers/uart/uart.h"

const struct uart_ops *const uart_drivers[HOST_UART_KINDS] = {
    [HOST_UART_16550] = &uart16550_uart_ops,
};
