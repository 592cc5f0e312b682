/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions as a CPU gives them: of the guest's own instructions, in the middle of those that
 * the hypervisor emulates, one during another, NMIs too, and single steps over what exits.
 */
#include "tests/guests/x86/lib/guest.h"

#define SPARE 0xa00000UL /* memory that nobody uses */
#define VGA 0xb8000UL
#define NOT_CANONICAL 0x800000000000UL
#define NO_MSR 0xdead
#define PORT_CMOS_DATA 0x71
#define DR6_BS (1u << 14)
#define ICR_NMI 0x4400u

enum { PF_WRITE = 2 };

static void divide(uint64_t by)
{
    uint32_t low = 1, high = 0;

    asm volatile("divl %2" : "+a"(low), "+d"(high) : "r"((uint32_t)by));
}

static void undefined(uint64_t unused)
{
    (void)unused;
    asm volatile("ud2");
}

static void breakpoint(uint64_t unused)
{
    (void)unused;
    asm volatile("int3");
}

static void read(uint64_t address)
{
    mmio_read32(address);
}

static void write(uint64_t address)
{
    mmio_write32(address, 0);
}

static void read_msr(uint64_t index)
{
    rdmsr((uint32_t)index);
}

static void reserved_cr4(uint64_t bit)
{
    write_cr4(read_cr4() | 1UL << bit);
}

static void bad_efer(uint64_t bit)
{
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1UL << bit);
}

static void far_selector(uint64_t selector)
{
    asm volatile("mov %0, %%fs" ::"r"(selector));
}

static void vm_instruction(uint64_t unused)
{
    (void)unused;
    asm volatile("vmrun %%rax" ::"a"(SPARE));
}

static void vmx_instruction(uint64_t unused)
{
    (void)unused;
    asm volatile(".byte 0x0f, 0x01, 0xc2"); /* VMLAUNCH */
}

static void own(void)
{
    static const struct {
        const char *name;
        void (*run)(uint64_t argument);
        uint64_t argument;
        unsigned vector;
    } cases[] = {
        { "division by zero", divide, 0, VECTOR_DE },
        { "ud2", undefined, 0, VECTOR_UD },
        { "int3", breakpoint, 0, VECTOR_BP },
        { "address that is not canonical", read, NOT_CANONICAL, VECTOR_GP },
        { "address without a page", read, 1UL << 33, VECTOR_PF },
        { "unknown msr", read_msr, NO_MSR, VECTOR_GP },
        { "reserved bit of cr4", reserved_cr4, 31, VECTOR_GP },
        { "vmxe in cr4", reserved_cr4, 13, VECTOR_GP },
        { "reserved bit of efer", bad_efer, 20, VECTOR_GP },
        { "svme in efer", bad_efer, 12, VECTOR_GP },
        { "selector beyond the table", far_selector, 0xfff8, VECTOR_GP },
        { "vmrun", vm_instruction, 0, VECTOR_UD },
        { "vmlaunch", vmx_instruction, 0, VECTOR_UD },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
        check_equal(cases[i].name, attempt(cases[i].run, cases[i].argument), cases[i].vector);
}

/* ---- in emulated instructions ---- */

static void copy_from_vga(uint64_t to)
{
    asm volatile("movsb" : "+D"(to) : "S"(VGA) : "memory");
}

static void copy_to_vga(uint64_t from)
{
    asm volatile("movsb" : "+S"(from) : "D"(VGA) : "memory");
}

static void input_string(uint64_t to)
{
    uint64_t count = 8;

    asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(PORT_CMOS_DATA) : "memory");
}

static void output_string(uint64_t from)
{
    uint64_t count = 8;

    asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(0x80) : "memory");
}

static void push_vga(uint64_t stack)
{
    asm volatile("xchg %0, %%rsp\n\tpushq (%1)\n\txchg %0, %%rsp" : "+r"(stack) : "r"(VGA));
}

