/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thing in the midst of another, outside of 64-bit mode: faults while a fault is delivered
 * (SDM 3A 6.15), of the CPU's own and of those that the hypervisor raises; an NMI that waits
 * for the IRET of another; and hypercalls, which only ring 0 may make.
 */
#include "tests/guests/x86/lib/cases.h"

#define FIRST_BORDER 0x1000000u
#define BLOCK_BYTES 0x200000u
#define UNMAPPED 0x3800000u
#define MAPPED_BYTES 0x400000u
#define NO_GATE(vector) ((vector)*8u + 2)
#define INTERRUPT 0x51u
#define ICR_SELF 0x44000u
#define ICR 0xfee00300u
#define SOFTWARE 0x42
#define NMI_HANDLER 0x400u /* of the code */
#define INT_HANDLER 0x500u
#define GATE_16 0x8600u
#define GATE_32 0x8e00u
#define INTEL 0x6c65746eu /* "ntel" */

static bool limits; /* are they looked at? */

/* ---- faults while one is delivered ---- */

SNIPPET(undefined, "ud2");
SNIPPET(protection, "mov $0xfff8, %ax\n mov %ax, %fs");
SNIPPET(halt, "hlt");
SNIPPET(beyond_device, "movw %gs:0xffff, %ax");

/* An earlier event is external to the program: QEMU says so by no bit, EXT. */
static void expect_error(uint32_t error)
{
    expect("error code", mode_state.error & ~1u, error);
}

/* Runs it with a gate less; then all gates are there again. */
static void without_gate(const struct snippet *snippet, unsigned gate, unsigned vector,
                         uint32_t error)
{
    const uint64_t before = mode_idt[gate];

    mode_idt[gate] = 0;
    mode_select(now);
    go(snippet, vector);
    mode_idt[gate] = before;
    expect_error(error);
}

static void missing_gates(void)
{
    if (now->real)
        return;
    without_gate(&undefined, VECTOR_UD, VECTOR_GP, NO_GATE(VECTOR_UD));
    without_gate(now->ring == 3 ? &halt : &protection, VECTOR_GP, VECTOR_DF, 0);
    if (limits)
        without_gate(&beyond_device, VECTOR_GP, VECTOR_DF, 0);
    without_gate(&undefined, VECTOR_DF, VECTOR_UD, 0);
}

/*
 * An IDT of which the gates from `split` on are in another page, at a multiple of 2 MiB: the
 * hypervisor has not given the guest that memory yet, so reading a gate interrupts the
 * delivery, and then there is none.
 */
static void split_table(uint32_t border, unsigned split)
{
    const uint32_t base = border - 8 * split;
    volatile uint64_t *const gates = (volatile uint64_t *)memory(base);

    mode_select(now);
    for (unsigned i = 0; i < split; i++)
        gates[i] = mode_idt[i];
    *(volatile uint16_t *)memory(MODE_DATA) = sizeof(mode_idt) - 1;
    *(volatile uint32_t *)memory(MODE_DATA + 2) = base;
}

static uint32_t fresh_border(void)
{
    static uint32_t border = FIRST_BORDER;

    border += BLOCK_BYTES;
    return border;
}

static bool is_ring0(void)
{
    return !now->real && now->ring == 0;
}

SNIPPET(table_and_interrupt, "lidtl 0\n sti\n nop\n nop");
SNIPPET(table_and_protection, "lidtl 0\n mov $0xfff8, %ax\n mov %ax, %fs");
SNIPPET(table_and_device, "lidtl 0\n movw %gs:0xffff, %ax");
SNIPPET(table_and_page, "lidtl 0\n movl $0x8000000, %ebx\n movl %fs:(%ebx), %eax");

static void table_in_fresh_memory(void)
{
    if (!is_ring0())
        return;
    split_table(fresh_border(), VECTOR_PF);
    lapic_ipi(0, ICR_SELF | INTERRUPT);
    go(&table_and_interrupt, VECTOR_GP);
    lapic_write(LAPIC_EOI, 0);
    expect_error(NO_GATE(INTERRUPT));

    split_table(fresh_border(), VECTOR_GP);
    go(&table_and_protection, VECTOR_DF);
    if (!limits)
        return;
    split_table(fresh_border(), VECTOR_GP);
    go(&table_and_device, VECTOR_DF);
}

