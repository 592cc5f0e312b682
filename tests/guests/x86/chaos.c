/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random code in every mode, real to 64-bit, in ring 0 and 3, with random registers, descriptors
 * and page tables around it: acts number `first=` to `acts=`, each from `seed=` and its number.
 *
 * CPU 1 runs it and CPU 0 watches: whatever has stopped CPU 1 (HLT, a loop, a lost stack) ends
 * by an NMI, or else by INIT. What ends the whole machine, a triple fault or a crash, is as good:
 * the number of the next act is in CMOS memory, which outlives that, for a VM that is restarted.
 * Only ports are spared, of which some would power off.
 */
#include "tests/guests/x86/lib/modes.h"
#include "tests/guests/x86/lib/qemu.h"

#define CODE_BYTES 28
#define LONG_CODE 0xc00000UL
#define LONG_CODE_BYTES 40
#define CMOS_ACT 0x40 /* four bytes */
#define CMOS_MARK 0x44
#define MARK 0xc5
#define NMI_AFTER 4000u
#define PATIENCE 40000u
#define PAUSE_EVERY 500u
#define ICR_NMI 0x4400u
#define RESET_AFTER 8 /* INITs in a row that bring nothing */

void execute(uint64_t mode);

static const struct mode modes[] = {
    { .real = true, .bits = 16 },
    { .real = true, .unreal = true, .bits = 16 },
    { .bits = 16 },
    { .bits = 32 },
    { .bits = 16, .ring = 3 },
    { .bits = 32, .ring = 3 },
    { .v86 = true, .bits = 16, .ring = 3 },
    { .bits = 16, .paging = MODE_PAGED_32 },
    { .bits = 32, .paging = MODE_PAGED_32 },
    { .bits = 32, .ring = 3, .paging = MODE_PAGED_32 },
    { .v86 = true, .bits = 16, .ring = 3, .paging = MODE_PAGED_PAE },
    { .bits = 32, .paging = MODE_PAGED_PAE },
};

#define LONG_MODES 5 /* of execute() */

static uint64_t state;
static volatile uint32_t act;
static uint32_t acts, seed;

static uint64_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dUL;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)((rnd() >> 16) % limit);
}

static bool once_in(uint32_t n)
{
    return below(n) == 0;
}

static uint32_t value(void)
{
    switch (below(6)) {
    case 0: return 0;
    case 1: return ~0u;
    case 2: return 1u << below(32);
    case 3: return below(64);
    case 4: return below(MODE_SEGMENT_BYTES);
    default: return (uint32_t)rnd();
    }
}

/* ---- code ---- */

static bool stays_near;

/* What exits, or changes what the CPU is in: the rest of each is random. */
static const uint8_t starts[][3] = {
    { 1, 0x6c },       { 1, 0x6d },       { 1, 0xe4 },       { 1, 0xed },       { 1, 0xcd },
    { 1, 0xcc },       { 1, 0xce },       { 1, 0xcf },       { 1, 0x9d },       { 1, 0xfa },
    { 1, 0xfb },       { 1, 0x8e },       { 1, 0x17 },       { 1, 0x1f },       { 1, 0xea },
    { 1, 0x9a },       { 1, 0xca },       { 1, 0xf1 },       { 1, 0xff },       { 1, 0x0f },
    { 2, 0x0f, 0x01 }, { 2, 0x0f, 0x02 }, { 2, 0x0f, 0x05 }, { 2, 0x0f, 0x06 }, { 2, 0x0f, 0x07 },
    { 2, 0x0f, 0x08 }, { 2, 0x0f, 0x09 }, { 2, 0x0f, 0x0b }, { 2, 0x0f, 0x20 }, { 2, 0x0f, 0x21 },
    { 2, 0x0f, 0x22 }, { 2, 0x0f, 0x23 }, { 2, 0x0f, 0x30 }, { 2, 0x0f, 0x31 }, { 2, 0x0f, 0x32 },
    { 2, 0x0f, 0x33 }, { 2, 0x0f, 0x34 }, { 2, 0x0f, 0x35 }, { 2, 0x0f, 0xa2 }, { 2, 0x0f, 0xaa },
    { 2, 0x0f, 0xae }, { 2, 0x0f, 0xc7 }, { 2, 0x0f, 0xb2 }, { 2, 0x0f, 0x01 }, { 1, 0xf3 },
    { 1, 0xf2 },       { 1, 0x67 },       { 1, 0x66 },       { 1, 0x65 },
};

