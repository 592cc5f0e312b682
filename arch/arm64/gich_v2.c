/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor control interface in memory (GICv2 specification 5.3). A list register has
 * 32 bits there:
 *
 *     31 HW  30 group 1  29 active  28 pending  27..23 priority
 *     19..10 physical ID (HW)  19 EOI, 12..10 source CPU (no HW)  9..0 virtual ID
 */

#include <arch/gich.h>
#include <arch/io.h>

enum { GICH_HCR = 0x0, GICH_VTR = 0x4, GICH_VMCR = 0x8, GICH_APR = 0xf0, GICH_LR = 0x100 };

#define VTR_LIST_REGS GENMASK(5, 0) /* one less than there are */

/* State, HW and group are bits 63..60 in the one and 31..28 in the other, in this order. */
#define LR2_HW BIT(31)
#define LR2_GROUP1 BIT(30)
#define LR2_ACTIVE BIT(29)
#define LR2_PENDING BIT(28)
#define LR2_PRIORITY GENMASK(27, 23)
#define LR2_PHYSICAL GENMASK(19, 10)
#define LR2_EOI BIT(19)
#define LR2_IDS GENMASK(12, 0) /* source CPU and virtual ID: the same in both */
#define LR2_VIRTUAL GENMASK(9, 0)

static char *gich_regs;

static uint64_t v2_read_lr(unsigned n)
{
    uint32_t raw = io_read32(gich_regs + GICH_LR + 4 * n);
    uint64_t lr = FIELD_PREP(LR_PRIORITY, FIELD_GET(LR2_PRIORITY, raw) << 3);

    lr |= (raw & LR2_ACTIVE ? LR_ACTIVE : 0) | (raw & LR2_PENDING ? LR_PENDING : 0) |
          (raw & LR2_GROUP1 ? LR_GROUP1 : 0);
    if (raw & LR2_HW)
        return lr | LR_HW | FIELD_PREP(LR_PINTID, FIELD_GET(LR2_PHYSICAL, raw)) |
               (raw & LR2_VIRTUAL);
    return lr | (raw & LR2_EOI ? LR_EOI : 0) | (raw & LR2_IDS);
}

static void v2_write_lr(unsigned n, uint64_t lr)
{
    uint64_t raw = FIELD_PREP(LR2_PRIORITY, FIELD_GET(LR_PRIORITY, lr) >> 3);

    raw |= (lr & LR_ACTIVE ? LR2_ACTIVE : 0) | (lr & LR_PENDING ? LR2_PENDING : 0) |
           (lr & LR_GROUP1 ? LR2_GROUP1 : 0);
    if (lr & LR_HW)
        raw |= LR2_HW | FIELD_PREP(LR2_PHYSICAL, FIELD_GET(LR_PINTID, lr)) | (lr & LR2_VIRTUAL);
    else
        raw |= (lr & LR_EOI ? LR2_EOI : 0) | (lr & LR2_IDS);
    io_write32(gich_regs + GICH_LR + 4 * n, (uint32_t)raw);
}

static bool v2_reuse_lr(unsigned n, uint64_t lr)
{
    if (io_read32(gich_regs + GICH_LR + 4 * n) & (LR2_ACTIVE | LR2_PENDING))
        return false;
    v2_write_lr(n, lr);
    return true;
}

static uint32_t v2_read_hcr(void)
{
    return io_read32(gich_regs + GICH_HCR);
}

static void v2_write_hcr(uint32_t hcr)
{
    io_write32(gich_regs + GICH_HCR, hcr);
}

static uint32_t v2_read_vmcr(void)
{
    return io_read32(gich_regs + GICH_VMCR);
}

static void v2_load(const struct gich_state *state)
{
    io_write32(gich_regs + GICH_VMCR, state->vmcr);
    io_write32(gich_regs + GICH_APR, state->ap0r[0]);
}

static void v2_save(struct gich_state *state)
{
    state->vmcr = v2_read_vmcr();
    state->ap0r[0] = io_read32(gich_regs + GICH_APR);
}

static void v2_cpu_init(void)
{
    v2_write_hcr(0);
    for (unsigned n = 0; n < gich.lrs; n++)
        v2_write_lr(n, 0);
}

static const struct gich_ops v2_ops = {
    .cpu_init = v2_cpu_init,
    .read_lr = v2_read_lr,
    .write_lr = v2_write_lr,
    .reuse_lr = v2_reuse_lr,
    .read_hcr = v2_read_hcr,
    .write_hcr = v2_write_hcr,
    .read_vmcr = v2_read_vmcr,
    .load = v2_load,
    .save = v2_save,
};

void gich_v2_init(void *regs, paddr_t gicv, uint32_t maintenance_irq)
{
    gich_regs = regs;
    gich = (struct gich){
        .ops = &v2_ops,
        .version = 2,
        .ap_registers = 1,
        .lrs = (unsigned)MIN(FIELD_GET(VTR_LIST_REGS, io_read32(gich_regs + GICH_VTR)) + 1,
                             GICH_MAX_LRS),
        .maintenance_irq = maintenance_irq,
        .gicv = gicv,
    };
}
