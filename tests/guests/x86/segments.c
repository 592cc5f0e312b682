/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments that grow down, before devices: their valid offsets are those above the limit, up to
 * 64 KiB or 4 GiB by the descriptor's B (SDM 3A 5.3). And offsets and addresses that wrap, at 16
 * and at 32 bits. All of it is emulated by the hypervisor.
 *
 *     0xb0000 base of GS, or of SS, ES, DS
 *     0xb8fff limit: the last byte that may not be touched
 *     0xb9000 TEXT, a device's memory
 *     0xbffff the last byte without B
 */
#include "tests/guests/x86/lib/cases.h"

#define BASE 0xb0000u
#define LIMIT 0x8fffu
#define TEXT 0xb9000u
#define DOWN 0x97u /* data, writable */
#define DOWN_READ_ONLY 0x95u
#define RING3 0x60u
#define BIG 0x4000u

static const struct mode modes[] = {
    { .name = "protected 16", .bits = 16 },
    { .name = "protected 32", .bits = 32 },
    { .name = "protected 16 ring 3", .bits = 16, .ring = 3 },
    { .name = "protected 32 ring 3", .bits = 32, .ring = 3 },
    { .name = "paged 16", .bits = 16, .paging = MODE_PAGED_32 },
    { .name = "paged 32", .bits = 32, .paging = MODE_PAGED_32 },
    { .name = "pae 32 ring 3", .bits = 32, .ring = 3, .paging = MODE_PAGED_PAE },
};

/* The descriptor that a segment register of mode_state is going to load becomes another. */
static void set_segment(uint32_t selector, uint32_t base, uint32_t limit, uint32_t rights)
{
    mode_gdt[selector / 8] = mode_descriptor(base, limit, rights | (now->ring == 3 ? RING3 : 0));
}

static void grow_down(uint32_t selector, uint32_t more)
{
    set_segment(selector, BASE, LIMIT, DOWN | more);
}

static uint32_t word_at(uint32_t address)
{
    return *(volatile uint32_t *)memory(address);
}

static void refused(const struct snippet *snippet, unsigned vector)
{
    go(snippet, vector);
    expect("error code", mode_state.error, 0);
    expect("eip", mode_state.eip, 0);
}

/* ---- the two ends ---- */

SNIPPET(first_byte, "movb %gs:0x9000, %al\n movw %gs:0x9000, %bx\n movl %gs:0x9000, %ecx");
SNIPPET(below, "movb %gs:0x8fff, %al");
SNIPPET(store_below, "movb %al, %gs:0x8fff");
SNIPPET(across, "movw %gs:0x8fff, %ax");
SNIPPET(store_across, "movl %eax, %gs:0x8ffd");

static void lower_end(void)
{
    grow_down(mode_state.gs, 0);
    for (unsigned i = 0; i < 16; i++)
        memory(TEXT)[i] = (uint8_t)(0x40 + i);
    go(&first_byte, VECTOR_BP);
    expect("byte", mode_state.eax, 0x40);
    expect("word", mode_state.ebx, 0x4140);
    expect("four bytes", mode_state.ecx, 0x43424140);
}

static void below_the_lower_end(void)
{
    static const struct snippet *const all[] = { &below, &store_below, &across, &store_across };

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        mode_select(now);
        grow_down(mode_state.gs, i % 2 ? BIG : 0);
        refused(all[i], VECTOR_GP);
    }
    expect("nothing stored", memory(TEXT)[0], 0x40);
}

SNIPPET(last_byte, "movb %gs:0xffff, %al\n movb %al, %gs:0xffff");
SNIPPET(over_the_end, "movw %gs:0xffff, %ax");

static void upper_end(void)
{
    grow_down(mode_state.gs, 0);
    go(&last_byte, VECTOR_BP);
    mode_select(now);
    grow_down(mode_state.gs, 0);
    refused(&over_the_end, VECTOR_GP);
    mode_select(now);
    grow_down(mode_state.gs, BIG);
    go(&over_the_end, VECTOR_BP); /* there are 4 GiB */
}

static void empty(void)
{
    set_segment(mode_state.gs, BASE, 0xffff, DOWN);
    refused(&last_byte, VECTOR_GP);
    mode_select(now);
    set_segment(mode_state.gs, BASE, 0xfffff, DOWN | BIG | 0x8000);
    refused(&last_byte, VECTOR_GP);
}

SNIPPET(load_and_store, "movb %gs:0x9000, %al\n movb %al, %gs:0x9000");

static void read_only(void)
{
    set_segment(mode_state.gs, BASE, LIMIT, DOWN_READ_ONLY);
    go(&load_and_store, VECTOR_GP);
    expect("loaded", mode_state.eax, memory(TEXT)[0]);
    expect("eip", mode_state.eip, now->bits == 32 ? 6 : 4);
}

/* ---- the stack segment ---- */

SNIPPET(by_stack, "movl %ss:0x9000, %eax");
SNIPPET(by_stack_below, "movl %ss:0x8ffe, %eax");
SNIPPET(by_pointer_below, "movl (%ebp), %eax");