static void in_emulation(void)
{
    uint64_t *entry = page_entry(SPARE + 0x1000);
    uint64_t hole = SPARE + 0x1000;
    uint64_t before = *entry;

    *entry = 0;
    flush_page(hole);
    check_equal("movs to a missing page", attempt(copy_from_vga, hole + 8), VECTOR_PF);
    check_equal("is a write", fault.error & 7, PF_WRITE);
    check_equal("at its address", fault_address, hole + 8);
    check_equal("movs from a missing page", attempt(copy_to_vga, hole + 16), VECTOR_PF);
    check_equal("is a read", fault.error & 7, 0);
    check_equal("at that address", fault_address, hole + 16);

    check_equal("rep ins into a missing page", attempt(input_string, hole - 3), VECTOR_PF);
    check_equal("stops where it is missing", fault_address, hole);
    check_equal("with the rest to do", fault.rcx, 5);
    check_equal("and the place to go on", fault.rdi, hole);
    check_equal("rep outs from a missing page", attempt(output_string, hole - 5), VECTOR_PF);
    check_equal("its rest", fault.rcx, 3);
    check_equal("its place", fault.rsi, hole);
    check_equal("push of a device's value on no stack", attempt(push_vga, hole + 64), VECTOR_PF);
    check_equal("wrote below the stack pointer", fault_address, hole + 56);

    *entry = before & ~2UL; /* read-only; CR0.WP is set */
    flush_page(hole);
    check_equal("movs to a read-only page", attempt(copy_from_vga, hole), VECTOR_PF);
    check_equal("is a write to a present page", fault.error & 7, PF_WRITE | 1);
    *entry = before;
    flush_page(hole);
    check_equal("movs where all is there", attempt(copy_from_vga, hole), NO_FAULT);
    check_equal("movs to no canonical address", attempt(copy_from_vga, NOT_CANONICAL), VECTOR_GP);
    check_equal("write of a device's register", attempt(write, VGA), NO_FAULT);
}

/* ---- single steps ---- */

static void step_over_cpuid(uint64_t unused)
{
    (void)unused;
    asm volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tcpuid\n\tnop"
                 :
                 : "a"(0), "c"(0)
                 : "ebx", "edx", "cc", "memory");
}

static void step_over_port(uint64_t unused)
{
    (void)unused;
    asm volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\toutb %%al, $0x80\n\tnop"
                 :
                 : "a"(0)
                 : "cc", "memory");
}

static void step_over_mmio(uint64_t unused)
{
    (void)unused;
    asm volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tmovb (%0), %%al\n\tnop"
                 :
                 : "r"(VGA)
                 : "rax", "cc", "memory");
}

static uint64_t stepped_dr6;

static void note_dr6(void)
{
    stepped_dr6 = read_dr6();
    asm volatile("mov %0, %%dr6" ::"r"(0xffff0ff0UL));
}

static void steps(void)
{
    static const struct {
        const char *name;
        void (*run)(uint64_t argument);
    } cases[] = {
        { "step over cpuid", step_over_cpuid },
        { "step over out", step_over_port },
        { "step over mmio", step_over_mmio },
    };

    on_fault = note_dr6;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        check_equal(cases[i].name, attempt(cases[i].run, 0), VECTOR_DB);
        check_equal("before the nop", *(uint8_t *)fault.rip, 0x90);
        check((stepped_dr6 & DR6_BS) != 0, "dr6 says single step");
    }
    on_fault = NULL;
}

/* ---- stacks where nothing is ---- */

#define NOWHERE 0xd0000800UL

static void pop_nowhere(uint64_t to)
{
    asm volatile("mov %0, %%rsp\n\tpop %%rcx" ::"r"(to) : "rcx", "memory");
}

/* POP and PUSH as with an operand in memory, but of a register. */
static void pop_by_group(uint64_t to)
{
    asm volatile("mov %0, %%rsp\n\t.byte 0x8f, 0xc1" ::"r"(to) : "rcx", "memory");
}

