/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's registers as they are read and written, in its page and as MSRs; and the page
 * misused: by every width, across its end, by strings, as a stack, as a page table, and with
 * `fetch=1` as code. A register may ignore what is not 32 bits wide, or take it; it has to be
 * legal afterwards, and the APIC to work.
 */
#include "tests/guests/x86/lib/taken.h"

#define FIXED 0x4000u
#define SELF 0x40000u
#define VECTOR 0x51
#define MSR_APIC_BASE 0x1b
#define MSR_X2APIC 0x800u
#define APIC_ENABLED 0x800UL
#define APIC_X2 0x400UL
#define PAGE 0x1000UL
#define ONES 0xffffffffu

static uint8_t ram[2 * PAGE] __attribute__((aligned(4096)));

/* ---- what was written is read ---- */

static const struct {
    const char *name;
    uint16_t at;
    uint32_t value, kept; /* kept: in xAPIC mode */
    bool msr;             /* written as one, too */
} registers[] = {
    { "id", 0x20, 0x77000000, 0, false },
    { "version", 0x30, 0, 0x01060014, false },
    { "tpr", 0x80, 0x35, 0x35, true },
    { "ldr", 0xd0, 0x12345678, 0x12000000, false },
    { "dfr", 0xe0, 0x0fffffff, 0x0fffffff, false },
    { "svr", 0xf0, 0x1ef, 0x1ef, true },
    { "esr", 0x280, 0, 0, true },
    { "lvt cmci", 0x2f0, 0x10061, 0x10061, true },
    { "icr's upper half", 0x310, 0x77654321, 0x77000000, false },
    { "lvt timer", 0x320, 0x30062, 0x30062, true },
    { "lvt thermal", 0x330, 0x10063, 0x10063, true },
    { "lvt performance", 0x340, 0x10064, 0x10064, true },
    { "lvt lint0", 0x350, 0x18065, 0x18065, true },
    { "lvt lint1", 0x360, 0x10466, 0x10466, true },
    { "lvt error", 0x370, 0x10067, 0x10067, true },
    { "divider", 0x3e0, 0xffffff0a, 0xa, false },
    { "divider again", 0x3e0, 0xb, 0xb, true },
};

static void read_and_written(bool x2apic)
{
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        if (x2apic && !registers[i].msr)
            continue;
        lapic_write(registers[i].at, registers[i].value);
        check_equal(registers[i].name, lapic_read(registers[i].at), registers[i].kept);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) /* none has changed another */
        if ((!x2apic || registers[i].msr) && registers[i].value != 0xffffff0a)
            check_equal(registers[i].name, lapic_read(registers[i].at), registers[i].kept);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_TIMER, 0x10062);
    lapic_write(LAPIC_TIMER_INITIAL, 0x40000000);
    const uint32_t count = lapic_read(LAPIC_TIMER_CURRENT);

    in8(0x80);
    check(lapic_read(LAPIC_TIMER_CURRENT) < count, "the count goes on");
    check_equal("its start stays", lapic_read(LAPIC_TIMER_INITIAL), 0x40000000);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    check_equal("and it ends", lapic_read(LAPIC_TIMER_CURRENT), 0);
    lapic_write(LAPIC_SVR, 0xff);
    check_equal("disabled: the table is masked", lapic_read(0x350) & 0x10000, 0x10000);
    lapic_write(LAPIC_SVR, 0x1ff);
}

static uint32_t bit_of(enum lapic set, unsigned vector)
{
    return lapic_read(set + vector / 32 * 0x10) >> vector % 32 & 1;
}

static unsigned in_service, in_request, priority;

static void look(unsigned vector)
{
    note(vector);
    in_service += bit_of(LAPIC_ISR, vector);
    in_request += bit_of(LAPIC_IRR, vector);
    priority = lapic_read(LAPIC_PPR);
}

static void vectors(void)
{
    in_service = in_request = 0;
    on_interrupt = look;
    for (unsigned vector = 0x31; vector < 0x100; vector += 0x22) {
        lapic_ipi(0, SELF | FIXED | vector);
        check_equal("requested", bit_of(LAPIC_IRR, vector), 1);
        check_equal("icr is what was sent", lapic_read(LAPIC_ICR) & 0xfffff, SELF | FIXED | vector);
        sti();
        check_equal("its priority", priority, vector & 0xf0);
        cli();
        check_equal("no longer requested", bit_of(LAPIC_IRR, vector), 0);
        check_equal("and served", bit_of(LAPIC_ISR, vector), 0);
    }
    check_equal("each was in service", in_service, 7);
    check_equal("and not requested then", in_request, 0);
    on_interrupt = note;
}

