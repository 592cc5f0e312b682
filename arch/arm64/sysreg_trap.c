/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy for trapped system registers, a line for each; what has no line is UNDEF. Which
 * accesses trap at all is decided in traps.h.
 *
 *     ISS   21:20 19:17 16:14 13:10 9:5 4:1  0
 *           op0   op2   op1   CRn   Rt  CRm  1 = read
 */
#include "arch/arm64/sysreg_trap.h"

#include <arch/cpu.h>

#include "arch/arm64/debug.h"
#include "arch/arm64/idregs.h"
#include "arch/arm64/inject.h"
#include "arch/arm64/skip.h"

#define ICC_ASGI1R SYSREG(3, 0, 12, 11, 6)
#define ICC_SGI0R SYSREG(3, 0, 12, 11, 7)
#define MDSCR_EL1 SYSREG(2, 0, 0, 2, 2)

#define OSLSR_IMPLEMENTED 0x8    /* and not locked */
#define ICC_SRE_SYSREGS_ONLY 0x7 /* SRE, DFB, DIB */
#define DBGCLAIM_TAGS 0xff

/* NULL: UNDEF in that direction. */
struct sysreg {
    uint32_t encoding;
    uint64_t (*read)(void);
    void (*write)(uint64_t value);
};

static uint64_t zero(void)
{
    return 0;
}

static void ignore(uint64_t value)
{
    (void)value;
}

static uint64_t read_oslsr(void)
{
    return OSLSR_IMPLEMENTED;
}

static uint64_t read_dbgclaimset(void)
{
    return DBGCLAIM_TAGS;
}

static uint64_t read_icc_sre(void)
{
    return ICC_SRE_SYSREGS_ONLY;
}

static uint64_t read_revidr(void)
{
    return sysreg_read(revidr_el1);
}

static uint64_t read_aidr(void)
{
    return sysreg_read(aidr_el1);
}

/* clang-format off */
static const struct sysreg sysregs[] = {
    { SYSREG(2, 0, 0, 0, 2),    zero,             ignore },      /* OSDTRRX_EL1 */
    { SYSREG(2, 0, 0, 2, 0),    zero,             ignore },      /* MDCCINT_EL1 */
    { SYSREG(2, 0, 0, 3, 2),    zero,             ignore },      /* OSDTRTX_EL1 */
    { SYSREG(2, 0, 0, 6, 2),    zero,             ignore },      /* OSECCR_EL1 */
    { SYSREG(2, 0, 1, 0, 0),    zero,             NULL },        /* MDRAR_EL1 */
    { SYSREG(2, 0, 1, 0, 4),    NULL,             ignore },      /* OSLAR_EL1 */
    { SYSREG(2, 0, 1, 1, 4),    read_oslsr,       NULL },        /* OSLSR_EL1 */
    { SYSREG(2, 0, 1, 3, 4),    zero,             ignore },      /* OSDLR_EL1 */
    { SYSREG(2, 0, 1, 4, 4),    zero,             ignore },      /* DBGPRCR_EL1 */
    { SYSREG(2, 0, 7, 8, 6),    read_dbgclaimset, ignore },      /* DBGCLAIMSET_EL1 */
    { SYSREG(2, 0, 7, 9, 6),    zero,             ignore },      /* DBGCLAIMCLR_EL1 */
    { SYSREG(2, 0, 7, 14, 6),   zero,             NULL },        /* DBGAUTHSTATUS_EL1 */
    { SYSREG(2, 3, 0, 1, 0),    zero,             NULL },        /* MDCCSR_EL0 */
    { SYSREG(2, 3, 0, 4, 0),    zero,             ignore },      /* DBGDTR_EL0 */
    { SYSREG(2, 3, 0, 5, 0),    zero,             ignore },      /* DBGDTRRX_EL0, DBGDTRTX_EL0 */
    { SYSREG(3, 0, 0, 0, 6),    read_revidr,      NULL },        /* REVIDR_EL1 */
    { SYSREG(3, 1, 0, 0, 7),    read_aidr,        NULL },        /* AIDR_EL1 */
    { SYSREG(3, 0, 1, 0, 1),    zero,             ignore },      /* ACTLR_EL1 */
    { SYSREG(3, 0, 12, 12, 5),  read_icc_sre,     ignore },      /* ICC_SRE_EL1 */
};
/* clang-format on */

