/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's GICv2 (GICv2 specification, IHI 0048). */

#include "drivers/irqchip/gic.h"

#include <arch/cpu.h>
#include <arch/gich.h>
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/irqchip/gic_dist.h"
#include "kernel/hypspace.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"

enum { GICC_CTLR = 0x0, GICC_PMR = 0x4, GICC_BPR = 0x8, GICC_IAR = 0xc, GICC_EOIR = 0x10 };
enum { GICC_HPPIR = 0x18, GICC_DIR = 0x1000 };
enum { GICV_IAR = 0xc, GICV_EOIR = 0x10, GICV_BYTES = 0x2000 };

/*
 * With a security extension our view is the non-secure one, where bit 0 enables group 1 and
 * groups cannot be chosen. Without one we see both groups: all is left in group 0, since
 * GICC_IAR does not acknowledge group 1 there (4.4.4).
 */
#define GICC_CTLR_ENABLE (BIT(0) | BIT(1))
#define GICC_CTLR_EOIMODE (BIT(9) | BIT(10))
#define GICC_PMR_ALL 0xf0
#define IAR_INTID GENMASK(9, 0)

#define KICK 0 /* the SGI that send_ipi sends */

#define TRIED 30      /* the physical timer's PPI, which every CPU has, and is off */
#define PATIENCE 1000 /* reads, until what changed in the distributor is seen */

static char *gicd;
static char *gicc;

/* Each CPU's bit in GICD_SGIR, and what GICC_IAR gave for its last SGI: the sender is in it. */
static uint8_t cpu_bit[MAX_CPUS];
static uint32_t sgi_iar[MAX_CPUS];

static void gicv2_cpu_init(void)
{
    unsigned cpu = this_cpu()->id;
    uint32_t own = io_read32(gicd + GICD_ITARGETSR); /* banked: SGIs 0 to 3 target the reader */

    __atomic_store_n(&cpu_bit[cpu], (uint8_t)(own | own >> 8 | own >> 16 | own >> 24),
                     __ATOMIC_RELEASE);
    gic_dist_reset(gicd, 0, 32, GIC_GROUP0);
    gic_dist_enable(gicd, KICK, true);
    io_write32(gicc + GICC_PMR, GICC_PMR_ALL);
    io_write32(gicc + GICC_BPR, 0);
    io_write32(gicc + GICC_CTLR, GICC_CTLR_ENABLE | GICC_CTLR_EOIMODE);
}

static uint32_t gicv2_ack(void)
{
    uint32_t iar = io_read32(gicc + GICC_IAR);
    uint32_t irq = iar & (uint32_t)IAR_INTID;

    if (irq < 16)
        sgi_iar[this_cpu()->id] = iar;
    if (irq < IRQ_MAX)
        io_write32(gicc + GICC_EOIR, iar);
    return irq;
}

/* DIR takes what IAR gave. */
static void gicv2_deactivate(uint32_t irq)
{
    io_write32(gicc + GICC_DIR, irq < 16 ? sgi_iar[this_cpu()->id] : irq);
}

static void gicv2_activate(uint32_t irq)
{
    gic_dist_set_bit(gicd, GICD_ISACTIVER, irq);
}

static void gicv2_enable(uint32_t irq, bool edge)
{
    if (irq >= 32)
        io_write8(gicd + GICD_ITARGETSR + irq, cpu_bit[0]);
    gic_dist_enable(gicd, irq, edge);
}

static void gicv2_disable(uint32_t irq)
{
    gic_dist_set_bit(gicd, GICD_ICENABLER, irq);
}

static void gicv2_send_ipi(unsigned cpu)
{
    uint32_t target = __atomic_load_n(&cpu_bit[cpu], __ATOMIC_ACQUIRE);

    dsb(ishst); /* what the other CPU is to find comes first */
    io_write32(gicd + GICD_SGIR, target << 16 | KICK);
}

static const struct irqchip gicv2 = {
    .name = "GICv2",
    .cpu_init = gicv2_cpu_init,
    .ack = gicv2_ack,
    .deactivate = gicv2_deactivate,
    .activate = gicv2_activate,
    .enable = gicv2_enable,
    .disable = gicv2_disable,
    .send_ipi = gicv2_send_ipi,
    .ipi = KICK,
};

/*
 * Does the end of an interrupt by a guest make this distributor look at its inputs again, as
 * it must when a list register has HW (5.2.2)? Not QEMU's (7.2 to this day): an interrupt that
 * is still, or again, pending waits until something else changes there, and a guest that waits
 * for its timer waits for ever. So one is tried: active and pending here, and with the guest.
 */
static bool hw_end_works(const char *gicv)
{
    const struct gich_state open = { .vmcr = (uint32_t)(VMCR_ENG0 | VMCR_PMR) };
    bool seen = false;

    gicv2_cpu_init();
    gic_dist_set_bit(gicd, GICD_ISACTIVER, TRIED);
    gic_dist_set_bit(gicd, GICD_ISPENDR, TRIED);
    gic_dist_set_bit(gicd, GICD_ISENABLER, TRIED);
    gich.ops->load(&open);
    gich.ops->write_lr(0, LR_PENDING | LR_HW | FIELD_PREP(LR_PINTID, TRIED) | TRIED);
    gich.ops->write_hcr((uint32_t)HCR_EN);
    io_write32((char *)gicv + GICV_EOIR, io_read32(gicv + GICV_IAR));
    for (unsigned i = 0; i < PATIENCE && !seen; i++)
        seen = FIELD_GET(IAR_INTID, io_read32(gicc + GICC_HPPIR)) == TRIED;
    gic_dist_set_bit(gicd, GICD_ICENABLER, TRIED);
    gic_dist_set_bit(gicd, GICD_ICPENDR, TRIED);
    gic_dist_set_bit(gicd, GICD_ICACTIVER, TRIED);
    gich.ops->cpu_init();
    return seen;
}

status_t gicv2_init(const struct host_gic *gic, const char **why)
{
    void *gich_regs, *gicv;

    *why = "the GICv2 has no virtualization extensions (GICH, GICV), or half a CPU interface";
    if (gic->gich.bytes == 0 || gic->gicv.bytes < GICV_BYTES || gic->gicc.bytes <= GICC_DIR)
        return ERR_UNSUPPORTED;
    *why = "no memory to map the GICv2's registers";
    gicd = hyp_map_device(gic->gicd.base, gic->gicd.bytes);
    gicc = hyp_map_device(gic->gicc.base, gic->gicc.bytes);
    gich_regs = hyp_map_device(gic->gich.base, gic->gich.bytes);
    gicv = hyp_map_device(gic->gicv.base, GICV_BYTES);
    if (gicd == NULL || gicc == NULL || gich_regs == NULL || gicv == NULL)
        return ERR_NO_MEMORY;

    io_write32(gicd + GICD_CTLR, 0);
    gic_dist_reset(gicd, 32, gic_dist_irqs(gicd), GIC_GROUP0);
    io_write32(gicd + GICD_CTLR, 3); /* both groups; in a non-secure view there is but one */
    irq_set_chip(&gicv2);
    gich_v2_init(gich_regs, gic->gicv.base,
                 gic->maintenance_irq ? gic->maintenance_irq : GIC_MAINTENANCE_IRQ);
    gich.hw_end = hw_end_works(gicv);
    return OK;
}
