/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The task priority: CR8, the APIC's page and x2APIC's MSR are one register, and an interrupt
 * that it holds back comes right behind the instruction that lowers it, whichever way. Hardware
 * that keeps the register itself makes no exit for that but where something is to come.
 */
#include "tests/guests/x86/lib/taken.h"

#define FIXED 0x4000u
#define SELF 0x40000u
#define CLASSES 16
#define VECTOR_OF(class) ((class) << 4 | 1)
#define MSR_APIC_BASE 0x1b
#define APIC_ENABLED 0x800UL

enum way { BY_CR8, BY_REGISTER, WAYS };

static const char *const names[WAYS] = { "cr8", "register" };

static void write_cr8(uint64_t value)
{
    asm volatile("mov %0, %%cr8" ::"r"(value) : "memory");
}

static inline uint64_t read_cr8(void)
{
    uint64_t value;

    asm volatile("mov %%cr8, %0" : "=r"(value)::"memory");
    return value;
}

static void set_class(enum way way, unsigned class)
{
    if (way == BY_CR8)
        write_cr8(class);
    else
        lapic_write(LAPIC_TPR, class << 4);
}

static void post(unsigned class)
{
    lapic_ipi(0, SELF | FIXED | VECTOR_OF(class));
}

static unsigned count(void)
{
    const unsigned now = taken[0];

    taken[0] = 0;
    return now;
}

/* ---- one register ---- */

static void expect_tpr(unsigned value, bool *same)
{
    *same = *same && read_cr8() == value >> 4 && lapic_read(LAPIC_TPR) == value &&
            lapic_read(LAPIC_PPR) == value;
}

static void one_register(void)
{
    bool by_cr8 = true, by_register = true;

    for (unsigned class = 0; class < CLASSES; class ++) {
        lapic_write(LAPIC_TPR, 0xff);
        write_cr8(class);
        expect_tpr(class << 4, &by_cr8);
    }
    for (unsigned value = 0; value < 256; value++) {
        lapic_write(LAPIC_TPR, value);
        expect_tpr(value, &by_register);
    }
    check(by_cr8, "what cr8 has is in tpr");
    check(by_register, "what tpr has is in cr8");
    check_equal("a class that does not exist", attempt(write_cr8, CLASSES), VECTOR_GP);
    check_equal("nor do the upper bits", attempt(write_cr8, 1UL << 32), VECTOR_GP);
    check_equal("nothing has changed", lapic_read(LAPIC_TPR), 0xff);
    write_cr8(0);
}

/* ---- what waits ---- */

/* At its class it waits; below, it comes before the next instruction. */
static void waits(enum way way)
{
    unsigned early = 0, late = 0, wrong = 0;

    sti();
    for (unsigned class = 2; class < CLASSES; class ++) {
        set_class(way, CLASSES - 1);
        post(class);
        for (unsigned at = CLASSES - 1; at >= class; at--) {
            set_class(way, at);
            early += count();
        }
        set_class(way, class - 1);
        late += count() != 1;
        wrong += last_vector != VECTOR_OF(class);
    }
    cli();
    print("priority: by %s\n", names[way]);
    check_equal("none came early", early, 0);
    check_equal("none came late", late, 0);
    check_equal("each was the one", wrong, 0);
    set_class(way, 0);
}

/* All classes wait; each step down lets the next one in. */
static void queue(enum way way)
{
    unsigned wrong = 0;

    set_class(way, CLASSES - 1);
    for (unsigned class = 2; class < CLASSES; class ++)
        post(class);
    sti();
    for (unsigned class = CLASSES - 1; class >= 2; class --) {
        set_class(way, class - 1);
        wrong += count() != 1 || last_vector != VECTOR_OF(class);
    }
    cli();
    check_equal("one after the other", wrong, 0);
    set_class(way, 0);
}

/* With interrupts masked a lower priority lets nothing in, and a higher one keeps it out again. */
static void masked(enum way way)
{
    set_class(way, 9);
    post(5);
    set_class(way, 3);
    set_class(way, 9);
    sti();
    check_equal("held back again", count(), 0);
    cli();
    set_class(way, 3);
    check_equal("masked", count(), 0);
    sti();
    check_equal("not masked", count(), 1);
    cli();
    set_class(way, 0);
}

/* ---- within a handler ---- */

static enum way handler_way;
static unsigned within;

static void lower_within(unsigned vector)
{
    note(vector);
    if (vector != VECTOR_OF(8))
        return;
    sti();
    set_class(handler_way, 0); /* what is served is above it all the same */
    within += taken[0];
    set_class(handler_way, 6);
    cli();
}

/* What is in service keeps it back, then TPR does, then nothing. */
static void served(enum way way)
{
    handler_way = way;
    within = 0;
    on_interrupt = lower_within;
    set_class(way, 6);
    post(5);
    sti();
    post(8);
    cli();
    check_equal("while one is served, only that", within, 1);
    check_equal("its end does not lower tpr", count(), 1);
    sti();
    check_equal("tpr holds it", count(), 0);
    set_class(way, 4);
    check_equal("and lets it go", count(), 1);
    cli();
    on_interrupt = note;
    set_class(way, 0);
}

/* ---- the APIC turned off and on ---- */

static void turned_off(void)
{
    write_cr8(7);
    post(5);
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~APIC_ENABLED);
    check_equal("off: cr8 is reset", read_cr8(), 0);
    write_cr8(3);
    check_equal("off: cr8 is there", read_cr8(), 3);
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_ENABLED);
    check_equal("on: cr8 is reset", read_cr8(), 0);
    check_equal("on: and tpr", lapic_read(LAPIC_TPR), 0);
    lapic_write(LAPIC_SVR, 0x1ff);
    sti();
    check_equal("on: what waited is forgotten", count(), 0);
    cli();
}

static void all(void)
{
    one_register();
    for (enum way way = 0; way < WAYS; way++) {
        waits(way);
        queue(way);
        masked(way);
        served(way);
    }
}

void guest_main(void)
{
    on_interrupt = note;
    all();
    if (option("off", 1)) /* not every emulator's own APIC comes back */
        turned_off();
    if (!(cpuid(1, 0).ecx >> 21 & 1))
        return;
    lapic_use_x2apic();
    print("priority: x2apic\n");
    all();
}
