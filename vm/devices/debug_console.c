/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug console: a 16550 with byte registers, without FIFOs and interrupts.
 *
 * A byte stored at offset 0 appears on the VM's console at once, so a guest's first
 * instruction can already print. Typed bytes are there to be polled.
 *
 *     0  RBR / THR / DLL   1  IER / DLM   2  IIR / FCR   3  LCR
 *     4  MCR               5  LSR         6  MSR         7  SCR
 */

#include "vm/devices/debug_console.h"

#include "arch/bits.h"
#include "kernel/pmm.h"
#include "vm/state.h"

enum {
    REG_THR = 0,
    REG_IER = 1,
    REG_IIR = 2,
    REG_LCR = 3,
    REG_MCR = 4,
    REG_LSR = 5,
    REG_MSR = 6,
    REG_SCR = 7,
    REGS,
};

#define LCR_DLAB BIT(7)            /* offsets 0 and 1 are the baud-rate divisor */
#define LSR_DATA BIT(0)            /* a byte has come */
#define LSR_IDLE (BIT(5) | BIT(6)) /* transmitter ready and empty: always, nothing queues */
#define IIR_NONE BIT(0)            /* no interrupt pending */
#define MSR_READY (BIT(4) | BIT(5) | BIT(7)) /* CTS, DSR, DCD: somebody listens */

/* Bits that a register keeps; the others read 0. */
static const uint8_t kept[REGS] = {
    [REG_IER] = 0x0f, [REG_LCR] = 0xff, [REG_MCR] = 0x1f, [REG_SCR] = 0xff
};

struct debug_console {
    struct vdev dev;
    struct console *console;
    uint8_t reg[REGS];
    uint8_t divisor[2];
};

static struct debug_console *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct debug_console, dev);
}

static uint8_t *divisor(struct debug_console *uart, uint64_t offset)
{
    return offset <= REG_IER && (uart->reg[REG_LCR] & LCR_DLAB) ? &uart->divisor[offset] : NULL;
}

static uint64_t debug_console_read(struct vdev *dev, struct vdev_access access)
{
    struct debug_console *uart = from_vdev(dev);
    uint8_t byte = 0;

    if (divisor(uart, access.offset))
        return *divisor(uart, access.offset);

    switch (access.offset) {
    case REG_THR: return console_get(uart->console, &byte) ? byte : 0;
    case REG_IIR: return IIR_NONE;
    case REG_LSR: return LSR_IDLE | (console_has_input(uart->console) ? LSR_DATA : 0);
    case REG_MSR: return MSR_READY;
    default: return access.offset < REGS ? uart->reg[access.offset] : 0;
    }
}

static void debug_console_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct debug_console *uart = from_vdev(dev);
    uint8_t byte = (uint8_t)value; /* wider stores: the low byte, as on an 8-bit bus */

    if (divisor(uart, access.offset))
        *divisor(uart, access.offset) = byte;
    else if (access.offset == REG_THR)
        console_put(uart->console, byte);
    else if (access.offset < REGS)
        uart->reg[access.offset] = byte & kept[access.offset];
}

static void debug_console_reset(struct vdev *dev)
{
    struct debug_console *uart = from_vdev(dev);

    for (unsigned i = 0; i < REGS; i++)
        uart->reg[i] = 0;
    uart->divisor[0] = uart->divisor[1] = 0;
}

static void debug_console_save(const struct vdev *dev, struct state_writer *out)
{
    const struct debug_console *uart = from_vdev(dev);

    state_put_bytes(out, uart->reg, sizeof(uart->reg));
    state_put_bytes(out, uart->divisor, sizeof(uart->divisor));
}

static status_t debug_console_restore(struct vdev *dev, struct state_reader *in)
{
    struct debug_console *uart = from_vdev(dev);

    state_get_bytes(in, uart->reg, sizeof(uart->reg));
    state_get_bytes(in, uart->divisor, sizeof(uart->divisor));
    for (unsigned i = 0; i < REGS; i++)
        if (uart->reg[i] & ~kept[i])
            state_reject(in);
    return state_status(in); /* short or overlong records are remembered by the reader */
}

static void debug_console_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops debug_console_ops = {
    .name = "debug-console",
    .read = debug_console_read,
    .write = debug_console_write,
    .reset = debug_console_reset,
    .save = debug_console_save,
    .restore = debug_console_restore,
    .destroy = debug_console_destroy,
};

status_t debug_console_create(struct vdev **out, struct console *console)
{
    struct debug_console *uart = pmm_alloc_wired(sizeof(*uart));

    if (uart == NULL)
        return ERR_NO_MEMORY;
    uart->dev.ops = &debug_console_ops;
    uart->console = console;
    *out = &uart->dev;
    return OK;
}