/* ---- misuse ---- */

#define ACCESS(name, code)                                                               \
    static void name(uint64_t at)                                                        \
    {                                                                                    \
        asm volatile(code : : "r"(at), "a"(0xc5c5c5c5c5c5c5c5) : "rdx", "memory", "cc"); \
    }
ACCESS(load8, "movb (%0), %%dl")
ACCESS(load16, "movw (%0), %%dx")
ACCESS(load32, "movl (%0), %%edx")
ACCESS(load64, "movq (%0), %%rdx")
ACCESS(store8, "movb %%al, (%0)")
ACCESS(store16, "movw %%ax, (%0)")
ACCESS(store32, "movl %%eax, (%0)")
ACCESS(store64, "movq %%rax, (%0)")
ACCESS(modify32, "lock orl %%eax, (%0)")
ACCESS(modify8, "xchgb %%al, (%0)")
ACCESS(push, "xchg %0, %%rsp\n\tpushq %%rax\n\txchg %0, %%rsp")
ACCESS(pop, "xchg %0, %%rsp\n\tpopq %%rdx\n\txchg %0, %%rsp")

static void (*const accesses[])(uint64_t at) = { load8,    load16,  load32,  load64,
                                                 store8,   store16, store32, store64,
                                                 modify32, modify8, push,    pop };

/* All of it; ICR by loads only, for it would reset the machine. A stack is refused. */
static void every_width(void)
{
    unsigned faults = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
        const bool stack = accesses[i] == push || accesses[i] == pop;

        for (uint64_t at = 0x10; at < 0x410; at += i % 2 ? 3 : 1)
            if (accesses[i] == load32 || at < 0x2f0 || at > 0x310)
                faults += attempt(accesses[i], LAPIC_BASE + at) != (stack ? VECTOR_GP : NO_FAULT);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
        attempt(accesses[i], LAPIC_BASE + PAGE - 1);
        attempt(accesses[i], LAPIC_BASE + PAGE - 3);
        attempt(accesses[i], LAPIC_BASE - 1);
    }
    check_equal("only a stack there faults", faults, 0);
}

/* Legal values, whatever became of it all; then as it was. */
static void still_works(const char *name)
{
    check_equal("tpr is a byte", lapic_read(LAPIC_TPR) & ~0xffu, 0);
    check_equal("id is its own", lapic_read(LAPIC_ID), cpu_self() << 24);
    check_equal("version is", lapic_read(LAPIC_VERSION), 0x01060014);
    check_equal("ldr's reserved bits", lapic_read(LAPIC_LDR) & 0xffffff, 0);
    check_equal("dfr's", lapic_read(LAPIC_DFR) & 0xfffffff, 0xfffffff);
    check_equal("lvt timer's", lapic_read(LAPIC_LVT_TIMER) & ~0x710ffu, 0);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_SVR, 0x1ff);
    lapic_write(LAPIC_LVT_TIMER, 0x10000);
    lapic_write(0x350, 0x10000);
    lapic_write(0x360, 0x10000);
    lapic_write(0x370, 0x10000);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    settle();
    taken[0] = 0;
    lapic_ipi(0, SELF | FIXED | VECTOR);
    settle();
    check_equal(name, taken[0], 1);
}

static void strings(void)
{
    uint64_t from = LAPIC_BASE, to = (uint64_t)ram, count = PAGE / 4;

    asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    check_equal("rep movs out of it: its version", *(volatile uint32_t *)(ram + 0x30), 0x01060014);
    check_equal("its spurious vector", *(volatile uint32_t *)(ram + 0xf0), 0x1ff);
    for (unsigned width = 1; width <= 8; width *= 2) {
        from = LAPIC_BASE + 0x20;
        to = (uint64_t)ram;
        count = 64;
        if (width == 1)
            asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count)::"memory");
        else if (width == 2)
            asm volatile("rep movsw" : "+S"(from), "+D"(to), "+c"(count)::"memory");
        else
            asm volatile("rep movsq" : "+S"(from), "+D"(to), "+c"(count)::"memory");
        check_equal("to its end", count, 0);
    }
    for (unsigned i = 0; i < PAGE; i++)
        ((volatile uint8_t *)ram)[i] = 0;
    from = (uint64_t)ram;
    to = LAPIC_BASE;
    count = PAGE / 4;
    asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    check_equal("rep movs into it", count, 0);
    still_works("works after rep movs");
    from = LAPIC_BASE + 0x80;
    to = LAPIC_BASE + 0xd0;
    count = 0x100;
    asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    to = LAPIC_BASE + 0x80;
    count = 0x100;
    asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory");
    still_works("works after rep movs within, and rep stos");
}

