/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PrimeCell UART (PL011), as in ARM's Technical Reference Manual r1p5 (DDI 0183G), chapter 3.
 *
 *     DR write --> console                      the transmitter is always done at once
 *     console --> receive FIFO (32) --> DR read  the rest waits in the console's ring
 *     events --> RIS --& IMSC--> MIS --any--> line
 *
 * Not there: DMA, IrDA, breaks and framing errors. As firmware has normally enabled a UART
 * before an operating system prints, UARTEN stops nothing; TXE and RXE, set at reset, do.
 */

#include "vm/devices/pl011.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/devices/primecell.h"
#include "vm/state.h"

enum {
    DR = 0x00,
    RSR = 0x04, /* ECR for writes */
    FR = 0x18,
    ILPR = 0x20,
    IBRD = 0x24,
    FBRD = 0x28,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    DMACR = 0x48,
    REGS_END = 0x4c,
};

#define PERIPHID PRIMECELL_PERIPHID(0x011, 3) /* r1p5: FIFOs of 32 */
#define FIFO_DEPTH 32

#define DR_OE BIT(11)
#define RSR_OE BIT(3)
#define FR_CTS BIT(0)
#define FR_DSR BIT(1)
#define FR_DCD BIT(2)
#define FR_RXFE BIT(4)
#define FR_RXFF BIT(6)
#define FR_TXFE BIT(7)
#define FR_RI BIT(8)
#define LCR_H_FEN BIT(4)
#define CR_LBE BIT(7)
#define CR_TXE BIT(8)
#define CR_RXE BIT(9)
#define CR_RESET (CR_TXE | CR_RXE)
#define IFLS_RX GENMASK(5, 3)
#define IFLS_RESET 0x12
#define INT_RX BIT(4)
#define INT_TX BIT(5)
#define INT_RT BIT(6)
#define INT_OE BIT(10)

/* Bits that a register keeps; RIS, MIS and FR are made when they are read. */
static const uint16_t kept[REGS_END / 4] = {
    [RSR / 4] = RSR_OE, [ILPR / 4] = 0xff,  [IBRD / 4] = 0xffff,
    [FBRD / 4] = 0x3f,  [LCR_H / 4] = 0xff, [CR / 4] = 0xff87,
    [IFLS / 4] = 0x3f,  [IMSC / 4] = 0x7ff, [DMACR / 4] = 0x07,
};
#define RIS_BITS 0x7ff

/* IFLS.RXIFLSEL to bytes: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO; the rest is reserved. */
static const uint8_t rx_levels[8] = { 4, 8, 16, 24, 28, 28, 28, 28 };

/* Modem inputs: flag, interrupt, and the CR bit that drives it in loopback. */
static const struct {
    uint16_t flag, interrupt, loop;
} modem[] = {
    { FR_RI, BIT(0), BIT(13) },  /* OUT2 */
    { FR_CTS, BIT(1), BIT(11) }, /* RTS */
    { FR_DCD, BIT(2), BIT(12) }, /* OUT1 */
    { FR_DSR, BIT(3), BIT(10) }, /* DTR */
};

struct pl011 {
    struct vdev dev;
    struct console *console;
    struct irq_line line;
    bool level; /* of the line, as last set */
    uint16_t reg[REGS_END / 4];
    uint16_t ris;
    uint8_t fifo[FIFO_DEPTH]; /* ring */
    uint8_t first, count;
};

static struct pl011 *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct pl011, dev);
}

static void update_line(struct pl011 *uart)
{
    bool level = (uart->ris & uart->reg[IMSC / 4]) != 0;

    if (level != uart->level) {
        uart->level = level;
        irq_line_set(&uart->line, level);
    }
}

static bool fifo_enabled(const struct pl011 *uart)
{
    return (uart->reg[LCR_H / 4] & LCR_H_FEN) != 0;
}

/* With the FIFOs disabled, one holding register is left. */
static unsigned rx_capacity(const struct pl011 *uart)
{
    return fifo_enabled(uart) ? FIFO_DEPTH : 1;
}

static unsigned rx_level(const struct pl011 *uart)
{
    return fifo_enabled(uart) ? rx_levels[FIELD_GET(IFLS_RX, uart->reg[IFLS / 4])] : 1;
}

