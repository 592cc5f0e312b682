/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does everything it should not, `acts=` times from seed `seed=`: system
 * registers, hypercalls and SMCs, loads and stores of every form at every address but its own
 * memory, page tables where there is none, CPUs turned on at bad entry points, interrupts. It
 * survives by skipping what faults; the hypervisor and the other guests have to survive it.
 * `memory=` is its memory in MiB.
 *
 * What would end it or silence it is left out: writes to SCTLR, VBAR and PSTATE, the UART's
 * data register, and PSCI calls that end or suspend the VM.
 */
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/random.h"

#define RAM_BASE 0x40000000UL
#define REACH 0x10000UL /* bytes that an immediate offset can add to a base */

static uint64_t ram_end;

static uint64_t value(void)
{
    return random_value(RAM_BASE, ram_end);
}

static void fill(uint64_t x[18])
{
    for (unsigned i = 0; i < 18; i++)
        x[i] = value();
}

/* ---- system registers and system instructions ---- */

struct encoding {
    uint8_t op0, op1, crn, crm, op2;
};

/* Writes that would end or silence this guest; any op2 or CRm where it is ANY. */
#define ANY 0xff
static const struct encoding spared[] = {
    { 3, 0, 1, 0, 0 },   /* SCTLR_EL1 */
    { 3, 0, 12, 0, 0 },  /* VBAR_EL1 */
    { 3, 0, 12, 0, 2 },  /* RMR_EL1 */
    { 3, 0, 4, 2, ANY }, /* SPSel, CurrentEL, PAN, UAO */
    { 3, 3, 4, 2, ANY }, /* DAIF, NZCV, SSBS, TCO, DIT */
    { 3, 0, 4, 3, ANY }, /* ALLINT */
    { 3, 3, 14, 3, 0 },  /* CNTV_TVAL, CNTV_CVAL: QEMU 7.2 hangs, all of it, where a deadline */
    { 3, 3, 14, 3, 2 },  /* and the offset of the guest's counter add up to more than 64 bits */
    { 3, 0, 12, 12, 3 }, /* ICC_BPR1: QEMU 7.2 ends by its own assertion at more than 3 bits */
};

static bool is_spared(struct encoding e)
{
    for (unsigned i = 0; i < ARRAY_SIZE(spared); i++) {
        const struct encoding *s = &spared[i];

        if (s->op0 == e.op0 && s->op1 == e.op1 && s->crn == e.crn && s->crm == e.crm &&
            (s->op2 == ANY || s->op2 == e.op2))
            return true;
    }
    return false;
}

static void act_sysreg(void)
{
    struct encoding e = { (uint8_t)(1 + below(3)), (uint8_t)below(8), (uint8_t)below(16),
                          (uint8_t)below(16), (uint8_t)below(8) };
    bool read = below(2) != 0;
    uint64_t x[18];

    if (!read && is_spared(e))
        return;
    fill(x);
    execute(0xd5000000u | (uint32_t)read << 21 | (uint32_t)e.op0 << 19 | (uint32_t)e.op1 << 16 |
                (uint32_t)e.crn << 12 | (uint32_t)e.crm << 8 | (uint32_t)e.op2 << 5 |
                (uint32_t)below(18),
            x);
}

/* ---- calls ---- */

static uint64_t function(void)
{
    switch (below(5)) {
    case 0: return rnd();
    case 1: return 0x80000000 + below(0x40);
    case 2: return (rnd() & 0x7f00ffff) | 0x80000000; /* every owner */
    case 3: return 0x84000050 + below(8) + (below(2) << 30);
    default: return 0x84000000 + below(0x20) + (below(2) << 30) + (rnd() & 0xff) * (1UL << 56);
    }
}

/* SUSPEND, OFF, SYSTEM_OFF, RESET, FREEZE, DEFAULT_SUSPEND, SYSTEM_SUSPEND, RESET2; CPU_ON. */
#define ENDING_CALLS \
    (1u << 1 | 1u << 2 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 18)
#define CPU_ON_CALL (1u << 3)

static bool in_psci_set(uint64_t id, uint32_t set)
{
    uint32_t plain = (uint32_t)id & ~(1u << 30);

    return plain >= 0x84000000 && plain < 0x84000020 && (set >> (plain & 0x1f) & 1) != 0;
}

