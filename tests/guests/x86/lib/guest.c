/* SPDX-License-Identifier: BSD-2-Clause */
/* Console, exceptions, interrupts and page tables of the test guests; see guest.h. */
#include "tests/guests/x86/lib/guest.h"

enum { COM1 = 0x3f8, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };
#define LSR_DATA 1u
#define LSR_THR_EMPTY 0x20u

#define DEBUG_EXIT 0xf4
#define INFO_CMDLINE 4u
#define IST_BYTES 4096
#define GATE_INTERRUPT 0x8e
#define TSS_SELECTOR 0x40
#define TSS_AVAILABLE 0x89UL

#define PAGE_PRESENT 1u
#define PAGE_LARGE 0x80u
#define PAGE_TABLES 16

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct multiboot {
    uint32_t flags, memory[2], boot_device, cmdline;
};

struct frame fault;
uint64_t fault_address;
void (*on_fault)(void);
volatile unsigned interrupts[256];
void (*on_interrupt)(unsigned vector);
struct gate idt[256];

extern uint64_t resume_stack, multiboot_info, gdt_tss[], page_directories[];
extern const uint8_t vectors[], attempt_resume[];

void guest_start(void);
void exception(struct frame *frame);
void cpu_tables(unsigned cpu);

/* ---- console ---- */

void uart_init(void)
{
    out8(COM1 + UART_IER, 0);
    out8(COM1 + UART_LCR, 0x80);
    out8(COM1, 1);
    out8(COM1 + UART_IER, 0);
    out8(COM1 + UART_LCR, 3);
    out8(COM1 + UART_FCR, 1);
    out8(COM1 + UART_MCR, 3);
}

void put_char(char c)
{
    while (!(in8(COM1 + UART_LSR) & LSR_THR_EMPTY))
        continue;
    out8(COM1, (uint8_t)c);
}

int uart_getc(void)
{
    while (!(in8(COM1 + UART_LSR) & LSR_DATA))
        continue;
    return in8(COM1);
}

void power_off(void)
{
    out8(DEBUG_EXIT, 0);
    for (;;)
        asm volatile("cli\n\thlt");
}

/* ---- exceptions and interrupts ---- */

void load_idt(uint16_t limit)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = { limit, (uint64_t)idt };

    asm volatile("lidt %0" ::"m"(idtr));
}

static struct tss tss[MAX_CPUS];

void exception_stack(unsigned cpu, uint64_t top)
{
    tss[cpu].ist[0] = top;
}

/* A TSS for exceptions' own stack, so that they come whatever has happened to the other. */
void cpu_tables(unsigned cpu)
{
    static uint8_t stacks[MAX_CPUS][IST_BYTES] __attribute__((aligned(16)));
    uint64_t base = (uint64_t)&tss[cpu];

    exception_stack(cpu, (uint64_t)stacks[cpu] + IST_BYTES);
    tss[cpu].io_map = sizeof(struct tss);
    gdt_tss[2 * cpu] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
                       (base >> 24 & 0xff) << 56;
    gdt_tss[2 * cpu + 1] = base >> 32;
    asm volatile("ltr %w0" ::"r"(TSS_SELECTOR + 16 * cpu));
    load_idt(sizeof(idt) - 1);
}

static void fill_idt(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)vectors + 16 * i;

        idt[i] = (struct gate){
            .offset_low = (uint16_t)at,
            .selector = SELECTOR_CODE64,
            .ist = i < 32,
            .type = GATE_INTERRUPT,
            .offset_middle = (uint16_t)(at >> 16),
            .offset_high = (uint32_t)(at >> 32),
        };
    }
}

static void resume(struct frame *frame)
{
    fault = *frame;
    asm volatile("mov %%cr2, %0" : "=r"(fault_address));
    if (on_fault != NULL)
        on_fault();
    frame->rax = frame->vector;
    frame->rip = (uint64_t)attempt_resume;
    frame->cs = SELECTOR_CODE64;
    frame->rflags = 2;
    frame->rsp = resume_stack;
    frame->ss = SELECTOR_DATA;
}

void exception(struct frame *frame)
{
    unsigned vector = (unsigned)frame->vector;

    interrupts[vector]++;
    if (vector >= 32 || vector == VECTOR_NMI) {
        if (on_interrupt != NULL)
            on_interrupt(vector);
        if (vector >= 32 && vector != SPURIOUS_VECTOR)
            lapic_write(LAPIC_EOI, 0);
        return;
    }
    if (resume_stack != 0) {
        resume(frame);
        return;
    }
    uart_init();
    print("exception %u, error 0x%lx, rip 0x%lx, rsp 0x%lx\n", vector, frame->error, frame->rip,
          frame->rsp);
    check(false, "exception");
    finish();
}

/* ---- page tables ---- */

uint64_t *page_entry(uint64_t address)
{
    static uint64_t tables[PAGE_TABLES][512] __attribute__((aligned(4096)));
    static unsigned used;
    uint64_t *large = &page_directories[address >> 21];
    uint64_t *table;

    if (*large & PAGE_LARGE) {
        table = tables[used++];
        for (unsigned i = 0; i < 512; i++)
            table[i] = (*large & ~(uint64_t)PAGE_LARGE) + i * 4096UL;
        *large = (uint64_t)table | 7;
        write_cr3(read_cr3());
    }
    table = (uint64_t *)(*large & ~0xfffUL);
    return &table[address >> 12 & 511];
}

void flush_page(uint64_t address)
{
    asm volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* ---- start ---- */

void guest_start(void)
{
    const struct multiboot *info = (const struct multiboot *)multiboot_info;

    if (info->flags & INFO_CMDLINE)
        command_line = (const char *)(uint64_t)info->cmdline;
    fill_idt();
    cpu_tables(0);
    uart_init();
    out8(0x21, 0xff); /* no 8259 */
    out8(0xa1, 0xff);
    lapic_write(LAPIC_SVR, 0x100 | SPURIOUS_VECTOR);
    guest_main();
    finish();
}