static void rx_push(struct pl011 *uart, uint8_t byte)
{
    if (uart->count == rx_capacity(uart)) { /* only in loopback: the console can wait */
        uart->reg[RSR / 4] |= RSR_OE;
        uart->ris |= INT_OE;
        return;
    }
    uart->fifo[(uart->first + uart->count++) % FIFO_DEPTH] = byte;
}

/*
 * Data came, or the level moved. The line is idle at once, so what stays below the level is
 * told by the receive timeout.
 */
static void rx_events(struct pl011 *uart)
{
    if (uart->count >= rx_level(uart))
        uart->ris |= INT_RX;
    if (uart->count > 0 && fifo_enabled(uart))
        uart->ris |= INT_RT;
}

/* Takes what the console has and the FIFO has room for. */
static void rx_fill(struct pl011 *uart)
{
    bool listens = (uart->reg[CR / 4] & (CR_RXE | CR_LBE)) == CR_RXE;
    uint8_t byte;

    if (!listens || uart->count == rx_capacity(uart) || !console_has_input(uart->console))
        return;
    while (uart->count < rx_capacity(uart) && console_get(uart->console, &byte))
        rx_push(uart, byte);
    rx_events(uart);
}

static uint64_t rx_pop(struct pl011 *uart)
{
    uint64_t value = uart->fifo[uart->first];

    if (uart->count == 0)
        return 0;
    if (uart->count == rx_capacity(uart) && (uart->reg[RSR / 4] & RSR_OE))
        value |= DR_OE;
    uart->first = (uint8_t)((uart->first + 1) % FIFO_DEPTH);
    uart->count--;
    if (uart->count < rx_level(uart))
        uart->ris &= (uint16_t)~INT_RX;
    if (uart->count == 0) {
        uart->ris &= (uint16_t)~INT_RT;
        rx_fill(uart);
    } else if (fifo_enabled(uart)) {
        uart->ris |= INT_RT; /* idle again with data left, also after it was cleared */
    }
    update_line(uart);
    return value;
}

static void rx_flush(struct pl011 *uart)
{
    uart->first = uart->count = 0;
    uart->ris &= (uint16_t) ~(INT_RX | INT_RT);
}

static void transmit(struct pl011 *uart, uint8_t byte)
{
    uint16_t cr = uart->reg[CR / 4];

    if (unlikely(!(cr & CR_TXE)))
        return;
    if (likely(!(cr & CR_LBE))) {
        console_put(uart->console, byte);
    } else if (cr & CR_RXE) {
        rx_push(uart, byte);
        rx_events(uart);
    }
    uart->ris |= INT_TX; /* the FIFO has drained through its level */
    update_line(uart);
}

/* The modem lines: the far end is always ready, except that loopback is its own far end. */
static uint64_t modem_flags(const struct pl011 *uart)
{
    uint16_t cr = uart->reg[CR / 4];
    uint64_t flags = 0;

    if (!(cr & CR_LBE))
        return FR_CTS | FR_DSR | FR_DCD;
    for (unsigned i = 0; i < ARRAY_SIZE(modem); i++)
        if (cr & modem[i].loop)
            flags |= modem[i].flag;
    return flags;
}

static uint64_t flags(const struct pl011 *uart)
{
    return modem_flags(uart) | FR_TXFE | (uart->count == 0 ? FR_RXFE : 0) |
           (uart->count == rx_capacity(uart) ? FR_RXFF : 0);
}

static uint64_t pl011_read(struct vdev *dev, struct vdev_access access)
{
    struct pl011 *uart = from_vdev(dev);

    if (!IS_ALIGNED(access.offset, 4))
        return 0;
    switch (access.offset) {
    case DR: return rx_pop(uart);
    case FR: return flags(uart);
    case RIS: return uart->ris;
    case MIS: return uart->ris & uart->reg[IMSC / 4];
    default: break;
    }
    if (access.offset >= PRIMECELL_ID)
        return primecell_id(PERIPHID, access.offset);
    return access.offset < REGS_END ? uart->reg[access.offset / 4] : 0;
}

static void write_cr(struct pl011 *uart, uint16_t value)
{
    uint64_t before = modem_flags(uart);

    uart->reg[CR / 4] = value;

    uint64_t changed = before ^ modem_flags(uart);

    for (unsigned i = 0; i < ARRAY_SIZE(modem); i++)
        if (changed & modem[i].flag)
            uart->ris |= modem[i].interrupt;
    rx_fill(uart);
}