static void act_call(void)
{
    uint32_t call = below(2) != 0 ? 0xd4000002u : 0xd4000003u; /* HVC, SMC */
    uint64_t x[18];

    fill(x);
    x[0] = function();
    if (in_psci_set(x[0], ENDING_CALLS | CPU_ON_CALL))
        return;
    if (below(4) == 0)
        call |= (uint32_t)below(0x10000) << 5;
    execute(call, x);
}

static void act_cpu_on(void)
{
    static const uint64_t entries[] = { 0, 0x30000000, 0x08000000, 0x40000002, 1UL << 48, ~3UL };
    uint64_t entry = below(8) == 0 ? (uint64_t)turn_off : entries[below(ARRAY_SIZE(entries))];

    hvc(below(2) != 0 ? PSCI_CPU_ON : 0x84000003, below(2) != 0 ? below(18) : rnd(), entry, rnd());
}

/* ---- loads and stores ---- */

static const struct {
    uint64_t base, bytes;
} windows[] = {
    { 0x00000000, 0x08000000 }, /* flash */
    { GICD_BASE, 0x10000 },       { GICD_BASE, 0x1000 },          { GICC_BASE, 0x10000 },
    { GICR_BASE, 0x60000 },       { GICR_BASE, 0x20000 },         { 0x08080000, 0x20000 },
    { UART_BASE, 0x1000 },        { RTC_BASE, 0x1000 },           { 0x09020000, 0x10 },
    { 0x0a000000, 0x4000 },       { 0x10000000, 0x2eff0000 },     { 0x3f000000, 0x00fe0000 },
    { 0x4010000000, 0x10000000 }, { 0x8000000000, 0x7fffff0000 },
};

static uint64_t address(void)
{
    unsigned window = (unsigned)below(ARRAY_SIZE(windows) + 3);
    uint64_t at;

    if (window < ARRAY_SIZE(windows))
        at = windows[window].base + below(windows[window].bytes);
    else if (window == ARRAY_SIZE(windows))
        at = ram_end + below(0x100000); /* the next page's owner */
    else if (window == ARRAY_SIZE(windows) + 1)
        at = ram_end + below(0x100000000);
    else
        at = ram_end + (rnd() >> below(64)) % (1UL << 52);
    return below(4) == 0 ? at : at & ~7UL;
}

/* Could an access based at `at` reach the UART's data register, or fw_cfg's DMA? */
static bool is_mine(uint64_t at)
{
    return at + REACH > UART_BASE && at < UART_BASE + 0x400;
}

static bool is_dma(uint64_t at)
{
    return at + REACH > 0x09020000 && at < 0x09020400;
}

/* Bases without registers: Rn is x1, Rt x2, Rt2 x3, Rs x4. */
static const uint32_t forms[] = {
    0x39400000, 0x39000000, 0x39800000, 0x39c00000, /* ldrb strb ldrsb ldrsb(w) */
    0x79400000, 0x79000000, 0x79800000,             /* ldrh strh ldrsh */
    0xb9400000, 0xb9000000, 0xb9800000,             /* ldr str ldrsw (w) */
    0xf9400000, 0xf9000000,                         /* ldr str (x) */
    0xf8408400, 0xf8408c00, 0xb8404400, 0xf8008400, /* post and pre-index */
    0xa9400000, 0xa9000000, 0xa8c10000, 0xa9bf0000, /* ldp stp, post, pre */
    0x29400000, 0x69400000, 0xa8400000,             /* ldp (w) ldpsw ldnp */
    0x3dc00000, 0x3d800000, 0xfd400000, 0xad400000, /* q, d, pairs of q */
    0xad000000, 0x4c407000, 0x4c007000, 0x4c400000, /* stp q, ld1, st1, ld4 */
    0x885f7c00, 0x88047c00, 0xc8dffc00, 0xc89ffc00, /* ldxr stxr ldar stlr */
    0xf8248000, 0xc8a47c00, 0xf8240000,             /* swp cas ldadd */
    0xf8400800, 0xf8000800, 0xf9800000,             /* ldtr sttr prfm */
};

