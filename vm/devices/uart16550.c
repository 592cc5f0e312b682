/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UART with FIFOs, as in National Semiconductor's PC16550D data sheet, section 8, wired as on
 * a PC: 1.8432 MHz crystal, INTR through a gate that OUT2 opens.
 *
 *     0  RBR / THR / DLL   1  IER / DLM   2  IIR / FCR   3  LCR
 *     4  MCR               5  LSR         6  MSR         7  SCR
 *
 *     THR --> console                          the transmitter is always done at once
 *     console --> receive FIFO (16) --> RBR    the rest waits in the console's ring
 *     OVERRUN, data or timeout, THR empty, modem --& IER--> IIR --& OUT2--> line
 *
 * Line speed is not modelled, so what stays below the FIFO's trigger level is told by the
 * timeout interrupt at once. Not there: breaks, parity and framing errors, DMA signals.
 */

#include "vm/devices/uart16550.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/state.h"

enum { THR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define FIFO_DEPTH 16
#define DIVISOR_RESET 12 /* 9600 baud, as firmware leaves it; the part's own is undefined */

#define IER_DATA BIT(0)
#define IER_THRE BIT(1)
#define IER_LINE BIT(2)
#define IER_MODEM BIT(3)
#define IER_BITS 0x0f
#define IIR_NONE 0x01
#define IIR_FIFOS 0xc0
#define FCR_ENABLE BIT(0)
#define FCR_CLEAR_RX BIT(1)
#define FCR_KEPT 0xc9 /* trigger level, DMA mode, enable; the others act and are gone */
#define FCR_TRIGGER GENMASK(7, 6)
#define LCR_DLAB BIT(7) /* offsets 0 and 1 are the baud-rate divisor */
#define MCR_OUT2 BIT(3)
#define MCR_LOOP BIT(4)
#define MCR_BITS 0x1f
#define LSR_DATA BIT(0)
#define LSR_OVERRUN BIT(1)
#define LSR_IDLE (BIT(5) | BIT(6)) /* holding and shift register empty */
#define MSR_CTS BIT(4)
#define MSR_DSR BIT(5)
#define MSR_RI BIT(6)
#define MSR_DCD BIT(7)
#define MSR_DELTAS 0x0f

static const uint8_t trigger_levels[4] = { 1, 4, 8, 14 };

/* What MCR's outputs are connected to in loopback. */
static const struct {
    uint8_t output, input;
} loop[] = {
    { BIT(0), MSR_DSR }, /* DTR */
    { BIT(1), MSR_CTS }, /* RTS */
    { BIT(2), MSR_RI },  /* OUT1 */
    { BIT(3), MSR_DCD }, /* OUT2 */
};

/* Bytes alone, so that it is its own record. */
struct uart16550_state {
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t divisor[2];
    uint8_t thre;    /* THR has become empty, and IIR has not said so yet; 0 or 1 */
    uint8_t overrun; /* LSR's bit */
    uint8_t deltas;  /* MSR's low half */
    uint8_t first, count;
    uint8_t fifo[FIFO_DEPTH]; /* ring */
};

struct uart16550 {
    struct vdev dev;
    struct console *console;
    struct irq_line line;
    bool listens;
    bool level; /* of the line, as last set */
    struct uart16550_state state;
};

static struct uart16550 *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct uart16550, dev);
}

static unsigned rx_capacity(const struct uart16550_state *state)
{
    return state->fcr & FCR_ENABLE ? FIFO_DEPTH : 1;
}

static bool rx_triggers(const struct uart16550 *uart)
{
    return !(uart->state.fcr & FCR_ENABLE) ||
           uart->state.count >= trigger_levels[FIELD_GET(FCR_TRIGGER, uart->state.fcr)];
}

/* The interrupt of highest priority, as IIR names it: table II of the data sheet. */
static uint8_t interrupt(const struct uart16550 *uart)
{
    if ((uart->state.ier & IER_LINE) && uart->state.overrun)
        return 0x06;
    if ((uart->state.ier & IER_DATA) && uart->state.count != 0)
        return rx_triggers(uart) ? 0x04 : 0x0c;
    if ((uart->state.ier & IER_THRE) && uart->state.thre)
        return 0x02;
    if ((uart->state.ier & IER_MODEM) && uart->state.deltas)
        return 0x00;
    return IIR_NONE;
}

