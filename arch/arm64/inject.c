/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception entry to a guest's EL1: AArch64.TakeException of the Arm ARM (J1.1.2).
 *
 *     VBAR_EL1 +0x000 from EL1 on SP_EL0    +0x200 from EL1 on SP_EL1
 *              +0x400 from AArch64 EL0      +0x600 from AArch32 EL0      (synchronous ones)
 */
#include "arch/arm64/inject.h"

#include <arch/cpu.h>
#include <arch/vcpu.h>

#include "arch/arm64/syndrome.h"

static bool from_el0(const struct hv_vcpu *vcpu)
{
    return (vcpu->pstate & PSTATE_EL) == 0;
}

static uint64_t vector_offset(const struct hv_vcpu *vcpu)
{
    if (vcpu->pstate & PSTATE_NRW)
        return 0x600;
    if (from_el0(vcpu))
        return 0x400;
    return (vcpu->pstate & PSTATE_SP) ? 0x200 : 0x000;
}

/* What is not carried over (IL, SS, UAO, BTYPE, and IT and T of AArch32) becomes 0. */
static uint64_t handler_pstate(uint64_t old, uint64_t sctlr)
{
    uint64_t pstate = PSTATE_EL1H | PSTATE_DAIF;

    pstate |= old & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN);
    if (!(sctlr & SCTLR_SPAN))
        pstate |= PSTATE_PAN;
    if (sctlr & SCTLR_DSSBS)
        pstate |= PSTATE_SSBS;
    return pstate;
}

static void take_exception(struct hv_vcpu *vcpu, enum esr_ec ec, uint32_t iss)
{
    /* IL: set for exceptions without a valid syndrome of an instruction; all of ours. */
    sysreg_write(esr_el1, FIELD_PREP(ESR_EC, ec) | ESR_IL | (iss & ESR_ISS));
    sysreg_write(elr_el1, vcpu->pc);
    sysreg_write(spsr_el1, vcpu->pstate);
    vcpu->pc = sysreg_read(vbar_el1) + vector_offset(vcpu);
    vcpu->pstate = handler_pstate(vcpu->pstate, sysreg_read(sctlr_el1));
}

void arm64_inject_undef(struct hv_vcpu *vcpu)
{
    take_exception(vcpu, EC_UNKNOWN, 0);
}

void arm64_inject_data_abort(struct hv_vcpu *vcpu, uint64_t far, uint32_t iss)
{
    sysreg_write(far_el1, far);
    take_exception(vcpu, from_el0(vcpu) ? EC_DATA_ABORT_LOWER : EC_DATA_ABORT, iss);
}

void arm64_inject_instruction_abort(struct hv_vcpu *vcpu, uint64_t far, uint32_t iss)
{
    sysreg_write(far_el1, far);
    take_exception(vcpu, from_el0(vcpu) ? EC_INSTRUCTION_ABORT_LOWER : EC_INSTRUCTION_ABORT, iss);
}