/* A page fault during #GP is one of its own; during another, it is a double fault. */
static void table_without_a_page(void)
{
    if (!is_ring0() || now->paging == MODE_UNPAGED)
        return;
    split_table(UNMAPPED, VECTOR_PF);
    for (unsigned i = VECTOR_PF; i < 32; i++)
        ((volatile uint64_t *)memory(UNMAPPED))[i - VECTOR_PF] = mode_idt[i];
    mode_unmap(UNMAPPED - MAPPED_BYTES);
    go(&table_and_protection, VECTOR_PF);
    expect("address", mode_state.cr2, UNMAPPED - 8);
    if (limits) {
        mode_select(now);
        go(&table_and_device, VECTOR_PF);
        expect("address of the hypervisor's", mode_state.cr2, UNMAPPED - 8);
    }
    mode_prepare();

    split_table(UNMAPPED, VECTOR_PF);
    mode_state.fs = MODE_SEL_FLAT_DATA;
    mode_unmap(UNMAPPED);
    go(&table_and_page, VECTOR_DF);
    expect("address of the second", mode_state.cr2, UNMAPPED);
    expect("error code", mode_state.error, 0);
    mode_prepare();
}

/* ---- NMIs ---- */

/* EBP counts them, EDI is how many are handled, EDX the most at once. */
SNIPPET(send_nmi, "movl $0x4400, %fs:(%ebx)\n nop\n nop\n nop");
SNIPPET(handle_nmi,
        "inc %ebp\n inc %edi\n cmp %edi, %edx\n jae 1f\n mov %edi, %edx\n"
        "1: cmp $1, %ebp\n jne 2f\n movl $0x4400, %fs:(%ebx)\n out %al, $0x80\n"
        "movl $0x4400, %fs:(%ebx)\n out %al, $0x80\n test %cl, %cl\n jz 2f\n int $0x42\n"
        "2: dec %edi\n iret");
SNIPPET(handle_int, "iret");

static void place(const struct snippet *snippet, uint32_t at)
{
    const unsigned which = now->bits == 32;

    for (const uint8_t *from = snippet->code[which]; from < snippet->end[which]; from++)
        *memory(at++) = *from;
}

/* The handler is in the mode's own code segment, so that its IRET is the mode's own. */
static void set_vector(unsigned vector, uint32_t offset)
{
    if (now->real)
        *(volatile uint32_t *)memory(vector * 4) = MODE_CODE >> 4 << 16 | offset;
    else
        mode_idt[vector] =
            offset | MODE_SEL_CODE << 16 | (uint64_t)(now->bits == 32 ? GATE_32 : GATE_16) << 32;
}

static void send(bool other_iret)
{
    mode_select(now);
    place(&handle_nmi, MODE_CODE + NMI_HANDLER);
    place(&handle_int, MODE_CODE + INT_HANDLER);
    set_vector(VECTOR_NMI, NMI_HANDLER);
    set_vector(SOFTWARE, INT_HANDLER);
    mode_state.fs = now->real ? 0 : MODE_SEL_FLAT_DATA;
    mode_state.ebx = ICR;
    mode_state.ecx = other_iret;
    go(&send_nmi, VECTOR_BP);
    expect("nmis", mode_state.ebp, 2);
    expect("at once", mode_state.edx, other_iret ? 2 : 1);
    expect("left", mode_state.edi, 0);
    mode_prepare();
}

/* Two that come while one is handled are one; any IRET lets it in. */
static void nmis(void)
{
    if (now->real ? !now->unreal : now->ring == 3)
        return;
    send(false);
    send(true);
}

/* ---- hypercalls ---- */

SNIPPET(intels, "vmcall");
SNIPPET(amds, "vmmcall");
SNIPPET(prefixed_intels, "nop\n .byte 0x3e\n vmcall");
SNIPPET(prefixed_amds, "nop\n .byte 0x3e\n vmmcall");

static void hypercalls(void)
{
    const bool intel = cpuid(0, 0).ecx == INTEL;

    if (!is_under_socle())
        return;
    go(intel ? &intels : &amds, now->ring == 3 ? VECTOR_UD : VECTOR_BP);
    expect("eip", mode_state.eip, now->ring == 3 ? 0 : 4);
    expect("result", mode_state.eax, now->ring == 3 ? 0 : 0xffffffff);
    mode_select(now);
    go(intel ? &prefixed_intels : &prefixed_amds, now->ring == 3 ? VECTOR_UD : VECTOR_BP);
    expect("eip behind a prefix", mode_state.eip, now->ring == 3 ? 1 : 6);
    mode_select(now);
    go(intel ? &amds : &intels, VECTOR_UD);
    expect("eip of the other vendor's", mode_state.eip, 0);
}

static const struct mode_case cases[] = {
    { "missing gates", missing_gates },
    { "table in fresh memory", table_in_fresh_memory },
    { "table without a page", table_without_a_page },
    { "nmis", nmis },
    { "hypercalls", hypercalls },
};

void guest_main(void)
{
    mode_prepare();
    limits = has_limits();
    lapic_write(LAPIC_TPR, 0);
    for (unsigned i = 0; i < EVERY_MODE; i++)
        run_cases(&every_mode[i], cases, ARRAY_SIZE(cases));
}
