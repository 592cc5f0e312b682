/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that exits, from each mode that is not 64-bit: CPUID, ports, strings of them, device
 * memory, HLT and its shadow, software interrupts, single steps. modes= of the command line,
 * a bit for each, chooses.
 */
#include "tests/guests/x86/lib/cases.h"

#define VECTOR_OF 4
#define INTERRUPT 0x51
#define ICR_SELF 0x44000u
#define PORT_CMOS 0x70
#define PORT_PCI 0xcf8
#define TEXT 0xb9000u /* at 0x9000 of GS: text that is not on the screen */
#define NEW_STACKS 0x70000u
#define DR6_BS (1u << 14)

static bool limits; /* are they looked at? */

/* ---- CPUID, ports ---- */

SNIPPET(ask, "cpuid");

static void identifies(void)
{
    go(&ask, VECTOR_BP);
    expect("maximum", mode_state.eax, cpuid(0, 0).eax);
    expect("vendor", mode_state.ebx, cpuid(0, 0).ebx);
    expect("its end", mode_state.edx, cpuid(0, 0).edx);
    expect("eip", mode_state.eip, 3);
}

SNIPPET(use_ports, "mov $0x32, %al\n out %al, $0x70\n in $0x71, %al\n mov %al, %bl\n"
                   "mov $0xcf8, %dx\n mov $0x80001234, %eax\n out %eax, %dx\n xor %eax, %eax\n"
                   "in %dx, %eax\n mov %eax, %ecx\n mov $0xffff, %ax\n mov $0x300, %dx\n"
                   "xor %eax, %eax\n in %dx, %ax");

static void ports(void)
{
    go(&use_ports, VECTOR_BP);
    out8(PORT_CMOS, 0x32);
    expect("cmos", mode_state.ebx, in8(PORT_CMOS + 1));
    expect("pci address", mode_state.ecx, 0x80001234);
    expect("nothing", mode_state.eax, 0xffff);
}

/* ---- strings ---- */

SNIPPET(in_bytes, "mov $0x32, %al\n out %al, $0x70\n mov $0x71, %dx\n cld\n rep insb");

static void input_over_pages(void)
{
    unsigned different = 0;

    fill(MODE_EXTRA, 0);
    mode_state.ecx = 0x100;
    mode_state.edi = 0x1fc0;
    go(&in_bytes, VECTOR_BP);
    out8(PORT_CMOS, 0x32);
    const uint8_t want = in8(PORT_CMOS + 1);

    for (unsigned i = 0; i < 0x100; i++)
        different += memory(MODE_EXTRA)[0x1fc0 + i] != want;
    expect("bytes that differ", different, 0);
    expect("byte before", memory(MODE_EXTRA)[0x1fbf], 0xbf);
    expect("byte behind", memory(MODE_EXTRA)[0x20c0], 0xc0);
    expect("count", mode_state.ecx, 0);
    expect("pointer", mode_state.edi, 0x20c0);
}

/* 16-bit pointers go round at 64 KiB; 32-bit ones meet the segment's end. */
static void input_at_the_end(void)
{
    const bool wraps = now->bits == 16;

    if (!wraps && !limits)
        return;
    fill(MODE_EXTRA, 0);
    mode_state.ecx = 6;
    mode_state.edi = 0xfffd;
    go(&in_bytes, wraps ? VECTOR_BP : VECTOR_GP);
    expect("count", mode_state.ecx, wraps ? 0 : 3);
    expect("pointer", mode_state.edi, wraps ? 3 : 0x10000);
    expect("byte behind", memory(MODE_EXTRA)[3], 3);
    expect("first bytes", memory(MODE_EXTRA)[0] == 0, !wraps);
}

SNIPPET(in_words, "mov $0x300, %dx\n cld\n rep insw");

static void word_over_the_end(void)
{
    if (!limits || now->unreal)
        return;
    fill(MODE_EXTRA, 0);
    mode_state.ecx = 4;
    mode_state.edi = 0xfffb;
    go(&in_words, VECTOR_GP);
    expect("count", mode_state.ecx, 2);
    expect("pointer", mode_state.edi, 0xffff);
    expect("last byte", memory(MODE_EXTRA)[0xffff], 0xff);
    expect("no byte round the end", memory(MODE_EXTRA)[0], 0);
}

SNIPPET(out_down, "mov $0xcf8, %dx\n std\n rep outsl\n cld\n in %dx, %eax");

static void output_downwards(void)
{
    fill(MODE_DATA, 0x80);
    mode_state.ecx = 3;
    mode_state.esi = 0x3002;
    go(&out_down, VECTOR_BP);
    expect("last of them", mode_state.eax & 0x80fffffc, 0x7d7c7b7a & 0x80fffffc);
    expect("pointer", mode_state.esi, 0x2ff6);
    expect("count", mode_state.ecx, 0);
}

