/* SPDX-License-Identifier: BSD-2-Clause */
/* Console, checks, command line and exceptions of the test guests; see guest.h. */
#include "tests/guests/lib/guest.h"

#include <stdarg.h>

enum { UART_DR = 0x00, UART_FR = 0x18, UART_LCR_H = 0x2c, UART_CR = 0x30, UART_IMSC = 0x38 };
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)

uint64_t start_ticks;
void (*irq_handler)(void);

static unsigned passed, failed;
static bool expecting;
static uint64_t noted_esr, noted_far;

void guest_start(uint64_t fdt, uint64_t ticks);
void exception(unsigned kind, struct frame *frame);
void command_line_find(uint64_t fdt);

void uart_init(void)
{
    mmio_write32(UART_BASE + UART_IMSC, 0);
    mmio_write32(UART_BASE + UART_LCR_H, 0x70); /* 8 bits, FIFOs */
    mmio_write32(UART_BASE + UART_CR, 0x301);   /* on: receive, transmit */
}

static void putc(char c)
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

static void puts(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            putc('\r');
        putc(*text);
    }
}

static void put_number(uint64_t value, unsigned base)
{
    char text[24];
    char *at = text + sizeof(text) - 1;

    *at = '\0';
    do
        *--at = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    puts(at);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            puts((char[]){ *format, '\0' });
            continue;
        }
        bool wide = *++format == 'l';

        if (wide)
            format++;
        if (*format == 's')
            puts(va_arg(args, const char *));
        else if (*format == 'c')
            putc((char)va_arg(args, int));
        else
            put_number(wide ? va_arg(args, uint64_t) : va_arg(args, unsigned),
                       *format == 'x' ? 16 : 10);
    }
    va_end(args);
}

void check(bool ok, const char *name)
{
    ok ? passed++ : failed++;
    print("%s %s\n", ok ? "PASS" : "FAIL", name);
}

void check_equal(const char *name, uint64_t got, uint64_t want)
{
    if (got == want) {
        check(true, name);
        return;
    }
    failed++;
    print("FAIL %s: got 0x%lx, want 0x%lx\n", name, got, want);
}

static _Noreturn void finish(void)
{
    print("guest: done, %u passed, %u failed\n", passed, failed);
    power_off();
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
    noted_esr = 0;
    noted_far = 0;
    expecting = true;
}

uint64_t expected_fault(void)
{
    dsb();
    isb();
    expecting = false;
    return noted_esr;
}

uint64_t fault_address(void)
{
    return noted_far;
}

/* Kinds 4..7 are from EL1 on its own stack: synchronous, IRQ, FIQ, SError. */
void exception(unsigned kind, struct frame *frame)
{
    if (kind == 5 && irq_handler != NULL) {
        irq_handler();
        return;
    }
    if (expecting && (kind == 4 || kind == 7)) {
        noted_esr = frame->esr;
        noted_far = frame->far;
        if (kind == 4)
            frame->elr += 4;
        return;
    }
    uart_init();
    print("FAIL exception: kind %u, esr 0x%lx, far 0x%lx, elr 0x%lx, x30 0x%lx\n", kind, frame->esr,
          frame->far, frame->elr, frame->x[30]);
    failed++;
    finish();
}
