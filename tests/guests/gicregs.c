/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller's registers, version 2 or 3: what each keeps at every width that it
 * has, whom an interrupt goes to, groups, and what the binary point does to preemption.
 *
 * QEMU's own controllers fail four: they keep the targets that there are no CPUs for, and the
 * routing mode that GICD_TYPER says there is none of, and forget what is routed anew.
 */
#include "tests/guests/lib/gic.h"

#define SPI 64 /* a bank that no device drives */
#define BANK_SPIS 32

enum {
    GICD_IIDR = 0x008,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICR_TYPER = 0x008,
    GICR_WAKER = 0x014,
    V2_PIDR2 = 0xfe8,
    V3_PIDR2 = 0xffe8,
    GICC_CTLR = 0x00,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
};

#define IROUTER_ANY_CPU (1UL << 31)
#define WAKER_SLEEP (1u << 1)
#define WAKER_ASLEEP (1u << 2)
#define IAR_SOURCE(iar) ((iar) >> 10 & 7)

static bool v3(void)
{
    return gic_version() == 3;
}

static uint64_t own_frame(void)
{
    return GICR_BASE + cpu_self() * GICR_STRIDE;
}

static void identification(void)
{
    uint32_t typer = mmio_read32(GICD_BASE + GICD_TYPER);
    uint32_t pidr2 = mmio_read32(GICD_BASE + (v3() ? V3_PIDR2 : V2_PIDR2));

    check((typer & 0x1f) >= SPI / 32, "it_has_enough_interrupts");
    check((mmio_read32(GICD_BASE + GICD_IIDR) & 0xfff) != 0, "it_has_an_implementer");
    check_equal("its_architecture_in_pidr2", pidr2 >> 4 & 0xf, gic_version());
    if (v3()) {
        check((typer >> 19 & 0x1f) + 1 >= 10, "intids_have_ten_bits");
        check((mmio_read32(GICD_BASE + GICD_CTLR) & 0x10) != 0, "affinity_routing_is_on");
    } else {
        check_equal("its_number_of_cpus", (typer >> 5 & 7) + 1, cpu_count());
    }
}

/* Registers with a bit for each of a bank's interrupts, and the ones that set and clear it. */
static void bits(const char *name, unsigned set, unsigned clear)
{
    uint64_t set_at = GICD_BASE + set + SPI / 8;
    uint64_t clear_at = GICD_BASE + clear + SPI / 8;
    bool ok = true;

    mmio_write32(clear_at, ~0u);
    ok = ok && mmio_read32(set_at) == 0 && mmio_read32(clear_at) == 0;
    mmio_write32(set_at, 0x80010003);
    mmio_write32(set_at, 0x00000100);
    ok = ok && mmio_read32(set_at) == 0x80010103 && mmio_read32(clear_at) == 0x80010103;
    mmio_write32(clear_at, 0x00010001);
    ok = ok && mmio_read32(set_at) == 0x80000102;
    mmio_write32(set_at, 0);
    mmio_write32(clear_at, 0);
    ok = ok && mmio_read32(set_at) == 0x80000102;
    mmio_write32(clear_at, ~0u);
    ok = ok && mmio_read32(set_at) == 0;
    check(ok, name);
}

static void per_interrupt(void)
{
    uint64_t priorities = GICD_BASE + GICD_IPRIORITYR + SPI;
    uint64_t config = GICD_BASE + GICD_ICFGR + SPI / 4;
    uint64_t group = GICD_BASE + GICD_IGROUPR + SPI / 8;
    bool ok = true;

    bits("enable_bits", GICD_ISENABLER, GICD_ICENABLER);
    bits("pending_bits", GICD_ISPENDR, GICD_ICPENDR);
    bits("active_bits", GICD_ISACTIVER, GICD_ICACTIVER);
    for (unsigned i = 0; i < BANK_SPIS; i++)
        mmio_write8(priorities + i, (uint8_t)(i << 3));
    for (unsigned i = 0; i < BANK_SPIS; i++)
        ok = ok && mmio_read8(priorities + i) == (uint8_t)(i << 3);
    check(ok, "every_priority_by_byte");
    check_equal("and_by_word", mmio_read32(priorities + 4), 0x38302820);
    mmio_write32(config, 0xaaaaaaaa);
    mmio_write32(config + 4, 0x08000002);
    check_equal("edges", mmio_read32(config) & 0xaaaaaaaa, 0xaaaaaaaa);
    check_equal("edges_and_levels", mmio_read32(config + 4) & 0xaaaaaaaa, 0x08000002);
    mmio_write32(config, 0);
    check_equal("levels", mmio_read32(config) & 0xaaaaaaaa, 0);
    mmio_write32(group, 0x5a5a5a5a);
    check_equal("groups", mmio_read32(group), 0x5a5a5a5a);
    mmio_write32(group, v3() ? ~0u : 0);
}