/* The other address size. */
SNIPPET(in_other_size, ".byte 0x67\n rep insb");

static void input_by_the_other_size(void)
{
    const bool wide = now->bits == 16;
    const bool faults = wide && !now->unreal && limits;

    mode_state.edx = 0x300;
    mode_state.ecx = 0x70000006;
    mode_state.edi = 0x10fffd;
    if (wide) {
        mode_state.ecx = 6;
        mode_state.edi = 0xfffd;
    }
    go(&in_other_size, faults ? VECTOR_GP : VECTOR_BP);
    expect("count", mode_state.ecx, faults ? 3 : wide ? 0 : 0x70000000);
    expect("pointer", mode_state.edi, faults ? 0x10000 : wide ? 0x10003 : 0x100003);
}

/* ---- device memory: GS, against FS ---- */

/* Each adds to ECX what it gave, and leaves what it left in the memory. */
#define DEVICE_CODE(seg)                                                                     \
    "mov $0x11223344, %eax\n mov %eax, %" seg ":0x9010\n mov %al, %" seg ":0x9015\n"         \
    "mov %ax, %" seg ":0x901a\n add %" seg ":0x9012, %ecx\n mov $0x20, %ebx\n"               \
    "movzbl %" seg ":0x9011, %eax\n add %eax, %ecx\n movsbw %" seg ":0x9013, %dx\n"          \
    "add %dx, %cx\n movl $0x89abcdef, %" seg ":0x9020\n addw $0x1234, %" seg ":0x9021\n"     \
    "incb %" seg ":0x9023\n xchg %eax, %" seg ":0x9024\n add %eax, %ecx\n"                   \
    "lock orl $0x8001, %" seg ":0x9020\n lock xadd %cx, %" seg ":0x9028\n"                   \
    "btsl $9, %" seg ":0x902c\n adc $0, %ecx\n cmpb $0xef, %" seg ":0x9020\n adc $0, %ecx\n" \
    "mov %" seg ":0x902d, %ah\n add %eax, %ecx\n shll $3, %" seg ":0x9020\n adc $0, %ecx\n"  \
    "mov %" seg ":0x9020(%ebx), %edx\n add %edx, %ecx\n push %ecx\n pushl %" seg ":0x9020\n" \
    "pop %eax\n pop %ecx\n add %eax, %ecx\n mov $0x30, %esi\n mov $0x38, %edi\n"

SNIPPET(device, DEVICE_CODE("gs"));
SNIPPET(plain, DEVICE_CODE("fs"));

static void device_memory(void)
{
    const struct mode_state entry = mode_state;
    unsigned different = 0;

    fill(MODE_OTHER, 7);
    for (unsigned i = 0; i < 256; i++)
        memory(TEXT)[i] = memory(MODE_OTHER)[0x9000 + i];
    go(&plain, VECTOR_BP);
    const struct mode_state left = mode_state;

    mode_state = entry;
    go(&device, VECTOR_BP);
    expect("sum", mode_state.ecx, left.ecx);
    expect("eax", mode_state.eax, left.eax);
    expect("flags", mode_state.eflags & 0x8d5, left.eflags & 0x8d5);
    for (unsigned i = 0; i < 256; i++)
        different += memory(TEXT)[i] != memory(MODE_OTHER)[0x9000 + i];
    expect("bytes that differ", different, 0);
}

SNIPPET(from_device, "cld\n rep movsb %gs:(%esi), %es:(%edi)");
SNIPPET(words_from_device, "cld\n rep movsw %gs:(%si), %es:(%di)");

static void move_from_device(void)
{
    fill(MODE_EXTRA, 0);
    for (unsigned i = 0; i < 256; i++)
        memory(TEXT)[i] = (uint8_t)(99 + i);
    mode_state.ecx = 8;
    mode_state.esi = 0x9010;
    mode_state.edi = 0x0ffc;
    go(&from_device, VECTOR_BP);
    for (unsigned i = 0; i < 8; i++)
        expect("byte", memory(MODE_EXTRA)[0xffc + i], 115 + i);
    expect("to", mode_state.edi, 0x1004);

    mode_select(now);
    mode_state.ecx = 4;
    mode_state.esi = 0x9020;
    mode_state.edi = 0xfffc;
    go(&words_from_device, VECTOR_BP);
    expect("round the end", mode_state.edi, 4);
    expect("byte there", memory(MODE_EXTRA)[3], 99 + 0x27);
}

SNIPPET(over_device, "mov %gs:0xffff, %ax");