/* To a port: OUT and OUTS. Mostly: far away, where there is no memory, which is a crash. */
static bool is_barred(uint8_t byte)
{
    static const uint8_t far[] = { 0xe8, 0xe9, 0xea, 0x9a, 0xca, 0xcb, 0xcf, 0xc2, 0xc3, 0xff };

    for (unsigned i = 0; stays_near && i < ARRAY_SIZE(far); i++)
        if (byte == far[i] || (byte & 0xf0) == 0x80)
            return true;
    return byte == 0xe6 || byte == 0xe7 || byte == 0xee || byte == 0xef || byte == 0x6e ||
           byte == 0x6f || (byte == 0xf4 && !once_in(16));
}

/*
 * What ends QEMU itself (7.2) is left out: LTR of a null selector, after which the next exception
 * finds no TSS; DR7, whose breakpoints it loses count of when VMRUN changes it; and qemu.h's.
 */
static void fill_code(uint8_t *code, unsigned bytes)
{
    unsigned at = 0;

    while (at < bytes) {
        const uint8_t *start = starts[below(ARRAY_SIZE(starts))];
        unsigned random = below(5);

        for (unsigned i = 1; i <= start[0] && at < bytes; i++)
            if (!is_barred(start[i]))
                code[at++] = start[i];
        for (; random > 0 && at < bytes; random--) {
            uint8_t byte;

            do
                byte = (uint8_t)rnd();
            while (is_barred(byte));
            code[at++] = byte;
        }
    }
    for (unsigned i = 0; i + 1 < bytes; i++)
        if ((code[i] == 0x0f && (code[i + 1] == 0x00 || code[i + 1] == 0x23)) ||
            ends_qemu(code, i + 1))
            code[i + 1] = 0x02;
    for (unsigned i = 0; i < 16; i++)
        code[bytes + i] = 0xcc;
}

/* ---- legacy modes ---- */

static bool dirty; /* tables are not as mode_prepare leaves them */

static void change_descriptors(void)
{
    for (unsigned i = below(6); i > 0; i--) {
        const unsigned at = MODE_SEL_CODE / 8 + below(MODE_GDT_ENTRIES - MODE_SEL_CODE / 8);

        if (once_in(2))
            mode_gdt[at] = rnd();
        else
            mode_gdt[at] ^= 1UL << (32 + below(32));
    }
    dirty = true;
}

static void change_registers(unsigned bits)
{
    uint32_t *const general = &mode_state.eax;
    uint32_t *const segment = &mode_state.ss;

    for (unsigned i = 0; i < 8; i++)
        if (!once_in(4))
            general[i] = value();
    if (!once_in(8))
        mode_state.esp = below(MODE_SEGMENT_BYTES);
    if (bits == 32 || once_in(2)) /* REP would go through all of memory */
        mode_state.ecx = below(64);
    if (once_in(8))
        segment[below(5)] = value() & 0xffff;
    if (once_in(3))
        mode_state.eflags ^= (1u << below(22)) & ~EFLAGS_VM;
    if (once_in(4))
        mode_state.cr0 ^= 1u << (1 + below(5));
    if (once_in(8))
        mode_state.cr0 ^= once_in(2) ? 1u << 18 : 1u << 30;
    if (once_in(4))
        mode_state.cr4 ^= 1u << below(4);
}

