/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's UART in I/O ports: 16550A and what is like it (National PC16550D data sheet). */

#include <arch/cpu.h>
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/uart/uart.h"

enum {
    UART_DATA = 0,
    UART_IER = 1,
    UART_FCR = 2, /* write */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
};

#define IER_RECEIVED BIT(0)
#define FCR_ENABLE BIT(0)
#define FCR_CLEAR (BIT(1) | BIT(2))
#define LCR_8N1 3u
#define MCR_DTR BIT(0)
#define MCR_RTS BIT(1)
#define MCR_OUT2 BIT(3) /* on a PC: lets the interrupt out */
#define LSR_READY BIT(0)
#define LSR_ERRORS GENMASK(4, 2) /* parity, framing, break: the byte is noise */
#define LSR_THRE BIT(5)
#define LSR_TEMT BIT(6) /* the shift register, too */
#define LSR_NOBODY 0xff

#define FIFO_BYTES 16

static uint16_t port(const struct uart *uart, unsigned reg)
{
    return (uint16_t)((uintptr_t)uart->regs + reg);
}

static void reg_write(const struct uart *uart, unsigned reg, uint64_t value)
{
    port_write8(port(uart, reg), (uint8_t)value);
}

static uint8_t status_of(const struct uart *uart)
{
    return port_read8(port(uart, UART_LSR));
}

/* The receiver's level stays at one byte. */
static bool uart16550_init(struct uart *uart)
{
    if (status_of(uart) == LSR_NOBODY)
        return false;
    reg_write(uart, UART_IER, 0);
    reg_write(uart, UART_LCR, LCR_8N1);
    reg_write(uart, UART_FCR, FCR_ENABLE | FCR_CLEAR);
    reg_write(uart, UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    return true;
}

static void uart16550_write(struct uart *uart, const char *text, unsigned length)
{
    unsigned room = 0;

    for (unsigned i = 0; i < length; i++) {
        if (room == 0) {
            while (!(status_of(uart) & LSR_THRE)) /* then the FIFO is empty */
                cpu_relax();
            room = FIFO_BYTES;
        }
        reg_write(uart, UART_DATA, (uint8_t)text[i]);
        room--;
    }
}

static void uart16550_drain(struct uart *uart)
{
    while (!(status_of(uart) & LSR_TEMT))
        cpu_relax();
}

static void uart16550_listen(struct uart *uart)
{
    reg_write(uart, UART_IER, IER_RECEIVED);
}

static unsigned uart16550_read(struct uart *uart, uint8_t *bytes, unsigned most)
{
    unsigned count = 0;
    uint8_t status;

    while (count < most && ((status = status_of(uart)) & LSR_READY) && status != LSR_NOBODY) {
        const uint8_t data = port_read8(port(uart, UART_DATA));

        if (!(status & LSR_ERRORS))
            bytes[count++] = data;
    }
    return count;
}

const struct uart_ops uart16550_uart_ops = {
    .name = "16550",
    .init = uart16550_init,
    .write = uart16550_write,
    .drain = uart16550_drain,
    .listen = uart16550_listen,
    .read = uart16550_read,
};
