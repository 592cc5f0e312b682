/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EL2 backend: what vm/ asks of it, and which state changes hands when.
 *
 *     every exit           x0-x30, PC, PSTATE             vectors.S; an interrupt's: x0-x18, x30
 *     another vCPU loads   EL1 system registers, SIMD     here; breakpoints, if on: debug.c
 *     another VM loads     VTTBR_EL2                      here
 *     never                HCR_EL2 but for TWI and TWE, VTCR_EL2, MDCR_EL2, CPTR_EL2
 */
#include "arch/hv.h"

#include <arch/cpu.h>
#include <arch/vcpu.h>

#include "arch/arm64/arm64.h"
#include "arch/arm64/debug.h"
#include "arch/arm64/emulate.h"
#include "arch/arm64/idregs.h"
#include "arch/arm64/inject.h"
#include "arch/arm64/skip.h"
#include "arch/arm64/syndrome.h"
#include "arch/arm64/traps.h"
#include "arch/bits.h"
#include "arch/mmu.h"

#define SCTLR_EL1_RESET 0x00c50078ULL /* MMU and caches off, RES1 bits of ARMv8.0 */
#define PSTATE_RESET (PSTATE_EL1H | PSTATE_DAIF)
#define MPIDR_RES1 BIT(31)

/* HCR_EL2 (Arm ARM D13.2.48). A guest's TLB and cache maintenance is broadcast: FB, BSU. */
#define HCR_VM BIT(0)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_AMO BIT(5)
#define HCR_FB BIT(9)
#define HCR_BSU_INNER (1ULL << 10)
#define HCR_TWI BIT(13)
#define HCR_TWE BIT(14)
#define HCR_TSC BIT(19)
#define HCR_RW BIT(31)
#define HCR_GUEST \
    (HCR_VM | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_INNER | HCR_TSC | HCR_RW | HCR_TRAPS)

/* 40-bit guest-physical space from level 1 on, walks cached, inner-shareable (D13.2.155). */
#define VTCR_T0SZ 24
#define VTCR_SL0_LEVEL1 (1ULL << 6)
#define VTCR_WALK_WB (1ULL << 8 | 1ULL << 10 | 3ULL << 12)
#define VTCR_PS_SHIFT 16
#define VTCR_VS_16BIT BIT(19)
#define VTCR_RES1 BIT(31)

#define MMFR0_PARANGE GENMASK(3, 0)
#define MMFR0_TGRAN4 GENMASK(31, 28)
#define MMFR0_FGT GENMASK(59, 56)
#define MMFR1_HCX GENMASK(43, 40)
#define PFR1_SME GENMASK(27, 24)
#define PARANGE_40_BITS 2
#define PARANGE_48_BITS 5

static unsigned pa_range(void)
{
    return (unsigned)FIELD_GET(MMFR0_PARANGE, sysreg_read(id_aa64mmfr0_el1));
}

static status_t probe(const char **why)
{
    if (FIELD_GET(MMFR0_TGRAN4, sysreg_read(id_aa64mmfr0_el1)) == 0xf) {
        *why = "the CPU has no 4 KiB granule";
        return ERR_UNSUPPORTED;
    }
    if (pa_range() < PARANGE_40_BITS) {
        *why = "the CPU has fewer than 40 bits of physical address";
        return ERR_UNSUPPORTED;
    }
    return OK;
}

/* traps.h says why. The fine-grained ones have names that this assembler does not know. */
static void enable_traps(void)
{
    sysreg_write(mdcr_el2, (sysreg_read(mdcr_el2) & MDCR_HPMN) | MDCR_TRAPS);
    sysreg_write(cptr_el2, CPTR_TRAPS);
    sysreg_write(hstr_el2, HSTR_TRAPS);
    sysreg_write(cnthctl_el2, CNTHCTL_TRAPS);
    if (FIELD_GET(MMFR1_HCX, sysreg_read(id_aa64mmfr1_el1)) != 0)
        sysreg_write(s3_4_c1_c2_2, HCRX_TRAPS); /* HCRX_EL2 */
    if (FIELD_GET(MMFR0_FGT, sysreg_read(id_aa64mmfr0_el1)) != 0) {
        sysreg_write(s3_4_c1_c1_4, FGT_TRAPS); /* HFGRTR_EL2 */
        sysreg_write(s3_4_c1_c1_5, FGT_TRAPS); /* HFGWTR_EL2 */
        sysreg_write(s3_4_c1_c1_6, FGT_TRAPS); /* HFGITR_EL2 */
        sysreg_write(s3_4_c3_c1_4, FGT_TRAPS); /* HDFGRTR_EL2 */
        sysreg_write(s3_4_c3_c1_5, FGT_TRAPS); /* HDFGWTR_EL2 */
    }
}

