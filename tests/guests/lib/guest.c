/* SPDX-License-Identifier: BSD-2-Clause */
/* Console and exceptions of the test guests; see guest.h. */
#include "tests/guests/lib/guest.h"

enum { UART_DR = 0x00, UART_FR = 0x18, UART_LCR_H = 0x2c, UART_CR = 0x30, UART_IMSC = 0x38 };
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)

uint64_t start_ticks;
void (*irq_handler)(void);

static struct {
    bool expected;
    uint64_t esr, far;
} faults[MAX_CPUS];

void guest_start(uint64_t fdt, uint64_t ticks);
void exception(unsigned kind, struct frame *frame);
void command_line_find(uint64_t fdt);

void uart_init(void)
{
    mmio_write32(UART_BASE + UART_IMSC, 0);
    mmio_write32(UART_BASE + UART_LCR_H, 0x70); /* 8 bits, FIFOs */
    mmio_write32(UART_BASE + UART_CR, 0x301);   /* on: receive, transmit */
}

void put_char(char c)
{
    while (mmio_read32(UART_BASE + UART_FR) & FR_TXFF)
        continue;
    mmio_write32(UART_BASE + UART_DR, (uint8_t)c);
}

int uart_getc(void)
{
    while (mmio_read32(UART_BASE + UART_FR) & FR_RXFE)
        continue;
    return (int)(mmio_read32(UART_BASE + UART_DR) & 0xff);
}

void guest_start(uint64_t fdt, uint64_t ticks)
{
    start_ticks = ticks;
    command_line_find(fdt);
    uart_init();
    guest_main();
    finish();
}

void expect_faults(void)
{
    unsigned self = cpu_self();

    faults[self].esr = faults[self].far = 0;
    faults[self].expected = true;
}

uint64_t expected_fault(void)
{
    unsigned self = cpu_self();

    dsb();
    isb();
    faults[self].expected = false;
    return faults[self].esr;
}

uint64_t fault_address(void)
{
    return faults[cpu_self()].far;
}

/* Kinds 4..7 are from EL1 on its own stack: synchronous, IRQ, FIQ, SError. */
void exception(unsigned kind, struct frame *frame)
{
    unsigned self = cpu_self();

    if (kind == 5 && irq_handler != NULL) {
        irq_handler();
        return;
    }
    if (faults[self].expected && (kind == 4 || kind == 7)) {
        faults[self].esr = frame->esr;
        faults[self].far = frame->far;
        if (kind == 4)
            frame->elr += 4;
        if (ESR_CLASS(frame->esr) == CLASS_STEP)
            sysreg_write(mdscr_el1, sysreg_read(mdscr_el1) & ~1UL);
        return;
    }
    uart_init();
    print("exception: kind %u, esr 0x%lx, far 0x%lx, elr 0x%lx, x30 0x%lx\n", kind, frame->esr,
          frame->far, frame->elr, frame->x[30]);
    check(false, "exception");
    finish();
}