#define RN_IS_X1 (1u << 5)

static void act_access(void)
{
    uint32_t form = forms[below(ARRAY_SIZE(forms))] | RN_IS_X1 | 2;
    uint64_t x[18];

    if ((form & 0x3a000000) == 0x28000000) /* pairs have Rt2 */
        form |= 3u << 10;
    fill(x);
    x[1] = address();
    if (is_mine(x[1]) || is_dma(x[1]))
        return;
    execute(form, x);
}

/* Any bits at all in the load and store space, based at x1 and without an index register. */
static void act_any_access(void)
{
    uint32_t instruction = ((uint32_t)rnd() & ~0x020003e0u) | 0x08000000u | RN_IS_X1;
    bool indexed = (instruction & 0x3b200c00) == 0x38200800;
    uint64_t x[18];

    fill(x);
    x[1] = address();
    if (indexed || is_mine(x[1]) || is_dma(x[1]))
        return;
    execute(instruction, x);
}

/* Cache, TLB and translation instructions on addresses that are not ours. */
static void act_maintain(void)
{
    static const uint32_t operations[] = {
        0xd50b7421, 0xd50b7a21, 0xd50b7b21, 0xd50b7e21, 0xd50b7521, /* dc zva cvac cvau civac ic */
        0xd5087801, 0xd5087821, 0xd5087841, 0xd50c7881,             /* at */
        0xd508831f, 0xd5088721, 0xd508871f,                         /* tlbi */
        0xd5087621, 0xd5087641, 0xd5087a41, 0xd5087e41, 0xd50b7c21, /* dc ivac isw csw cisw cvap */
    };
    uint64_t x[18];

    fill(x);
    x[1] = address();
    execute(operations[below(ARRAY_SIZE(operations))], x);
}

/* What guests are told is not there: SVE, SME, memory tagging, pointer authentication. */
static void act_hidden(void)
{
    static const struct {
        uint32_t fixed, any;
    } classes[] = {
        { 0x04000000, 0xe1ffffff }, /* SVE */
        { 0x80000000, 0x61ffffff }, /* SME */
        { 0xd9000000, 0x00ffffff }, /* tags in memory: based at x1, like the next */
        { 0xf8200400, 0x00dff81f }, /* LDRAA, LDRAB */
        { 0x9ac01000, 0x001f0fff }, /* IRG, GMI */
        { 0xdac10000, 0x00003fff }, /* PACIA to XPACD */
    };
    unsigned which = (unsigned)below(ARRAY_SIZE(classes));
    uint32_t instruction = classes[which].fixed | ((uint32_t)rnd() & classes[which].any);
    uint64_t x[18];

    fill(x);
    x[1] = address();
    if (is_mine(x[1]) || is_dma(x[1]))
        return;
    if (which == 2 || which == 3)
        instruction = (instruction & ~0x3e0u) | RN_IS_X1;
    execute(instruction, x);
}

/* ---- page tables outside memory ---- */

#define BLOCK_DEVICE 0x00401UL /* attribute 0, accessed */
#define BLOCK_NORMAL 0x00705UL /* attribute 1, accessed, inner shareable */
#define TCR_39_BITS_EACH (25UL | 25UL << 16 | 2UL << 30 | 2UL << 32)
#define HIGH_HALF 0xffffff8000000000UL

static void act_walk(void)
{
    static uint64_t identity[512] __attribute__((aligned(4096)));
    uint64_t sctlr = sysreg_read(sctlr_el1);

    identity[0] = BLOCK_DEVICE;
    for (uint64_t i = 1; i < 4; i++)
        identity[i] = i << 30 | BLOCK_NORMAL;
    sysreg_write(mair_el1, 0x4400);
    sysreg_write(ttbr0_el1, (uint64_t)identity);
    sysreg_write(ttbr1_el1, address() & 0xfffffffff000);
    sysreg_write(tcr_el1, TCR_39_BITS_EACH);
    dsb();
    asm volatile("tlbi vmalle1\n\tdsb ish\n\tisb");
    sysreg_write(sctlr_el1, sctlr | 1);
    isb();
    uint64_t at = HIGH_HALF + below(1UL << 39);

    if (below(2) != 0)
        mmio_read32(at & ~3UL);
    else
        mmio_write64(at & ~7UL, at);
    sysreg_write(sctlr_el1, sctlr);
    isb();
}