static void redistributor(void)
{
    uint64_t at = own_frame();
    uint64_t typer = mmio_read64(at + GICR_TYPER);

    check_equal("typer_in_halves",
                mmio_read32(at + GICR_TYPER) | (uint64_t)mmio_read32(at + GICR_TYPER + 4) << 32,
                typer);
    check_equal("typer_has_the_affinity", typer >> 32, cpu_mpidr(cpu_self()));
    check_equal("last_of_all_is_marked",
                mmio_read64(GICR_BASE + (cpu_count() - 1) * GICR_STRIDE + GICR_TYPER) >> 4 & 1, 1);
    check_equal("its_architecture_too", mmio_read32(at + V3_PIDR2) >> 4 & 0xf, 3);
    mmio_write32(at + GICR_WAKER, WAKER_SLEEP);
    check_equal("asleep", mmio_read32(at + GICR_WAKER) & (WAKER_SLEEP | WAKER_ASLEEP),
                WAKER_SLEEP | WAKER_ASLEEP);
    mmio_write32(at + GICR_WAKER, 0);
    check_equal("awake", mmio_read32(at + GICR_WAKER) & (WAKER_SLEEP | WAKER_ASLEEP), 0);
}

static void routers(void)
{
    uint64_t at = GICD_BASE + GICD_IROUTER + 8 * (SPI + 1);
    bool none_at_all = (mmio_read32(GICD_BASE + GICD_TYPER) & 1u << 25) != 0;

    mmio_write64(at, 0x010203);
    check_equal("router_by_64_bits", mmio_read64(at), 0x010203);
    check_equal("router_lower_half", mmio_read32(at), 0x010203);
    mmio_write32(at, 0);
    mmio_write32(at + 4, 0);
    check_equal("router_by_halves", mmio_read64(at), 0);
    mmio_write64(at, IROUTER_ANY_CPU);
    check(!none_at_all || mmio_read64(at) == 0, "one_of_n_is_refused_where_there_is_none");
    mmio_write64(at, 0);
}

static void targets(unsigned cpus)
{
    uint64_t at = GICD_BASE + GICD_ITARGETSR + SPI;
    uint32_t all = cpus > 1 ? (1u << cpus) - 1 : 0;

    mmio_write32(at, 0xffffffff);
    check_equal("targets_by_word", mmio_read32(at), all * 0x01010101u);
    mmio_write8(at + 1, 1);
    check_equal("targets_by_byte", mmio_read8(at + 1), cpus > 1);
    check_equal("targets_of_the_others", mmio_read8(at + 2), all);
    mmio_write32(at, 0x01010101);
}

/* Version 2's SGIs remember who sent them. */
static void senders(void)
{
    mmio_write8(GICD_BASE + GICD_SPENDSGIR + 5, 1);
    check_equal("sgi_set_pending_with_its_sender", mmio_read8(GICD_BASE + GICD_CPENDSGIR + 5), 1);
    mmio_write8(GICD_BASE + GICD_CPENDSGIR + 5, 1);
    check_equal("and_cleared", mmio_read32(GICD_BASE + GICD_SPENDSGIR + 4), 0);
    check_equal("so_nothing_comes", gic_ack(), IRQ_SPURIOUS);
}

/* ---- whom it goes to ---- */

static volatile unsigned got[MAX_CPUS];
static volatile bool listening[MAX_CPUS], enough;

static void listen(uint64_t unused)
{
    unsigned self = cpu_self();

    (void)unused;
    gic_init_cpu();
    listening[self] = true;
    while (!enough) {
        unsigned irq = gic_ack();

        if (irq == IRQ_SPURIOUS)
            continue;
        gic_eoi(irq);
        got[self]++;
    }
    cpu_off();
}