/* A table of 512 pages in it: the walk cannot be carried out, and the guest cannot tell how. */
static void page_table(void)
{
    extern uint64_t page_directories[4 * 512];
    const uint64_t at = 0x70000000, kept = page_directories[at >> 21];

    page_directories[at >> 21] = LAPIC_BASE | 7;
    write_cr3(read_cr3());
    for (uint64_t page = 0; page < 512; page += 3)
        attempt(page & 1 ? load32 : store8, at + page * PAGE + page);
    page_directories[at >> 21] = kept;
    write_cr3(read_cr3());
    still_works("works after a page table in it");
}

/* ---- modes ---- */

static void read_ones(const char *name)
{
    check_equal(name, mmio_read32(LAPIC_BASE + LAPIC_VERSION), ONES);
    check_equal(name, mmio_read32(LAPIC_BASE + LAPIC_TPR), ONES);
}

static void set_mode(uint64_t bits)
{
    wrmsr(MSR_APIC_BASE, (rdmsr(MSR_APIC_BASE) & ~(APIC_ENABLED | APIC_X2)) | bits);
}

static void off_and_on(void)
{
    lapic_write(LAPIC_TPR, 0x44);
    lapic_write(LAPIC_ICR_HIGH, 0x5000000);
    set_mode(0);
    read_ones("off: nothing there");
    mmio_write32(LAPIC_BASE + LAPIC_TPR, 0x55);
    set_mode(APIC_ENABLED);
    check_equal("on: tpr is reset", lapic_read(LAPIC_TPR), 0);
    check_equal("on: icr's upper half is", lapic_read(LAPIC_ICR_HIGH), 0);
    check_equal("on: the spurious vector is", lapic_read(LAPIC_SVR), 0xff);
    check_equal("on: the id is", lapic_read(LAPIC_ID), 0);
    still_works("works again");
}

static volatile unsigned stage;
static volatile uint32_t other_id, other_tpr;

/* Its own page, then none, while the boot CPU keeps its. */
static void other(uint64_t unused)
{
    (void)unused;
    for (unsigned i = 0; i < 1000; i++) {
        lapic_write(LAPIC_TPR, 0x70 + i % 8);
        other_tpr |= lapic_read(LAPIC_TPR) != 0x70 + i % 8;
    }
    other_id = lapic_read(LAPIC_ID);
    set_mode(0);
    other_id |= mmio_read32(LAPIC_BASE + LAPIC_ID) == ONES ? 0x100 : 0;
    stage = 1;
    for (;;)
        asm volatile("hlt");
}

static void beside_another(void)
{
    unsigned wrong = 0;

    cpu_on(1, other, 0);
    for (unsigned i = 0; i < 200000 && !stage; i++) {
        lapic_write(LAPIC_TPR, i & 0x3f);
        wrong += lapic_read(LAPIC_TPR) != (i & 0x3f) || lapic_read(LAPIC_ID) != 0;
    }
    check_equal("one's own registers", wrong, 0);
    check_equal("and the other's", other_tpr, 0);
    check_equal("its id, then nothing", other_id, 1u << 24 | 0x100);
    lapic_write(LAPIC_TPR, 0x66);
    check_equal("the page stays for who has one", lapic_read(LAPIC_TPR), 0x66);
    still_works("works beside one without");
}

static void fetch(void)
{
    print("apicpage: off it goes\n");
    asm volatile("jmp *%0" ::"r"(LAPIC_BASE + 0x20));
}

void guest_main(void)
{
    on_interrupt = note;
    if (option("fetch", 0))
        fetch();
    if (cpu_count() > 1) {
        beside_another();
        return;
    }
    read_and_written(false);
    vectors();
    every_width();
    still_works("works after every width");
    strings();
    page_table();
    off_and_on();
    if (!(cpuid(1, 0).ecx >> 21 & 1))
        return;
    lapic_use_x2apic();
    print("apicpage: x2apic\n");
    read_ones("x2apic: no page");
    read_and_written(true);
    vectors();
    check_equal("id", lapic_read(LAPIC_ID), 0);
    check_equal("ldr", lapic_read(LAPIC_LDR), 1);
}