static void run_legacy(const struct mode *mode)
{
    if (dirty || mode->real)
        mode_prepare();
    dirty = false;
    mode_select(mode);
    stays_near = mode->paging == MODE_UNPAGED && !mode->v86 && !once_in(8);
    fill_code((uint8_t *)(uint64_t)MODE_CODE, CODE_BYTES);
    change_registers(mode->bits);
    if (!mode->real && once_in(3))
        change_descriptors();
    if (mode->paging != MODE_UNPAGED && once_in(3)) {
        mode_spoil(rnd());
        dirty = true;
    }
    mode_run();
}

/* ---- long mode ---- */

static void run_long(uint64_t mode)
{
    stays_near = true;
    fill_code((uint8_t *)LONG_CODE, LONG_CODE_BYTES);
    attempt(execute, mode);
}

/* ---- CPU 1 ---- */

static uint8_t cmos(uint8_t at)
{
    out8(0x70, at);
    return in8(0x71);
}

static void set_cmos(uint8_t at, uint8_t to)
{
    out8(0x70, at);
    out8(0x71, to);
}

static void note_act(uint32_t next)
{
    for (unsigned i = 0; i < 4; i++)
        if (next % (1u << (8 * i)) == 0)
            set_cmos((uint8_t)(CMOS_ACT + i), (uint8_t)(next >> (8 * i)));
}

static void one(uint32_t number)
{
    unsigned which;

    state = ((uint64_t)number << 32 | seed) * 0x9e3779b97f4a7c15UL + 1;
    rnd();
    which = below(ARRAY_SIZE(modes) + LONG_MODES);
    if (which < ARRAY_SIZE(modes))
        run_legacy(&modes[which]);
    else
        run_long(which - ARRAY_SIZE(modes));
}

static void perform(uint64_t unused)
{
    (void)unused;
    dirty = true;
    while (act < acts) {
        const uint32_t number = act;

        note_act(number + 1);
        act = number + 1;
        one(number);
        load_idt(sizeof(idt) - 1);
        write_dr7(0x400);
        write_cr0(0x80010033);
        write_cr4(0x620);
    }
    act = acts + 1;
}

/* ---- CPU 0 ---- */

static void resume_count(void)
{
    if (cmos(CMOS_MARK) == MARK) {
        for (unsigned i = 0; i < 4; i++)
            act |= (uint32_t)cmos((uint8_t)(CMOS_ACT + i)) << (8 * i);
        return;
    }
    act = (uint32_t)option("first", 0);
    for (unsigned i = 0; i < 4; i++)
        set_cmos((uint8_t)(CMOS_ACT + i), (uint8_t)(act >> (8 * i)));
    set_cmos(CMOS_MARK, MARK);
}

/* Until CPU 1 has not begun an act for a while. */
static void watch(void)
{
    bool begun = false; /* an NMI on the way there would be too early */

    for (unsigned i = 0; i < PATIENCE; i++) {
        const uint32_t before = act;

        for (unsigned k = 0; k < 10; k++)
            asm volatile("" ::: "memory");
        if (i % PAUSE_EVERY == 0)
            asm volatile("pause"); /* both CPUs may be one of the host's */
        if (act != before) {
            begun = true;
            i = 0;
        } else if (begun && i == NMI_AFTER) {
            lapic_ipi(1, ICR_NMI);
        }
        if (act > acts)
            return;
    }
}

void guest_main(void)
{
    uint32_t step, said;
    unsigned idle = 0;

    acts = (uint32_t)option("acts", 10000);
    seed = (uint32_t)option("seed", 20240301);
    step = acts / 10;
    resume_count();
    print("chaos: from %u\n", act);
    said = act;
    while (act <= acts) {
        const uint32_t before = act;

        cpu_on(1, perform, 0);
        watch();
        idle = act == before ? idle + 1 : 0;
        if (idle == RESET_AFTER)
            out8(0xcf9, 6);
        if (act - said >= step) {
            said = act;
            print("chaos: %u of %u\n", said, acts);
        }
    }
    set_cmos(CMOS_MARK, 0);
    print("chaos: done %u\n", acts);
    check(true, "chaos");
}