/* The stack itself is in RAM, where the addresses go round at 4 GiB. */
static void select_stack(void)
{
    mode_select(now);
    grow_down(mode_state.ss, BIG);
    mode_state.esp = MODE_STACK + 0xf000 - BASE;
}

static void stack_segment(void)
{
    select_stack();
    go(&by_stack, VECTOR_BP);
    expect("loaded", mode_state.eax, word_at(TEXT));
    select_stack();
    refused(&by_stack_below, VECTOR_SS);
    select_stack();
    mode_state.ebp = LIMIT;
    refused(&by_pointer_below, VECTOR_SS);
}

/* ---- addresses that wrap ---- */

SNIPPET(wrapped_16, "movl %gs:0x9100(%bx), %eax");
SNIPPET(wrapped_32, "movl %gs:0x9100(%ebx), %eax");
SNIPPET(far_32, "movl %gs:(%ebx), %eax\n movl %eax, %gs:4(%ebx)");

static void offsets_that_wrap(void)
{
    grow_down(mode_state.gs, 0);
    mode_state.ebx = 0xff00;
    go(&wrapped_16, VECTOR_BP);
    expect("of 16 bits", mode_state.eax, word_at(TEXT));
    mode_select(now);
    grow_down(mode_state.gs, 0);
    mode_state.ebx = 0xffffff00;
    go(&wrapped_32, VECTOR_BP);
    expect("of 32 bits", mode_state.eax, word_at(TEXT));
}

/* An offset beyond 64 KiB is there with B only; base and offset wrap round at 4 GiB. */
static void addresses_that_wrap(void)
{
    const uint32_t offset = 0xfffff000;

    set_segment(mode_state.gs, TEXT - offset, LIMIT, DOWN | BIG);
    mode_state.ebx = offset;
    go(&far_32, VECTOR_BP);
    expect("loaded", mode_state.eax, word_at(TEXT));
    expect("stored", word_at(TEXT + 4), mode_state.eax);
    mode_select(now);
    set_segment(mode_state.gs, TEXT - offset, LIMIT, DOWN);
    mode_state.ebx = offset;
    refused(&far_32, VECTOR_GP);
}

/* ---- strings ---- */

SNIPPET(copy_down, "std\n rep movsw %gs:(%si), %es:(%di)\n");
SNIPPET(copy_up, "cld\n rep movsb %gs:(%si), %es:(%di)\n");
SNIPPET(in_words, "mov $0x300, %dx\n std\n rep insw");
SNIPPET(out_bytes, "mov $0x80, %dx\n std\n rep outsb");

static void copies(void)
{
    grow_down(mode_state.gs, 0);
    mode_state.ecx = 6;
    mode_state.esi = 0x9004;
    mode_state.edi = 0x100;
    go(&copy_down, VECTOR_GP);
    expect("rest of the words", mode_state.ecx, 3);
    expect("pointer, below the lower end", mode_state.esi, 0x8ffe);

    mode_select(now);
    grow_down(mode_state.gs, 0);
    mode_state.ecx = 6;
    mode_state.esi = 0xfffd;
    mode_state.edi = 0x100;
    go(&copy_up, VECTOR_GP);
    expect("rest of the bytes", mode_state.ecx, 3);
    expect("pointer, round the upper end", mode_state.esi & 0xffff, 0);
}

static void ports(void)
{
    set_segment(mode_state.es, MODE_EXTRA, 0xfff, DOWN);
    fill(MODE_EXTRA, 0);
    mode_state.ecx = 4;
    mode_state.edi = 0x1002;
    go(&in_words, VECTOR_GP);
    expect("rest of the words", mode_state.ecx, 2);
    expect("pointer", mode_state.edi, 0xffe);
    expect("last word", memory(MODE_EXTRA)[0x1000], 0xff);
    expect("byte below", memory(MODE_EXTRA)[0xfff], 0xff);
    expect("byte below that", memory(MODE_EXTRA)[0xffe], 0xfe);

    mode_select(now);
    set_segment(mode_state.ds, MODE_DATA, 0xfff, DOWN);
    mode_state.ecx = 4;
    mode_state.esi = 0x1001;
    go(&out_bytes, VECTOR_GP);
    expect("rest of the bytes", mode_state.ecx, 2);
    expect("pointer of them", mode_state.esi, 0xfff);
}

static const struct mode_case cases[] = {
    { "lower end", lower_end },
    { "below the lower end", below_the_lower_end },
    { "upper end", upper_end },
    { "empty", empty },
    { "read-only", read_only },
    { "stack segment", stack_segment },
    { "offsets that wrap", offsets_that_wrap },
    { "addresses that wrap", addresses_that_wrap },
    { "copies", copies },
    { "strings of ports", ports },
};

void guest_main(void)
{
    mode_prepare();
    if (!has_limits())
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
        run_cases(&modes[i], cases, ARRAY_SIZE(cases));
}
