/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor control interface as system registers (GIC architecture specification 12.4). */

#include <arch/cpu.h>
#include <arch/gich.h>

#define VTR_LIST_REGS GENMASK(4, 0) /* one less than there are */
#define VTR_PREBITS GENMASK(28, 26) /* one less than the bits of preemption priority */

#define SRE_EL1_ALL (BIT(2) | BIT(1) | BIT(0)) /* DIB, DFB, SRE */

#define FOR_EACH_LR(X) \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static uint64_t v3_read_lr(unsigned n)
{
    switch (n) {
#define READ_LR(i) \
    case i: return sysreg_read(ich_lr##i##_el2);
        FOR_EACH_LR(READ_LR)
#undef READ_LR
    default: return 0;
    }
}

static void v3_write_lr(unsigned n, uint64_t lr)
{
    switch (n) {
#define WRITE_LR(i) \
    case i: sysreg_write(ich_lr##i##_el2, lr); break;
        FOR_EACH_LR(WRITE_LR)
#undef WRITE_LR
    default: break;
    }
}

static __attribute__((noinline)) bool reuse_another_lr(unsigned n, uint64_t lr)
{
    switch (n) {
#define REUSE_LR(i)                                  \
    case i:                                          \
        if (sysreg_read(ich_lr##i##_el2) & LR_STATE) \
            return false;                            \
        sysreg_write(ich_lr##i##_el2, lr);           \
        return true;
        FOR_EACH_LR(REUSE_LR)
    default: return false;
    }
}

/* What is listed early, and then reused, has the first ones: they need no table of jumps. */
static bool v3_reuse_lr(unsigned n, uint64_t lr)
{
    switch (n) {
        REUSE_LR(0)
        REUSE_LR(1)
#undef REUSE_LR
    default: return reuse_another_lr(n, lr);
    }
}

static uint32_t v3_read_hcr(void)
{
    return (uint32_t)sysreg_read(ich_hcr_el2);
}

static void v3_write_hcr(uint32_t hcr)
{
    sysreg_write(ich_hcr_el2, hcr);
}

static uint32_t v3_read_vmcr(void)
{
    return (uint32_t)sysreg_read(ich_vmcr_el2);
}

static void v3_load(const struct gich_state *state)
{
    sysreg_write(icc_sre_el1, SRE_EL1_ALL);
    isb(); /* VMCR's meaning follows SRE */
    sysreg_write(ich_vmcr_el2, state->vmcr | VMCR_FIQEN);
    sysreg_write(ich_ap0r0_el2, state->ap0r[0]);
    sysreg_write(ich_ap1r0_el2, state->ap1r[0]);
    if (gich.ap_registers > 1) {
        sysreg_write(ich_ap0r1_el2, state->ap0r[1]);
        sysreg_write(ich_ap1r1_el2, state->ap1r[1]);
    }
    if (gich.ap_registers > 2) {
        sysreg_write(ich_ap0r2_el2, state->ap0r[2]);
        sysreg_write(ich_ap0r3_el2, state->ap0r[3]);
        sysreg_write(ich_ap1r2_el2, state->ap1r[2]);
        sysreg_write(ich_ap1r3_el2, state->ap1r[3]);
    }
}

static void v3_save(struct gich_state *state)
{
    state->vmcr = v3_read_vmcr();
    state->ap0r[0] = (uint32_t)sysreg_read(ich_ap0r0_el2);
    state->ap1r[0] = (uint32_t)sysreg_read(ich_ap1r0_el2);
    if (gich.ap_registers > 1) {
        state->ap0r[1] = (uint32_t)sysreg_read(ich_ap0r1_el2);
        state->ap1r[1] = (uint32_t)sysreg_read(ich_ap1r1_el2);
    }
    if (gich.ap_registers > 2) {
        state->ap0r[2] = (uint32_t)sysreg_read(ich_ap0r2_el2);
        state->ap0r[3] = (uint32_t)sysreg_read(ich_ap0r3_el2);
        state->ap1r[2] = (uint32_t)sysreg_read(ich_ap1r2_el2);
        state->ap1r[3] = (uint32_t)sysreg_read(ich_ap1r3_el2);
    }
}

static void v3_cpu_init(void)
{
    v3_write_hcr(0);
    for (unsigned n = 0; n < gich.lrs; n++)
        v3_write_lr(n, 0);
}

static const struct gich_ops v3_ops = {
    .cpu_init = v3_cpu_init,
    .read_lr = v3_read_lr,
    .write_lr = v3_write_lr,
    .reuse_lr = v3_reuse_lr,
    .read_hcr = v3_read_hcr,
    .write_hcr = v3_write_hcr,
    .read_vmcr = v3_read_vmcr,
    .load = v3_load,
    .save = v3_save,
};

void gich_v3_init(uint32_t maintenance_irq)
{
    uint64_t vtr = sysreg_read(ich_vtr_el2);

    gich = (struct gich){
        .ops = &v3_ops,
        .version = 3,
        .lrs = (unsigned)MIN(FIELD_GET(VTR_LIST_REGS, vtr) + 1, GICH_MAX_LRS),
        .ap_registers = 1u << (FIELD_GET(VTR_PREBITS, vtr) + 1 - 5), /* 32 levels each */
        .maintenance_irq = maintenance_irq,
        .hw_end = true,
    };
}