/* ---- interrupts: asked for by all means, polled, never taken ---- */

/* Widths of an interrupt's field in bits. */
static const struct {
    uint16_t offset;
    uint8_t bits;
} interrupt_registers[] = {
    { GICD_IGROUPR, 1 },    { GICD_ISENABLER, 1 }, { GICD_ISENABLER, 1 }, { GICD_ICENABLER, 1 },
    { GICD_ISPENDR, 1 },    { GICD_ICPENDR, 1 },   { GICD_ISACTIVER, 1 }, { GICD_ICACTIVER, 1 },
    { GICD_IPRIORITYR, 8 }, { GICD_ITARGETSR, 8 }, { GICD_ICFGR, 2 },     { GICD_IROUTER, 64 },
};

static void touch_interrupt(void)
{
    unsigned irq = (unsigned)below(below(2) != 0 ? 32 : 320);
    unsigned which = (unsigned)below(ARRAY_SIZE(interrupt_registers));
    unsigned bit = irq * interrupt_registers[which].bits;
    uint64_t at = gic_bank(irq, interrupt_registers[which].offset + bit / 32 * 4);

    if (below(4) == 0)
        mmio_read32(at);
    else
        mmio_write32(at, (uint32_t)value());
}

static void touch_interface(void)
{
    switch (below(6)) {
    case 0: gic_set_split(below(2) != 0); break;
    case 1: gic_group_enable(below(4) != 0); break;
    case 2: gic_set_mask((uint8_t)value()); break;
    case 3: gic_set_mask(0xf0); break;
    case 4: mmio_write32(GICD_BASE + GICD_CTLR, (uint32_t)value()); break;
    default: mmio_write32(GICD_BASE + GICD_CTLR, ~0u); break;
    }
}

static void touch_timer(void)
{
    uint64_t control = below(8) < 5 ? 1 : value();

    if (below(2) != 0) {
        sysreg_write(cntv_tval_el0, below(2000)); /* see `spared` */
        sysreg_write(cntv_ctl_el0, control);
    } else {
        sysreg_write(cntp_tval_el0, below(2) != 0 ? below(2000) : value());
        sysreg_write(cntp_ctl_el0, control);
    }
}

static void act_interrupt(void)
{
    static unsigned irq;

    switch (below(8)) {
    case 0: touch_interface(); break;
    case 1: touch_timer(); break;
    case 2: gic_sgi((unsigned)below(3), (unsigned)below(16)); break;
    case 3: irq = gic_ack(); break;
    case 4: gic_eoi(irq); break;
    case 5: gic_deactivate(irq); break;
    case 6: irq = (unsigned)below(1024); break;
    default: touch_interrupt(); break;
    }
    if (below(1000) == 0)
        gic_init();
}

static void act_hint(void)
{
    static const uint32_t hints[] = { 0xd503203f, 0xd503209f, 0xd503205f, 0xd5033fdf };
    uint64_t x[18] = { 0 };

    execute(hints[below(ARRAY_SIZE(hints))], x); /* yield sev wfe isb */
}

static void (*const acts[])(void) = {
    act_sysreg,     act_sysreg, act_sysreg,    act_call,      act_call,
    act_call,       act_access, act_access,    act_access,    act_any_access,
    act_any_access, act_cpu_on, act_interrupt, act_interrupt, act_interrupt,
    act_interrupt,  act_walk,   act_maintain,  act_hint,      act_hidden,
};

void guest_main(void)
{
    uint64_t count = option("acts", 100000);

    random_state = option("seed", 20240229);
    ram_end = RAM_BASE + option("memory", 64) * 0x100000;
    gic_init();
    for (uint64_t n = 1; n <= count; n++) {
        expect_faults();
        acts[below(ARRAY_SIZE(acts))]();
        if (n % REPORT_EVERY == 0) {
            uart_init();
            print("hostile: %lu of %lu\n", n, count);
        }
    }
    expected_fault();
    check(true, "hostile");
    print("hostile: done %lu\n", count);
}