static void push_by_group(uint64_t to)
{
    asm volatile("mov %0, %%rsp\n\t.byte 0xff, 0xf0" ::"r"(to) : "memory");
}

static void undefined_nowhere(uint64_t to)
{
    asm volatile("mov %0, %%rsp\n\tud2" ::"r"(to) : "memory");
}

static void breakpoint_nowhere(uint64_t to)
{
    asm volatile("mov %0, %%rsp\n\tint3" ::"r"(to) : "memory");
}

static void read_nowhere(uint64_t to)
{
    asm volatile("mov %0, %%rsp\n\tmov (%1), %%al" ::"r"(to), "r"(NOT_CANONICAL) : "rax", "memory");
}

/* The trap comes before an instruction that touches no memory. */
static void step_nowhere(uint64_t to)
{
    asm volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tmov %0, %%rsp\n\tadd %%rax, %%rcx"
                 :
                 : "r"(to)
                 : "rax", "rcx", "cc", "memory");
}

/* Exceptions that are delivered there end in another, which has a stack of its own. */
static void stacks_nowhere(void)
{
    static const struct {
        const char *name;
        void (*run)(uint64_t to);
        unsigned vector, expected; /* the one whose stack is nowhere, and what comes of it */
    } cases[] = {
        { "pop from a stack nowhere", pop_nowhere, VECTOR_GP, VECTOR_GP },
        { "pop by its group", pop_by_group, VECTOR_GP, VECTOR_GP },
        { "push by its group", push_by_group, VECTOR_GP, VECTOR_GP },
        { "undefined with a stack nowhere", undefined_nowhere, VECTOR_UD, VECTOR_GP },
        { "int3 with it", breakpoint_nowhere, VECTOR_BP, VECTOR_GP },
        { "step with it", step_nowhere, VECTOR_DB, VECTOR_GP },
        { "protection fault with it", read_nowhere, VECTOR_GP, VECTOR_DF },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gate *const gate = &idt[cases[i].vector];

        gate->ist = cases[i].vector == cases[i].expected;
        check_equal(cases[i].name, attempt(cases[i].run, NOWHERE), cases[i].expected);
        gate->ist = 1;
    }
}

/* ---- one during another ---- */

static void double_fault(void)
{
    uint8_t type = idt[VECTOR_GP].type;

    idt[VECTOR_GP].type = 0;
    check_equal("fault without its gate", attempt(read, NOT_CANONICAL), VECTOR_DF);
    idt[VECTOR_GP].type = type;
    check_equal("after that", attempt(read, NOT_CANONICAL), VECTOR_GP);
    idt[VECTOR_UD].type = 0x0e;
    check_equal("undefined without its gate", attempt(undefined, 0), VECTOR_NP);
    idt[VECTOR_UD].type = type;
}

/* ---- NMIs ---- */

static unsigned nmis, handling, most;

static void send_nmi(void)
{
    lapic_ipi(cpu_self(), ICR_NMI);
    in8(0x80);
}

/* Two come while the first is handled; they are one, and that waits for IRET. */
static void handle_nmi(unsigned vector)
{
    if (vector != VECTOR_NMI)
        return;
    handling++;
    most = handling > most ? handling : most;
    if (++nmis == 1) {
        send_nmi();
        send_nmi();
    }
    handling--;
}

static void nmi_in_nmi(void)
{
    on_interrupt = handle_nmi;
    send_nmi();
    check_equal("nmis", nmis, 2);
    check_equal("at once", most, 1);
    nmis = 1; /* nothing is held any more */
    send_nmi();
    check_equal("one later", nmis, 2);
    on_interrupt = NULL;
}

void guest_main(void)
{
    own();
    in_emulation();
    steps();
    stacks_nowhere();
    double_fault();
    nmi_in_nmi();
}