static void route(unsigned irq, unsigned cpu)
{
    if (v3())
        mmio_write64(GICD_BASE + GICD_IROUTER + 8 * irq, cpu_mpidr(cpu));
    else
        mmio_write8(GICD_BASE + GICD_ITARGETSR + irq, (uint8_t)(1u << cpu));
}

static void routing(unsigned cpus)
{
    unsigned wrong = 0;

    gic_set_edge(SPI, true);
    gic_set_priority(SPI, 0xa0);
    gic_enable(SPI);
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        cpu_on(cpu, listen, 0);
        while (!listening[cpu])
            continue;
        route(SPI, cpu);
        gic_set_pending(SPI);
        while (got[cpu] == 0)
            continue;
        wrong += gic_ack() != IRQ_SPURIOUS;
    }
    check_equal("spi_goes_where_it_is_routed", wrong, 0);

    /* Made pending while it is another CPU's and disabled, then called back: that takes a moment.
     */
    gic_disable(SPI);
    route(SPI, 1);
    gic_set_pending(SPI);
    route(SPI, 0);
    gic_enable(SPI);
    unsigned irq = IRQ_SPURIOUS;

    for (unsigned i = 0; i < 1000000 && irq == IRQ_SPURIOUS; i++)
        irq = gic_ack();
    check_equal("rerouted_while_pending", irq, SPI);
    gic_eoi(SPI);
    gic_disable(SPI);
    enough = true;
}

/* ---- groups and preemption ---- */

static void group_0_of_version_3(void)
{
    uint64_t group = gic_bank(SPI, GICD_IGROUPR + SPI / 8);

    mmio_write32(group, ~1u);
    mmio_write32(GICD_BASE + GICD_CTLR, 0x13);
    gic_set_edge(SPI, true);
    gic_enable(SPI);
    sysreg_write(icc_igrpen0_el1, 1);
    isb();
    gic_set_pending(SPI);
    check_equal("group_0_is_not_group_1s", gic_ack(), IRQ_SPURIOUS);
    check_equal("group_0_by_its_own_register", sysreg_read(icc_iar0_el1), SPI);
    sysreg_write(icc_eoir0_el1, SPI);
    sysreg_write(icc_igrpen0_el1, 0);
    isb();
    gic_set_pending(SPI);
    check_equal("group_0_disabled", sysreg_read(icc_iar0_el1), IRQ_SPURIOUS);
    gic_clear_pending(SPI);
    mmio_write32(group, ~0u);
    gic_disable(SPI);
}

static void binary_point(unsigned point)
{
    if (v3()) {
        sysreg_write(icc_bpr1_el1, point);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_BPR, point);
    }
}

/* Priorities 0x40 and 0x60 differ in bit 5: with the point at 4 or lower that preempts. */
static void preemption(void)
{
    static const uint8_t priority[] = { 0x60, 0x40 };

    for (unsigned i = 0; i < 2; i++) {
        gic_set_edge(SPI + i, true);
        gic_set_priority(SPI + i, priority[i]);
        gic_enable(SPI + i);
    }
    for (unsigned point = 2; point <= 7; point += 5) {
        binary_point(point);
        gic_set_pending(SPI);
        gic_ack();
        gic_set_pending(SPI + 1);
        if (point == 2) {
            check_equal("low_point_preempts", gic_ack(), SPI + 1);
            gic_eoi(SPI + 1);
            gic_eoi(SPI);
        } else {
            check_equal("high_point_does_not_preempt", gic_ack(), IRQ_SPURIOUS);
            gic_eoi(SPI);
            check_equal("comes_afterwards", gic_ack(), SPI + 1);
            gic_eoi(SPI + 1);
        }
    }
    binary_point(2);
    for (unsigned i = 0; i < 2; i++)
        gic_disable(SPI + i);
}

void guest_main(void)
{
    unsigned cpus = cpu_count();

    print("gicregs: version %u, %u CPUs\n", gic_version(), cpus);
    gic_init();
    identification();
    per_interrupt();
    if (v3()) {
        redistributor();
        routers();
        group_0_of_version_3();
    } else {
        targets(cpus);
        senders();
    }
    preemption();
    if (cpus > 1)
        routing(cpus);
}