static void beyond_the_device(void)
{
    if (!limits || now->unreal)
        return;
    go(&over_device, VECTOR_GP);
    expect("eip", mode_state.eip, 0);
}

/*
 * The exception's own frame is what touches its page first, so that delivering it is interrupted:
 * each mode has a page of its own for that.
 */
static void fault_on_a_new_stack(void)
{
    const uint32_t base = NEW_STACKS + (uint32_t)(now - every_mode) * 0x1000;

    if (!limits || now->unreal || now->ring == 3)
        return;
    if (now->real)
        mode_state.ss = base >> 4;
    else
        mode_gdt[mode_state.ss / 8] =
            mode_descriptor(base, 0xffff, now->bits == 32 ? 0x4093 : 0x93);
    mode_state.esp = 0xff0;
    go(&over_device, VECTOR_GP);
    expect("eip", mode_state.eip, 0);
    expect("stack", mode_state.esp, 0xff0);
}

/* ---- interrupts ---- */

SNIPPET(halts, "sti\n hlt\n nop");
SNIPPET(shadow, "sti\n cpuid\n nop\n nop");
SNIPPET(clears, "cli\n hlt");

/*
 * One that is pending is to come at `eip`. QEMU's VMRUN does not look at the VMCB's interrupt
 * shadow: when the host is interrupted in it, which is rare, it is lost.
 */
static void interrupted(const struct snippet *snippet, uint32_t eip)
{
    for (unsigned tries = 0; tries < 3; tries++) {
        mode_select(now);
        lapic_ipi(0, ICR_SELF | INTERRUPT);
        go(snippet, INTERRUPT);
        lapic_write(LAPIC_EOI, 0);
        if (mode_state.eip == eip)
            return;
    }
    expect("eip", mode_state.eip, eip);
}

static void halting(void)
{
    if (now->ring == 3) {
        go(&clears, VECTOR_GP);
        expect("eip", mode_state.eip, 1);
        return;
    }
    interrupted(&halts, 2);
}

static void shadow_of_sti(void)
{
    interrupted(&shadow, 3);
    expect("cpuid was", mode_state.ebx, cpuid(0, 0).ebx);
}

SNIPPET(software, "int $0x42");
SNIPPET(overflow, "into");

static void software_interrupts(void)
{
    go(&software, 0x42);
    expect("eip", mode_state.eip, 2);
    mode_select(now);
    mode_state.eflags |= EFLAGS_OF;
    go(&overflow, VECTOR_OF);
    expect("eip of into", mode_state.eip, 1);
    mode_select(now);
    go(&overflow, VECTOR_BP);
}

/* ---- single steps ---- */

SNIPPET(step_port, "out %al, $0x80\n nop");
SNIPPET(step_device, "mov %al, %gs:0x9010\n nop");
SNIPPET(step_stack, "mov %ax, %ss\n cpuid\n nop");

static void step(const struct snippet *snippet, uint32_t length)
{
    mode_select(now);
    mode_state.eflags |= EFLAGS_TF;
    mode_state.edx = 0x300;
    mode_state.ecx = 4;
    write_dr6(0xffff0ff0);
    mode_state.eax = mode_state.ss;
    go(snippet, VECTOR_DB);
    expect("eip", mode_state.eip, length);
    expect("single step", read_dr6() & DR6_BS, DR6_BS);
}

static void single_steps(void)
{
    step(&ask, 2);
    step(&step_port, 2);
    step(&step_device, now->bits == 32 ? 6 : 4);
    step(&step_stack, 4); /* no trap behind MOV SS */
}

/* ---- all of them ---- */

static const struct mode_case cases[] = {
    { "cpuid", identifies },
    { "ports", ports },
    { "rep ins over pages", input_over_pages },
    { "rep ins at the end of a segment", input_at_the_end },
    { "rep ins of a word over the end", word_over_the_end },
    { "rep outs downwards", output_downwards },
    { "rep ins by the other address size", input_by_the_other_size },
    { "device memory", device_memory },
    { "rep movs from device memory", move_from_device },
    { "device memory beyond its segment", beyond_the_device },
    { "fault on a new stack", fault_on_a_new_stack },
    { "hlt", halting },
    { "shadow of sti", shadow_of_sti },
    { "int and into", software_interrupts },
    { "single steps", single_steps },
};

void guest_main(void)
{
    const uint64_t wanted = option("modes", ~0UL);

    mode_prepare();
    limits = has_limits();
    lapic_write(LAPIC_TPR, 0);
    for (unsigned i = 0; i < EVERY_MODE; i++)
        if (wanted >> i & 1)
            run_cases(&every_mode[i], cases, ARRAY_SIZE(cases));
}
