/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual-8086 mode that may not do all: IOPL below 3, so that what touches IF faults and ports
 * are what the TSS's bitmap says; and with CR4.VME, where the CPU has it, so that IF is VIF and
 * INT n goes by the TSS's other bitmap. CR4.PVI, the same of VIF for ring 3. SDM 3B 20.2 to
 * 20.4, SDM 1 19.5.
 */
#include "tests/guests/x86/lib/cases.h"

#define INTERRUPT 0x51
#define ICR_SELF 0x44000u
#define PORT_CMOS 0x70
#define TEXT 0xb9000u /* at 0x9000 of GS */
#define IOPL_1 0x1000u
#define IOPL_2 0x2000u
#define EFLAGS_VIF 0x80000u
#define EFLAGS_VIP 0x100000u
#define CR4_VME 1u
#define CR4_PVI 2u
#define SOFTWARE 0x42
#define HANDLER 0x200 /* of the code */

static const struct mode modes[] = {
    { .name = "virtual 8086", .v86 = true, .bits = 16, .ring = 3 },
    { .name = "paged virtual 8086", .v86 = true, .bits = 16, .ring = 3, .paging = MODE_PAGED_32 },
    { .name = "pae virtual 8086", .v86 = true, .bits = 16, .ring = 3, .paging = MODE_PAGED_PAE },
};

static void set_iopl(uint32_t iopl)
{
    mode_state.eflags = (mode_state.eflags & ~EFLAGS_IOPL) | iopl;
}

/* Runs it once more from the start; it is to be #GP(0) at `eip`. */
static void refused(const struct snippet *snippet, uint32_t iopl, uint32_t eip)
{
    const uint32_t cr4 = mode_state.cr4;

    mode_select(now);
    mode_state.cr4 = cr4;
    set_iopl(iopl);
    go(snippet, VECTOR_GP);
    expect("error code", mode_state.error, 0);
    expect("eip", mode_state.eip, eip);
    expect("still in virtual-8086 mode", mode_state.eflags & EFLAGS_VM, EFLAGS_VM);
}

/* ---- ports ---- */

static void deny_port(uint16_t port, bool deny)
{
    const uint8_t bit = (uint8_t)(1u << port % 8);
    uint8_t *const at = &mode_tss.ports[port / 8];

    *at = (uint8_t)(deny ? *at | bit : *at & ~bit);
}

SNIPPET(use_ports, "mov $0x32, %al\n out %al, $0x70\n in $0x71, %al\n mov %al, %bl\n"
                   "mov $0xcf8, %dx\n mov $0x80001234, %eax\n out %eax, %dx\n xor %eax, %eax\n"
                   "in %dx, %eax");

static void ports_allowed(void)
{
    set_iopl(0);
    go(&use_ports, VECTOR_BP);
    out8(PORT_CMOS, 0x32);
    expect("cmos", mode_state.ebx, in8(PORT_CMOS + 1));
    expect("pci address", mode_state.eax, 0x80001234);
}

/* With IOPL 3, too: this mode always asks the bitmap. */
static void ports_denied(void)
{
    deny_port(PORT_CMOS + 1, true);
    refused(&use_ports, 0, 4);
    refused(&use_ports, EFLAGS_IOPL, 4);
    deny_port(PORT_CMOS + 1, false);
    deny_port(0xcfb, true); /* the last of four */
    refused(&use_ports, IOPL_1, 17);
    deny_port(0xcfb, false);
}

SNIPPET(last_byte, "mov $0xfff, %dx\n in %dx, %al");
SNIPPET(last_word, "mov $0xfff, %dx\n in %dx, %ax");
SNIPPET(beyond, "mov $0x2000, %dx\n in %dx, %al");

static void ports_at_the_end(void)
{
    set_iopl(0);
    go(&last_byte, VECTOR_BP);
    expect("nothing there", mode_state.eax & 0xff, 0xff);
    refused(&last_word, 0, 3);
    refused(&beyond, 0, 3);
}

SNIPPET(in_bytes, "mov $0x32, %al\n out %al, $0x70\n mov $0x71, %dx\n cld\n rep insb");
SNIPPET(out_bytes, "mov $0x80, %dx\n cld\n rep outsb");

static void strings(void)
{
    unsigned different = 0;

    fill(MODE_EXTRA, 0);
    set_iopl(0);
    mode_state.ecx = 0x40;
    mode_state.edi = 0xfe0;
    go(&in_bytes, VECTOR_BP);
    out8(PORT_CMOS, 0x32);
    const uint8_t want = in8(PORT_CMOS + 1);

    for (unsigned i = 0; i < 0x40; i++)
        different += memory(MODE_EXTRA)[0xfe0 + i] != want;
    expect("bytes that differ", different, 0);
    expect("pointer", mode_state.edi, 0x1020);

    deny_port(0x80, true);
    refused(&out_bytes, 0, 4);
    deny_port(0x80, false);
}

