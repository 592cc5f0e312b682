/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's GICv3 or later, affinity routing on (GIC architecture specification, IHI 0069).
 *
 * A redistributor has two frames of 64 KiB, RD and SGI (four with virtual LPIs); they lie one
 * after the other in a few regions, in no order of the CPUs.
 */

#include "drivers/irqchip/gic.h"

#include <arch/cpu.h>
#include <arch/gich.h>
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/irqchip/gic_dist.h"
#include "kernel/hypspace.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"

enum { GICR_TYPER = 0x8, GICR_WAKER = 0x14, GICR_SGI_FRAME = 0x10000, GICR_FRAME = 0x10000 };

#define GICD_CTLR_RWP BIT(31)
#define GICD_CTLR_ENABLE (BIT(4) | BIT(1) | BIT(0)) /* affinity routing, group 1 of either view */
#define TYPER_VLPIS BIT(1)
#define TYPER_LAST BIT(4)
#define TYPER_AFFINITY GENMASK(63, 32)
#define WAKER_PROCESSOR_SLEEP BIT(1)
#define WAKER_CHILDREN_ASLEEP BIT(2)

#define SRE_EL2_ALL (BIT(3) | BIT(2) | BIT(1) | BIT(0)) /* Enable, DIB, DFB, SRE */
#define ICC_CTLR_EOIMODE BIT(1)
#define ICC_PMR_ALL 0xf0

#define KICK 0ULL /* the SGI that send_ipi sends */

static char *gicd;
static char *regions[HOST_MAX_GICR];
static uint64_t region_bytes[HOST_MAX_GICR];
static char *sgi_frame[MAX_CPUS];

/* Aff3.Aff2.Aff1.Aff0 of an MPIDR in the 32 bits that GICR_TYPER has. */
static uint32_t packed_affinity(uint64_t mpidr)
{
    return (uint32_t)((mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24);
}

static char *find_in_region(unsigned region, uint32_t affinity)
{
    uint64_t offset = 0;
    uint64_t typer;

    do {
        typer = io_read64(regions[region] + offset + GICR_TYPER);
        if (FIELD_GET(TYPER_AFFINITY, typer) == affinity)
            return regions[region] + offset;
        offset += (typer & TYPER_VLPIS ? 4u : 2u) * (uint64_t)GICR_FRAME;
    } while (!(typer & TYPER_LAST) && offset < region_bytes[region]);
    return NULL;
}

static char *find_redistributor(uint32_t affinity)
{
    for (unsigned i = 0; i < HOST_MAX_GICR && regions[i] != NULL; i++) {
        char *found = find_in_region(i, affinity);

        if (found != NULL)
            return found;
    }
    panic("no GIC redistributor for the CPU with affinity %#x", affinity);
}

static void wait_for_writes(void)
{
    while (io_read32(gicd + GICD_CTLR) & GICD_CTLR_RWP)
        cpu_relax();
}

static void wake(char *rd_frame)
{
    uint32_t waker = io_read32(rd_frame + GICR_WAKER);

    io_write32(rd_frame + GICR_WAKER, waker & ~(uint32_t)WAKER_PROCESSOR_SLEEP);
    while (io_read32(rd_frame + GICR_WAKER) & WAKER_CHILDREN_ASLEEP)
        cpu_relax();
}

static void gicv3_cpu_init(void)
{
    unsigned cpu = this_cpu()->id;
    char *rd_frame = find_redistributor(packed_affinity(sysreg_read(mpidr_el1)));

    wake(rd_frame);
    sgi_frame[cpu] = rd_frame + GICR_SGI_FRAME;
    gic_dist_reset(sgi_frame[cpu], 0, 32, GIC_GROUP1);
    gic_dist_enable(sgi_frame[cpu], KICK, true);

    sysreg_write(icc_sre_el2, SRE_EL2_ALL);
    isb(); /* the registers below are there only from here on */
    sysreg_write(icc_pmr_el1, ICC_PMR_ALL);
    sysreg_write(icc_bpr1_el1, 0);
    sysreg_write(icc_ctlr_el1, ICC_CTLR_EOIMODE);
    sysreg_write(icc_igrpen1_el1, 1);
    isb();
}

static uint32_t gicv3_ack(void)
{
    const uint32_t irq = (uint32_t)sysreg_read(icc_iar1_el1);

    if (likely(irq < IRQ_MAX))
        sysreg_write(icc_eoir1_el1, irq);
    return irq;
}

static void gicv3_deactivate(uint32_t irq)
{
    sysreg_write(icc_dir_el1, irq);
}

/* The frame with the registers of `irq`, for a PPI the calling CPU's. */
static char *frame_of(uint32_t irq)
{
    return irq < 32 ? sgi_frame[this_cpu()->id] : gicd;
}

static void gicv3_activate(uint32_t irq)
{
    gic_dist_set_bit(frame_of(irq), GICD_ISACTIVER, irq);
}

static void gicv3_enable(uint32_t irq, bool edge)
{
    if (irq >= 32) {
        uint64_t mpidr = cpu_of(0)->hwid;

        io_write64(gicd + GICD_IROUTER + 8 * irq, mpidr);
    }
    gic_dist_enable(frame_of(irq), irq, edge);
}

static void gicv3_disable(uint32_t irq)
{
    gic_dist_set_bit(frame_of(irq), GICD_ICENABLER, irq);
}

static void gicv3_send_ipi(unsigned cpu)
{
    uint64_t mpidr = cpu_of(cpu)->hwid;
    uint64_t aff0 = mpidr & 0xff;
    uint64_t higher =
        (mpidr >> 8 & 0xff) << 16 | (mpidr >> 16 & 0xff) << 32 | (mpidr >> 32 & 0xff) << 48;

    dsb(ishst); /* what the other CPU is to find comes first */
    sysreg_write(icc_sgi1r_el1, higher | aff0 / 16 << 44 | KICK << 24 | BIT(aff0 % 16));
    isb();
}

static const struct irqchip gicv3 = {
    .name = "GICv3",
    .cpu_init = gicv3_cpu_init,
    .ack = gicv3_ack,
    .deactivate = gicv3_deactivate,
    .activate = gicv3_activate,
    .enable = gicv3_enable,
    .disable = gicv3_disable,
    .send_ipi = gicv3_send_ipi,
    .ipi = KICK,
};

status_t gicv3_init(const struct host_gic *gic, const char **why)
{
    *why = "the GICv3 has no redistributors";
    if (gic->gicr_count == 0)
        return ERR_UNSUPPORTED;
    *why = "no memory to map the GICv3's registers";
    gicd = hyp_map_device(gic->gicd.base, gic->gicd.bytes);
    if (gicd == NULL)
        return ERR_NO_MEMORY;
    for (unsigned i = 0; i < gic->gicr_count; i++) {
        region_bytes[i] = gic->gicr[i].bytes;
        regions[i] = hyp_map_device(gic->gicr[i].base, gic->gicr[i].bytes);
        if (regions[i] == NULL)
            return ERR_NO_MEMORY;
    }

    io_write32(gicd + GICD_CTLR, 0);
    wait_for_writes();
    gic_dist_reset(gicd, 32, gic_dist_irqs(gicd), GIC_GROUP1);
    wait_for_writes();
    io_write32(gicd + GICD_CTLR, GICD_CTLR_ENABLE);
    wait_for_writes();
    irq_set_chip(&gicv3);
    gich_v3_init(gic->maintenance_irq ? gic->maintenance_irq : GIC_MAINTENANCE_IRQ);
    return OK;
}
