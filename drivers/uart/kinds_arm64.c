/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64: the UARTs that there are drivers for. */

#include "drivers/uart/uart.h"

const struct uart_ops *const uart_drivers[HOST_UART_KINDS] = {
    [HOST_UART_PL011] = &pl011_uart_ops,
};
