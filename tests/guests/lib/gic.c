/* SPDX-License-Identifier: BSD-2-Clause */
/* See gic.h. */
#include "tests/guests/lib/gic.h"

enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_DIR = 0x1000,
    GICR_WAKER = 0x14,
};

static uint32_t v2_source[16]; /* of each SGI: GICC_EOIR wants IAR's value back */

unsigned gic_version(void)
{
    static unsigned version;

    if (version == 0)
        version = (sysreg_read(id_aa64pfr0_el1) >> 24 & 0xf) != 0 ? 3 : 2;
    return version;
}

static bool v3(void)
{
    return gic_version() == 3;
}

uint64_t gic_bank(unsigned irq, unsigned offset)
{
    if (v3() && irq < 32)
        return GICR_BASE + cpu_self() * GICR_STRIDE + GICR_SGI + offset;
    return GICD_BASE + offset;
}

static uint64_t bit_register(unsigned irq, unsigned offset)
{
    return gic_bank(irq, offset + irq / 32 * 4);
}

static void set_bit(unsigned irq, unsigned offset)
{
    mmio_write32(bit_register(irq, offset), 1u << irq % 32);
}

static bool get_bit(unsigned irq, unsigned offset)
{
    return (mmio_read32(bit_register(irq, offset)) >> irq % 32 & 1) != 0;
}

/* GICv3's GICD_CTLR writes are done when RWP is 0. */
static void wait_for_write(void)
{
    while (v3() && mmio_read32(GICD_BASE + GICD_CTLR) >> 31 != 0)
        continue;
}

void gic_init(void)
{
    unsigned lines = ((mmio_read32(GICD_BASE + GICD_TYPER) & 0x1f) + 1) * 32;

    /* Version 3: affinity routing, group 1. Version 2: group 0, which is IRQ without security. */
    mmio_write32(GICD_BASE + GICD_CTLR, v3() ? 0x12 : 1);
    wait_for_write();
    for (unsigned irq = 32; irq < lines; irq += 32) {
        if (v3())
            mmio_write32(bit_register(irq, GICD_IGROUPR), ~0u);
        mmio_write32(bit_register(irq, GICD_ICENABLER), ~0u);
    }
    for (unsigned irq = 32; irq < lines && !v3(); irq++)
        mmio_write8(GICD_BASE + GICD_ITARGETSR + irq, 1);
    gic_init_cpu();
}

void gic_init_cpu(void)
{
    if (v3()) {
        mmio_write32(GICR_BASE + cpu_self() * GICR_STRIDE + GICR_WAKER, 0);
        sysreg_write(icc_sre_el1, 1);
        isb();
        mmio_write32(bit_register(0, GICD_IGROUPR), ~0u);
    }
    mmio_write32(bit_register(0, GICD_ISENABLER), 0xffff); /* every SGI */
    gic_set_mask(0xf0);
    gic_set_split(false);
    gic_group_enable(true);
}

void gic_enable(unsigned irq)
{
    set_bit(irq, GICD_ISENABLER);
}

void gic_disable(unsigned irq)
{
    set_bit(irq, GICD_ICENABLER);
    wait_for_write();
}

void gic_set_pending(unsigned irq)
{
    set_bit(irq, GICD_ISPENDR);
}

void gic_clear_pending(unsigned irq)
{
    set_bit(irq, GICD_ICPENDR);
}

bool gic_is_pending(unsigned irq)
{
    return get_bit(irq, GICD_ISPENDR);
}

bool gic_is_active(unsigned irq)
{
    return get_bit(irq, GICD_ISACTIVER);
}

void gic_set_priority(unsigned irq, uint8_t priority)
{
    mmio_write8(gic_bank(irq, GICD_IPRIORITYR + irq), priority);
}

void gic_set_edge(unsigned irq, bool edge)
{
    uint64_t at = gic_bank(irq, GICD_ICFGR + irq / 16 * 4);
    uint32_t bit = 2u << irq % 16 * 2;
    uint32_t old = mmio_read32(at);

    mmio_write32(at, edge ? old | bit : old & ~bit);
}

unsigned gic_ack(void)
{
    if (v3()) {
        unsigned irq = (unsigned)sysreg_read(icc_iar1_el1);

        dsb();
        return irq;
    }
    uint32_t iar = mmio_read32(GICC_BASE + GICC_IAR);
    unsigned irq = iar & 0x3ff;

    if (irq < 16)
        v2_source[irq] = iar;
    return irq;
}

static uint32_t v2_name(unsigned irq)
{
    return irq < 16 ? v2_source[irq] : irq;
}

void gic_eoi(unsigned irq)
{
    if (v3()) {
        sysreg_write(icc_eoir1_el1, irq);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_EOIR, v2_name(irq));
    }
}

void gic_deactivate(unsigned irq)
{
    if (v3()) {
        sysreg_write(icc_dir_el1, irq);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_DIR, v2_name(irq));
    }
}

void gic_set_mask(uint8_t priority)
{
    if (v3()) {
        sysreg_write(icc_pmr_el1, priority);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_PMR, priority);
    }
}

void gic_set_split(bool split)
{
    if (v3()) {
        sysreg_write(icc_ctlr_el1, split ? 2 : 0);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_CTLR, split ? 1 | 1 << 9 : 1);
    }
}

uint8_t gic_running_priority(void)
{
    return (uint8_t)(v3() ? sysreg_read(icc_rpr_el1) : mmio_read32(GICC_BASE + GICC_RPR));
}

void gic_group_enable(bool on)
{
    if (v3()) {
        sysreg_write(icc_igrpen1_el1, on);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_CTLR, on);
    }
}

void gic_sgi(unsigned cpu, unsigned sgi)
{
    dsb();
    if (v3()) {
        sysreg_write(icc_sgi1r_el1, (uint64_t)sgi << 24 | 1u << cpu);
        isb();
    } else {
        mmio_write32(GICD_BASE + GICD_SGIR, 1u << (16 + cpu) | sgi);
    }
}

void gic_sgi_others(unsigned sgi)
{
    dsb();
    if (v3()) {
        sysreg_write(icc_sgi1r_el1, 1UL << 40 | (uint64_t)sgi << 24);
        isb();
    } else {
        mmio_write32(GICD_BASE + GICD_SGIR, 1u << 24 | sgi);
    }
}