static void set_register(struct hv_vcpu *vcpu, uint32_t iss, uint64_t value)
{
    unsigned rt = (unsigned)FIELD_GET(ISS_RT, iss);

    if (rt != 31)
        vcpu->x[rt] = value;
}

/* S3_0_C0_C1_0 to S3_0_C0_C7_7. */
static bool is_id_register(uint32_t encoding)
{
    unsigned crm = (unsigned)FIELD_GET(ISS_CRM, encoding);

    return (encoding & ~(ISS_CRM | ISS_OP2)) == SYSREG(3, 0, 0, 0, 0) && crm >= 1 && crm <= 7;
}

/* MDSCR_EL1: software step, and breakpoints on or off. The rest is an external debugger's. */
static bool mdscr(struct hv_vcpu *vcpu, uint32_t iss)
{
    const uint64_t value = sysreg_value(vcpu, iss);

    if (iss & ISS_READ) {
        set_register(vcpu, iss, sysreg_read(mdscr_el1));
        return true;
    }
    if (value & MDSCR_MDE)
        arm64_debug_load(vcpu);
    sysreg_write(mdscr_el1, value & (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE));
    return true;
}

/* DBGBVR, DBGBCR, DBGWVR, DBGWCR<n>_EL1: n is in CRm, which of them in op2, from 4 on. */
static bool is_breakpoint(uint32_t encoding)
{
    return (encoding & ~(ISS_CRM | ISS_OP2)) == SYSREG(2, 0, 0, 0, 0) &&
           FIELD_GET(ISS_OP2, encoding) >= 4;
}

static bool breakpoint(struct hv_vcpu *vcpu, uint32_t iss)
{
    const enum arm64_debug kind = (enum arm64_debug)(FIELD_GET(ISS_OP2, iss) - 4);
    const unsigned n = (unsigned)FIELD_GET(ISS_CRM, iss);
    uint64_t value = sysreg_value(vcpu, iss);

    if (!(iss & ISS_READ))
        return arm64_debug_write(vcpu, kind, n, value);
    if (!arm64_debug_read(vcpu, kind, n, &value))
        return false;
    set_register(vcpu, iss, value);
    return true;
}

static const struct sysreg *find(uint32_t encoding)
{
    for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
        if (sysregs[i].encoding == encoding)
            return &sysregs[i];
    return NULL;
}

/* False: UNDEF. */
static bool read_register(struct hv_vcpu *vcpu, uint32_t iss)
{
    uint32_t encoding = iss & ISS_REGISTER;
    const struct sysreg *reg;

    if (is_id_register(encoding)) {
        set_register(
            vcpu, iss,
            arm64_idreg((unsigned)FIELD_GET(ISS_CRM, iss), (unsigned)FIELD_GET(ISS_OP2, iss)));
        return true;
    }
    reg = find(encoding);
    if (!reg || !reg->read)
        return false;
    set_register(vcpu, iss, reg->read());
    return true;
}

static bool write_register(struct hv_vcpu *vcpu, uint32_t iss)
{
    const struct sysreg *reg = find(iss & ISS_REGISTER);

    if (!reg || !reg->write)
        return false;
    reg->write(sysreg_value(vcpu, iss));
    return true;
}

/* False: UNDEF. */
static bool access_register(struct hv_vcpu *vcpu, uint32_t iss)
{
    if (is_breakpoint(iss & ISS_REGISTER))
        return breakpoint(vcpu, iss);
    if ((iss & ISS_REGISTER) == MDSCR_EL1)
        return mdscr(vcpu, iss);
    return (iss & ISS_READ) ? read_register(vcpu, iss) : write_register(vcpu, iss);
}

bool sysreg_trap(struct hv_vcpu *vcpu, uint32_t iss, struct vm_exit *exit)
{
    /* The direction is 0, a write, in the names of the ICC registers: reading them is UNDEF. */
    switch (iss & (ISS_REGISTER | ISS_READ)) { /* reading these is UNDEF */
    case ICC_SGI1R: sysreg_send(vcpu, iss, IPI_SGI1R, exit); return false;
    case ICC_ASGI1R: sysreg_send(vcpu, iss, IPI_ASGI1R, exit); return false;
    case ICC_SGI0R: sysreg_send(vcpu, iss, IPI_SGI0R, exit); return false;
    default: break;
    }
    if (access_register(vcpu, iss))
        arm64_skip_aarch64(vcpu);
    else
        arm64_inject_undef(vcpu);
    return true;
}