static void write_lcr_h(struct pl011 *uart, uint16_t value)
{
    bool toggles = ((uart->reg[LCR_H / 4] ^ value) & LCR_H_FEN) != 0;

    uart->reg[LCR_H / 4] = value;
    if (toggles) {
        rx_flush(uart);
        rx_fill(uart);
    }
}

static void pl011_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct pl011 *uart = from_vdev(dev);

    if (likely(access.offset == DR)) {
        transmit(uart, (uint8_t)value);
        return;
    }
    if (access.offset >= REGS_END || !IS_ALIGNED(access.offset, 4))
        return;

    uint16_t bits = (uint16_t)value & kept[access.offset / 4];

    switch (access.offset) {
    case RSR: uart->reg[RSR / 4] = 0; break; /* ECR: any value clears */
    case CR: write_cr(uart, bits); break;
    case LCR_H: write_lcr_h(uart, bits); break;
    case ICR: uart->ris &= (uint16_t)~value; break;
    default: uart->reg[access.offset / 4] = bits; break;
    }
    if (access.offset == IFLS && uart->count > 0)
        rx_events(uart);
    update_line(uart);
}

/* Typed bytes have come. */
static void pl011_on_input(void *device)
{
    struct pl011 *uart = device;

    spin_lock(&uart->dev.lock);
    rx_fill(uart);
    update_line(uart);
    spin_unlock(&uart->dev.lock);
}

static void pl011_reset(struct vdev *dev)
{
    struct pl011 *uart = from_vdev(dev);

    for (unsigned i = 0; i < ARRAY_SIZE(uart->reg); i++)
        uart->reg[i] = 0;
    uart->reg[CR / 4] = CR_RESET;
    uart->reg[IFLS / 4] = IFLS_RESET;
    uart->ris = 0;
    uart->first = uart->count = 0;
    rx_fill(uart); /* typed ahead */
    update_line(uart);
}

static void pl011_save(const struct vdev *dev, struct state_writer *out)
{
    const struct pl011 *uart = from_vdev(dev);

    for (unsigned i = 0; i < ARRAY_SIZE(uart->reg); i++)
        state_put_u16(out, uart->reg[i]);
    state_put_u16(out, uart->ris);
    state_put_u8(out, uart->count);
    for (unsigned i = 0; i < uart->count; i++)
        state_put_u8(out, uart->fifo[(uart->first + i) % FIFO_DEPTH]);
}

static status_t pl011_restore(struct vdev *dev, struct state_reader *in)
{
    struct pl011 *uart = from_vdev(dev);
    struct pl011 to = { .ris = 0 };

    for (unsigned i = 0; i < ARRAY_SIZE(to.reg); i++) {
        to.reg[i] = state_get_u16(in);
        if (to.reg[i] & ~kept[i])
            state_reject(in);
    }
    to.ris = state_get_u16(in);
    to.count = state_get_u8(in);
    if ((to.ris & ~RIS_BITS) || to.count > rx_capacity(&to))
        return ERR_INVALID_ARGS;
    state_get_bytes(in, to.fifo, to.count);
    if (state_status(in) != OK)
        return ERR_INVALID_ARGS;

    to.dev = uart->dev;
    to.console = uart->console;
    to.line = uart->line;
    to.level = uart->level;
    *uart = to;
    update_line(uart);
    return OK;
}

static void pl011_destroy(struct vdev *dev)
{
    struct pl011 *uart = from_vdev(dev);

    console_set_reader(uart->console, NULL, NULL);
    pmm_free_wired(uart);
}

const struct vdev_ops pl011_ops = {
    .name = "pl011",
    .read = pl011_read,
    .write = pl011_write,
    .reset = pl011_reset,
    .save = pl011_save,
    .restore = pl011_restore,
    .destroy = pl011_destroy,
};

status_t pl011_create(struct vdev **out, struct console *console, struct irq_line line)
{
    struct pl011 *uart = pmm_alloc_wired(sizeof(*uart));

    if (uart == NULL)
        return ERR_NO_MEMORY;
    uart->dev.ops = &pl011_ops;
    uart->console = console;
    uart->line = line;
    pl011_reset(&uart->dev);
    console_set_reader(console, pl011_on_input, uart);
    *out = &uart->dev;
    return OK;
}