static status_t cpu_enable(const char **why)
{
    const uint64_t ps = MIN(pa_range(), PARANGE_48_BITS);
    const status_t status = probe(why);

    if (status != OK)
        return status;
    sysreg_write(vtcr_el2, VTCR_T0SZ | VTCR_SL0_LEVEL1 | VTCR_WALK_WB | ps << VTCR_PS_SHIFT |
                               (arch_guest_tag_bits() == 16 ? VTCR_VS_16BIT : 0) | VTCR_RES1);
    enable_traps();
    sysreg_write(oslar_el1, 0); /* the OS lock would keep guests from single-stepping */
    sysreg_write(vpidr_el2, sysreg_read(midr_el1));
    arm64_idregs_note_cpu();
    isb();
    arch_guest_flush_everything();
    return OK;
}

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    const uint64_t vttbr = vcpu->vttbr;

    *vcpu = (struct hv_vcpu){
        .pc = reset->entry,
        .pstate = PSTATE_RESET,
        .vttbr = vttbr,
        .hcr = HCR_GUEST,
        .vmpidr = MPIDR_RES1 | reset->id,
        .el1.sctlr_el1 = SCTLR_EL1_RESET,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(reset->arg); i++)
        vcpu->x[i] = reset->arg[i];
}

static void vcpu_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag)
{
    vcpu->vttbr = (uint64_t)tag << 48 | root.raw;
    if (vcpu->loaded) {
        sysreg_write(vttbr_el2, vcpu->vttbr);
        isb();
    }
}

static bool has_sme(void)
{
    return FIELD_GET(PFR1_SME, sysreg_read(id_aa64pfr1_el1)) != 0;
}

static void el1_save(struct hv_vcpu *vcpu)
{
#define SAVE(name) vcpu->el1.name = sysreg_read(name);
    HV_EL1_REGS(SAVE)
#undef SAVE
    if (has_sme())
        vcpu->tpidr2_el0 = sysreg_read(s3_3_c13_c0_5);
}

static void el1_restore(const struct hv_vcpu *vcpu)
{
#define RESTORE(name) sysreg_write(name, vcpu->el1.name);
    HV_EL1_REGS(RESTORE)
#undef RESTORE
    if (has_sme())
        sysreg_write(s3_3_c13_c0_5, vcpu->tpidr2_el0);
}

/*
 * vCPUs of one VM share a VMID, yet may use an ASID for different things: what another left in
 * this CPU's TLB must go. VMPIDR_EL2 and VTTBR_EL2 still tell who was here last.
 */
static void enter_space(const struct hv_vcpu *vcpu)
{
    if (sysreg_read(vttbr_el2) == vcpu->vttbr && sysreg_read(vmpidr_el2) == vcpu->vmpidr)
        return;
    sysreg_write(vmpidr_el2, vcpu->vmpidr);
    sysreg_write(vttbr_el2, vcpu->vttbr);
    isb();
    __asm__ volatile("tlbi vmalle1");
    dsb(nsh);
}

static void vcpu_load(struct hv_vcpu *vcpu)
{
    enter_space(vcpu);
    if (sysreg_read(hcr_el2) != vcpu->hcr)
        sysreg_write(hcr_el2, vcpu->hcr);
    el1_restore(vcpu);
    if (unlikely(vcpu->el1.mdscr_el1 & MDSCR_MDE))
        arm64_debug_load(vcpu);
    arm64_fp_restore(&vcpu->fp);
    isb();
    vcpu->loaded = true;
}

static void vcpu_put(struct hv_vcpu *vcpu)
{
    vcpu->loaded = false;
    el1_save(vcpu);
    arm64_fp_save(&vcpu->fp);
}

static void vcpu_run(struct hv_vcpu *vcpu, hv_answer answer)
{
    struct vm_exit exit;

    arm64_run(vcpu, &exit, answer);
}

static void vcpu_trap_halt(struct hv_vcpu *vcpu, bool trap)
{
    vcpu->hcr = trap ? vcpu->hcr | HCR_TWI | HCR_TWE : vcpu->hcr & ~(HCR_TWI | HCR_TWE);
    sysreg_write(hcr_el2, vcpu->hcr);
    isb();
}

static void skip(struct hv_vcpu *vcpu)
{
    arm64_skip(vcpu);
}

static void inject_bus_fault(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    if (exit->memory.access == VM_ACCESS_EXEC)
        arm64_inject_instruction_abort(vcpu, exit->memory.gva, FSC_EXTERNAL);
    else
        arm64_inject_data_abort(vcpu, exit->memory.gva,
                                FSC_EXTERNAL |
                                    (exit->memory.access == VM_ACCESS_WRITE ? ISS_WNR : 0));
}

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    return vcpu->pc;
}

static uint64_t frame_pointer(const struct hv_vcpu *vcpu)
{
    return vcpu->x[29];
}

static const struct hv_ops el2_ops = {
    .name = "EL2",
    .probe = probe,
    .cpu_enable = cpu_enable,
    .vcpu_reset = vcpu_reset,
    .vcpu_set_space = vcpu_set_space,
    .vcpu_load = vcpu_load,
    .vcpu_put = vcpu_put,
    .vcpu_run = vcpu_run,
    .vcpu_trap_halt = vcpu_trap_halt,
    .emulate = arm64_emulate,
    .inject_bus_fault = inject_bus_fault,
    .skip = skip,
    .pc = pc,
    .frame_pointer = frame_pointer,
    .translate = arm64_translate,
    .describe = arm64_describe,
};

const struct hv_ops *hv = &el2_ops;

status_t arch_hv_select(const char **why)
{
    arm64_idregs_init();
    return el2_ops.probe(why);
}