/* ---- devices ---- */

SNIPPET(device, "mov $0x11223344, %eax\n mov %eax, %gs:0x9010\n addw $1, %gs:0x9011\n"
                "movzbl %gs:0x9011, %ebx\n pushl %gs:0x9010\n pop %ecx");

static void device_memory(void)
{
    set_iopl(0);
    go(&device, VECTOR_BP);
    expect("loaded", mode_state.ebx, 0x34);
    expect("pushed", mode_state.ecx, 0x11223444);
    expect("stored", *(volatile uint32_t *)(uint64_t)(TEXT + 0x10), 0x11223444);
}

SNIPPET(port_to_device, "mov $0x32, %al\n out %al, $0x70\n mov $0x71, %dx\n cld\n rep insb");
SNIPPET(device_to_port, "mov $0x80, %dx\n cld\n rep outsb %gs:(%si), %dx");

/* Ports that the bitmap allows, and a device for memory. */
static void between_devices(void)
{
    set_iopl(0);
    mode_state.es = mode_state.gs;
    mode_state.ecx = 5;
    mode_state.edi = 0x9020;
    memory(TEXT + 0x25)[0] = 0x5a;
    go(&port_to_device, VECTOR_BP);
    out8(PORT_CMOS, 0x32);
    expect("last byte", memory(TEXT + 0x24)[0], in8(PORT_CMOS + 1));
    expect("byte behind", memory(TEXT + 0x25)[0], 0x5a);
    expect("count", mode_state.ecx, 0);

    mode_select(now);
    set_iopl(0);
    mode_state.ecx = 3;
    mode_state.esi = 0x9020;
    go(&device_to_port, VECTOR_BP);
    expect("pointer", mode_state.esi, 0x9023);
}

/* ---- IF, without VME ---- */

SNIPPET(clear, "nop\n cli");
SNIPPET(set, "nop\n sti");
SNIPPET(push, "nop\n pushf");
SNIPPET(pop, "nop\n popf");
SNIPPET(software, "nop\n int $0x42");
SNIPPET(leave, "nop\n iret");
SNIPPET(halt, "nop\n hlt");
SNIPPET(overflow, "nop\n into");

static void sensitive(void)
{
    static const struct snippet *const all[] = {
        &clear, &set, &push, &pop, &software, &leave, &halt
    };

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        refused(all[i], i % 2 ? IOPL_1 : i % 4 ? IOPL_2 : 0, 1);
    mode_select(now);
    set_iopl(0);
    mode_state.eflags |= EFLAGS_OF;
    go(&overflow, 4); /* INTO and INT3 are not */
}

SNIPPET(all_of_them, "cli\n pushf\n pop %bx\n sti\n pushf\n pop %cx\n cli\n int $0x42");

static void with_iopl_3(void)
{
    go(&all_of_them, SOFTWARE);
    expect("if cleared", mode_state.ebx & EFLAGS_IF, 0);
    expect("if set", mode_state.ecx & EFLAGS_IF, EFLAGS_IF);
    expect("iopl pushed", mode_state.ecx & EFLAGS_IOPL, EFLAGS_IOPL);
}

/* IF is of no concern to VIF: what comes from outside comes. */
static void interrupt_from_outside(void)
{
    lapic_ipi(0, ICR_SELF | INTERRUPT);
    set_iopl(0);
    mode_state.eflags |= EFLAGS_IF;
    go(&device, INTERRUPT);
    lapic_write(LAPIC_EOI, 0);
    expect("eip", mode_state.eip, 0);
    expect("if", mode_state.eflags & EFLAGS_IF, EFLAGS_IF);
}

/* ---- CR4.VME ---- */

static bool has_vme(void)
{
    return cpuid(1, 0).edx >> 1 & 1;
}

static bool enable_vme(void)
{
    if (!has_vme())
        return false;
    mode_state.cr4 |= CR4_VME;
    set_iopl(0);
    return true;
}

SNIPPET(virtual_flag, "sti\n pushf\n pop %bx\n cli\n pushf\n pop %cx\n pushw $0x202\n popf");

static void virtual_interrupt_flag(void)
{
    if (!enable_vme())
        return;
    go(&virtual_flag, VECTOR_BP);
    expect("set", mode_state.ebx & EFLAGS_IF, EFLAGS_IF);
    expect("cleared", mode_state.ecx & EFLAGS_IF, 0);
    expect("iopl looks like 3", mode_state.ecx & EFLAGS_IOPL, EFLAGS_IOPL);
    expect("vif, by popf", mode_state.eflags & EFLAGS_VIF, EFLAGS_VIF);
    expect("the real if", mode_state.eflags & EFLAGS_IF, 0);
    expect("the real iopl", mode_state.eflags & EFLAGS_IOPL, 0);
}