/* In loopback the outputs' pins are inactive, OUT2's too. */
static void update_line(struct uart16550 *uart)
{
    bool level =
        (uart->state.mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && interrupt(uart) != IIR_NONE;

    if (level != uart->level) {
        uart->level = level;
        irq_line_set(&uart->line, level);
    }
}

static void rx_push(struct uart16550 *uart, uint8_t byte)
{
    if (uart->state.count ==
        rx_capacity(&uart->state)) { /* only in loopback: the console can wait */
        uart->state.overrun = LSR_OVERRUN;
        if (!(uart->state.fcr & FCR_ENABLE))
            uart->state.fifo[uart->state.first] = byte;
        return;
    }
    uart->state.fifo[(uart->state.first + uart->state.count++) % FIFO_DEPTH] = byte;
}

/* Takes what the console has and there is room for. */
static void rx_fill(struct uart16550 *uart)
{
    uint8_t byte;

    if (!uart->listens || (uart->state.mcr & MCR_LOOP))
        return;
    while (uart->state.count < rx_capacity(&uart->state) && console_get(uart->console, &byte))
        rx_push(uart, byte);
}

static uint8_t rx_pop(struct uart16550 *uart)
{
    uint8_t byte = uart->state.fifo[uart->state.first];

    if (uart->state.count != 0) {
        uart->state.first = (uint8_t)((uart->state.first + 1) % FIFO_DEPTH);
        if (--uart->state.count == 0)
            rx_fill(uart);
        update_line(uart);
    }
    return byte; /* with nothing there, what lies there */
}

static void transmit(struct uart16550 *uart, uint8_t byte)
{
    if (likely(!(uart->state.mcr & MCR_LOOP)))
        console_put(uart->console, byte);
    else
        rx_push(uart, byte);
    uart->state.thre = 1;
    update_line(uart);
}

/* The far end is always ready, except that loopback is its own far end. */
static uint8_t modem_inputs(const struct uart16550 *uart)
{
    uint8_t inputs = 0;

    if (!(uart->state.mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    for (unsigned i = 0; i < ARRAY_SIZE(loop); i++)
        if (uart->state.mcr & loop[i].output)
            inputs |= loop[i].input;
    return inputs;
}

static void write_mcr(struct uart16550 *uart, uint8_t value)
{
    const uint8_t before = modem_inputs(uart);

    uart->state.mcr = value & MCR_BITS;

    const uint8_t now = modem_inputs(uart);
    const uint8_t changed = (before ^ now) & (uint8_t)~MSR_RI;

    uart->state.deltas |=
        (uint8_t)((changed | (before & ~now & MSR_RI)) >> 4); /* RI: its end counts */
    rx_fill(uart);
}

static void write_ier(struct uart16550 *uart, uint8_t value)
{
    if (value & ~uart->state.ier & IER_THRE)
        uart->state.thre = 1; /* being empty is told again to who asks anew */
    uart->state.ier = value & IER_BITS;
}

static void write_fcr(struct uart16550 *uart, uint8_t value)
{
    const bool toggles = ((uart->state.fcr ^ value) & FCR_ENABLE) != 0;

    if (toggles || (value & FCR_CLEAR_RX))
        uart->state.first = uart->state.count = 0;
    uart->state.fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    rx_fill(uart);
}

static uint8_t read_iir(struct uart16550 *uart)
{
    const uint8_t which = interrupt(uart);

    if (which == 0x02) {
        uart->state.thre = 0;
        update_line(uart);
    }
    return which | (uart->state.fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart16550 *uart)
{
    const uint8_t lsr = LSR_IDLE | uart->state.overrun | (uart->state.count != 0 ? LSR_DATA : 0);

    if (unlikely(uart->state.overrun)) {
        uart->state.overrun = 0;
        update_line(uart);
    }
    return lsr;
}

static uint8_t read_msr(struct uart16550 *uart)
{
    const uint8_t msr = modem_inputs(uart) | uart->state.deltas;

    uart->state.deltas = 0;
    update_line(uart);
    return msr;
}

static uint64_t uart16550_read(struct vdev *dev, struct vdev_access access)
{
    struct uart16550 *uart = from_vdev(dev);

    if (access.offset <= IER && (uart->state.lcr & LCR_DLAB))
        return uart->state.divisor[access.offset];
    switch (access.offset) {
    case THR: return rx_pop(uart);
    case IER: return uart->state.ier;
    case IIR: return read_iir(uart);
    case LCR: return uart->state.lcr;
    case MCR: return uart->state.mcr;
    case LSR: return read_lsr(uart);
    case MSR: return read_msr(uart);
    case SCR: return uart->state.scr;
    default: return 0;
    }
}

static void uart16550_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct uart16550 *uart = from_vdev(dev);
    uint8_t byte = (uint8_t)value;

    if (access.offset <= IER && unlikely(uart->state.lcr & LCR_DLAB)) {
        uart->state.divisor[access.offset] = byte;
        return;
    }
    if (likely(access.offset == THR)) {
        transmit(uart, byte);
        return;
    }
    switch (access.offset) {
    case IER: write_ier(uart, byte); break;
    case IIR: write_fcr(uart, byte); break;
    case LCR: uart->state.lcr = byte; break;
    case MCR: write_mcr(uart, byte); break;
    case SCR: uart->state.scr = byte; break;
    default: break;
    }
    update_line(uart);
}

/* Typed bytes have come. */
static void on_input(void *device)
{
    struct uart16550 *uart = device;

    spin_lock(&uart->dev.lock);
    rx_fill(uart);
    update_line(uart);
    spin_unlock(&uart->dev.lock);
}

static void uart16550_reset(struct vdev *dev)
{
    struct uart16550 *uart = from_vdev(dev);

    uart->state = (struct uart16550_state){ .divisor = { DIVISOR_RESET } };
    rx_fill(uart); /* typed ahead */
    update_line(uart);
}

static void uart16550_save(const struct vdev *dev, struct state_writer *out)
{
    state_put_bytes(out, &from_vdev(dev)->state, sizeof(struct uart16550_state));
}

static bool is_possible(const struct uart16550_state *state)
{
    return !(state->ier & ~IER_BITS) && !(state->fcr & ~FCR_KEPT) &&
           (state->fcr == 0 || (state->fcr & FCR_ENABLE)) && !(state->mcr & ~MCR_BITS) &&
           state->thre <= 1 && !(state->overrun & ~LSR_OVERRUN) && !(state->deltas & ~MSR_DELTAS) &&
           state->first < FIFO_DEPTH && state->count <= rx_capacity(state);
}

static status_t uart16550_restore(struct vdev *dev, struct state_reader *in)
{
    struct uart16550 *uart = from_vdev(dev);
    struct uart16550_state state;

    state_get_bytes(in, &state, sizeof(state));
    if (state_status(in) != OK || !is_possible(&state))
        return ERR_INVALID_ARGS;
    uart->state = state;
    update_line(uart);
    return OK;
}

static void uart16550_destroy(struct vdev *dev)
{
    struct uart16550 *uart = from_vdev(dev);

    if (uart->listens)
        console_set_reader(uart->console, NULL, NULL);
    pmm_free_wired(uart);
}

const struct vdev_ops uart16550_ops = {
    .name = "uart16550",
    .byte_ports = true,
    .read = uart16550_read,
    .write = uart16550_write,
    .reset = uart16550_reset,
    .save = uart16550_save,
    .restore = uart16550_restore,
    .destroy = uart16550_destroy,
};

status_t uart16550_create(struct vdev **out, struct console *console, bool listens,
                          struct irq_line line)
{
    struct uart16550 *uart = pmm_alloc_wired(sizeof(*uart));

    if (uart == NULL)
        return ERR_NO_MEMORY;
    uart->dev.ops = &uart16550_ops;
    uart->console = console;
    uart->listens = listens;
    uart->line = line;
    uart16550_reset(&uart->dev);
    if (listens)
        console_set_reader(console, on_input, uart);
    *out = &uart->dev;
    return OK;
}
