/* SPDX-License-Identifier: BSD-2-Clause */
/* Arm PrimeCell UART (PL011), TRM DDI 0183. */

#include <arch/cpu.h>
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/uart/uart.h"

enum {
    UARTDR = 0x000,
    UARTFR = 0x018,
    UARTLCR_H = 0x02c,
    UARTCR = 0x030,
    UARTIFLS = 0x034,
    UARTIMSC = 0x038,
    UARTICR = 0x044,
};

#define DR_ERRORS GENMASK(10, 8) /* break, parity, framing: the byte is noise */

#define FR_BUSY BIT(3)
#define FR_RXFE BIT(4)
#define FR_TXFF BIT(5)

#define LCR_H_FEN BIT(4)
#define LCR_H_8_BITS FIELD_PREP(GENMASK(6, 5), 3)

#define CR_UARTEN BIT(0)
#define CR_TXE BIT(8)
#define CR_RXE BIT(9)

#define IFLS_RX_EIGHTH 0u /* RXIFLSEL and TXIFLSEL: at an eighth */

#define INT_RX BIT(4)
#define INT_RT BIT(6) /* receive timeout: fewer bytes than the FIFO's level, and silence */
#define INT_ALL GENMASK(10, 0)

static uint32_t reg_read(const struct uart *uart, unsigned reg)
{
    return io_read32(uart->regs + reg);
}

static void reg_write(const struct uart *uart, unsigned reg, uint64_t value)
{
    io_write32(uart->regs + reg, (uint32_t)value);
}

static void pl011_drain(struct uart *uart)
{
    while (reg_read(uart, UARTFR) & FR_BUSY)
        cpu_relax();
}

/* TRM 3.3.8: off, the last byte out, FIFOs flushed by FEN, then on. */
static bool pl011_init(struct uart *uart)
{
    reg_write(uart, UARTCR, 0);
    pl011_drain(uart);
    reg_write(uart, UARTLCR_H, LCR_H_8_BITS);
    reg_write(uart, UARTLCR_H, LCR_H_8_BITS | LCR_H_FEN);
    reg_write(uart, UARTIFLS, IFLS_RX_EIGHTH);
    reg_write(uart, UARTIMSC, 0);
    reg_write(uart, UARTICR, INT_ALL);
    reg_write(uart, UARTCR, CR_UARTEN | CR_TXE | CR_RXE);
    return true;
}

static void pl011_write(struct uart *uart, const char *text, unsigned length)
{
    for (unsigned i = 0; i < length; i++) {
        while (reg_read(uart, UARTFR) & FR_TXFF)
            cpu_relax();
        reg_write(uart, UARTDR, (uint8_t)text[i]);
    }
}

static void pl011_listen(struct uart *uart)
{
    reg_write(uart, UARTIMSC, INT_RX | INT_RT);
}

static unsigned pl011_read(struct uart *uart, uint8_t *bytes, unsigned most)
{
    unsigned count = 0;

    reg_write(uart, UARTICR, INT_RX | INT_RT); /* first, so that a byte from now on is told */
    while (count < most && !(reg_read(uart, UARTFR) & FR_RXFE)) {
        uint32_t data = reg_read(uart, UARTDR);
        if (!(data & DR_ERRORS))
            bytes[count++] = (uint8_t)data;
    }
    return count;
}

const struct uart_ops pl011_uart_ops = {
    .name = "pl011",
    .init = pl011_init,
    .write = pl011_write,
    .drain = pl011_drain,
    .listen = pl011_listen,
    .read = pl011_read,
};