static void virtual_interrupt_pending(void)
{
    if (!enable_vme())
        return;
    mode_state.eflags |= EFLAGS_VIP;
    go(&set, VECTOR_GP);
    expect("eip", mode_state.eip, 1);
    refused(&halt, 0, 1);
}

SNIPPET(handler, "pop %bx\n pop %cx\n pop %dx\n pushf\n pop %si");

/* INT n, its bit clear: real mode's vector, without leaving this mode. */
static void redirected(void)
{
    volatile uint8_t *to = (volatile uint8_t *)(uint64_t)(MODE_CODE + HANDLER);
    volatile uint32_t *const vector = (volatile uint32_t *)memory(SOFTWARE * 4);
    const uint32_t before = *vector;

    if (!enable_vme())
        return;
    for (const uint8_t *from = handler.code[0]; from < handler.end[0]; from++)
        *to++ = *from;
    *vector = MODE_CODE >> 4 << 16 | HANDLER;
    mode_state.eflags |= EFLAGS_VIF;
    go(&software, VECTOR_BP);
    expect("in the handler", mode_state.eip,
           HANDLER + (uint32_t)(handler.end[0] - handler.code[0]));
    expect("ip pushed", mode_state.ebx & 0xffff, 3);
    expect("cs pushed", mode_state.ecx & 0xffff, MODE_CODE >> 4);
    expect("vif pushed as if", mode_state.edx & EFLAGS_IF, EFLAGS_IF);
    expect("iopl pushed as 3", mode_state.edx & EFLAGS_IOPL, EFLAGS_IOPL);
    expect("no vif in the handler", mode_state.esi & EFLAGS_IF, 0);
    *vector = before;

    mode_tss.redirection[SOFTWARE / 8] |= 1u << SOFTWARE % 8;
    mode_state.cr4 |= CR4_VME;
    refused(&software, 0, 1);
    mode_tss.redirection[SOFTWARE / 8] = 0;
}

/* ---- CR4.PVI: the same for CLI and STI in ring 3 ---- */

static const struct mode ring3_modes[] = {
    { .name = "protected 16 ring 3", .bits = 16, .ring = 3 },
    { .name = "protected 32 ring 3", .bits = 32, .ring = 3 },
    { .name = "pae 32 ring 3", .bits = 32, .ring = 3, .paging = MODE_PAGED_PAE },
};

SNIPPET(protected_flag, "sti\n cli\n sti\n out %al, $0x80\n pushf\n pop %ebx");

static void protected_interrupt_flag(void)
{
    set_iopl(0);
    go(&clear, VECTOR_GP);
    mode_select(now);
    set_iopl(0);
    go(&set, VECTOR_GP);
    if (!has_vme())
        return;
    mode_select(now);
    set_iopl(0);
    mode_state.cr4 |= CR4_PVI;
    go(&protected_flag, VECTOR_BP);
    expect("vif", mode_state.eflags & EFLAGS_VIF, EFLAGS_VIF);
    expect("the real if", mode_state.eflags & EFLAGS_IF, 0);
    expect("pushed as it is", mode_state.ebx & EFLAGS_IF, 0);
    mode_select(now);
    set_iopl(0);
    mode_state.cr4 |= CR4_PVI;
    mode_state.eflags |= EFLAGS_VIP;
    go(&set, VECTOR_GP);
    expect("eip with vip", mode_state.eip, 1);
}

static const struct mode_case ring3_cases[] = {
    { "if in ring 3", protected_interrupt_flag },
};

static const struct mode_case cases[] = {
    { "ports that are allowed", ports_allowed },
    { "ports that are denied", ports_denied },
    { "ports at the bitmap's end", ports_at_the_end },
    { "strings of ports", strings },
    { "device memory", device_memory },
    { "from device to device", between_devices },
    { "if without vme", sensitive },
    { "if with iopl 3", with_iopl_3 },
    { "interrupt from outside", interrupt_from_outside },
    { "vif", virtual_interrupt_flag },
    { "vip", virtual_interrupt_pending },
    { "redirected int", redirected },
};

void guest_main(void)
{
    print("v86: %s\n", has_vme() ? "with vme" : "without vme");
    mode_prepare();
    lapic_write(LAPIC_TPR, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
        run_cases(&modes[i], cases, ARRAY_SIZE(cases));
    for (unsigned i = 0; i < ARRAY_SIZE(ring3_modes); i++)
        run_cases(&ring3_modes[i], ring3_cases, ARRAY_SIZE(ring3_cases));
}
