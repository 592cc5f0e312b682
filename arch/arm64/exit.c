/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit decoding: ESR_EL2's exception class leads to one handler (vectors.S), and each either
 * answers here (what has but one answer) or fills in a vm_exit and passes it on.
 */
#include <arch/cpu.h>
#include <arch/smccc.h>
#include <arch/vcpu.h>

#include "arch/arm64/arm64.h"
#include "arch/arm64/at.h"
#include "arch/arm64/emulate.h"
#include "arch/arm64/inject.h"
#include "arch/arm64/skip.h"
#include "arch/arm64/syndrome.h"
#include "arch/arm64/sysreg_trap.h"
#include "arch/bits.h"

#define ISS_IMM16 GENMASK(15, 0) /* of HVC and SMC */
#define ISS_WFE BIT(0)           /* rather than WFI */

/* Fault status: the level is in the low two bits. */
#define FSC_TYPE 0x3c
#define FSC_ADDRESS_SIZE 0x00
#define FSC_TRANSLATION 0x04
#define FSC_ACCESS_FLAG 0x08
#define FSC_PERMISSION 0x0c
#define FSC_MAPPED 0x38 /* one of these bits in all but address size and translation faults */

#define HPFAR_TO_IPA 8 /* FIPA begins at bit 4 with the IPA's bit 12; only it is not zero */

#define SMCCC_NOT_SUPPORTED (~0ULL)

static bool wfx(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr)
{
    arm64_skip(vcpu);
    exit->reason = esr & ISS_WFE ? VM_EXIT_YIELD : VM_EXIT_HALT;
    return answer(vcpu, exit);
}

/* Calls with the same answer for every guest, at any time. */
static inline bool answer_constant(struct hv_vcpu *vcpu)
{
    switch ((uint32_t)vcpu->x[0]) {
    case PSCI_VERSION: vcpu->x[0] = PSCI_VERSION_1_1; return true;
    case SMCCC_VERSION: vcpu->x[0] = SMCCC_VERSION_1_2; return true;
    default: return false;
    }
}

/* Any other immediate is nobody's: answered here, so that it reaches neither vm/ nor firmware. */
static inline bool call(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr,
                        bool smc)
{
    if (unlikely(esr & ISS_IMM16)) {
        vcpu->x[0] = SMCCC_NOT_SUPPORTED;
        return true;
    }
    if (answer_constant(vcpu))
        return true;
    exit->reason = VM_EXIT_HYPERCALL;
    exit->hypercall.smc = smc;
    return answer(vcpu, exit);
}

static bool hvc(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr)
{
    return call(vcpu, exit, answer, esr, false);
}

static bool smc(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr)
{
    arm64_skip(vcpu); /* a trapped SMC has not happened yet, unlike an HVC */
    return call(vcpu, exit, answer, esr, true);
}

/* Apart, so that the commonest needs no stack frame. */
static __attribute__((noinline)) bool other_sysreg(struct hv_vcpu *vcpu, struct vm_exit *exit,
                                                   hv_answer answer, uint64_t esr)
{
    if (sysreg_trap(vcpu, (uint32_t)(esr & ESR_ISS), exit))
        return true;
    arm64_skip_aarch64(vcpu);
    return answer(vcpu, exit);
}

static bool sysreg(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr)
{
    if (unlikely(!sysreg_is_sgi(esr)))
        return other_sysreg(vcpu, exit, answer, esr);
    sysreg_send(vcpu, esr, IPI_SGI1R, exit);
    arm64_skip_aarch64(vcpu);
    return answer(vcpu, exit);
}

status_t arm64_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out)
{
    const bool el0 = FIELD_GET(PSTATE_EL, vcpu->pstate) == 0;
    const bool write = access == VM_ACCESS_WRITE;
    const uint64_t par = arm64_at(
        el0 ? (write ? AT_EL0_WRITE : AT_EL0_READ) : (write ? AT_EL1_WRITE : AT_EL1_READ), gva);

    if (par & PAR_F)
        return ERR_NOT_FOUND;
    *out = gpa((par & PAR_PA) | (gva & PAGE_MASK));
    return OK;
}

/* The address that HPFAR_EL2 and FAR_EL2 tell. */
static gpa_t fault_ipa(uint64_t gva)
{
    const uint64_t page = sysreg_read(hpfar_el2) << HPFAR_TO_IPA;

    return gpa((page & ~(uint64_t)PAGE_MASK) | (gva & PAGE_MASK));
}

/*
 * Where a stage-2 fault was. HPFAR_EL2 holds the page, but not for a permission fault on an
 * access of the guest's own (Arm ARM D13.2.54): there its tables are asked again. As EL1,
 * which may read whatever is mapped: EL0 may have been allowed to execute only.
 */
static bool fault_address(const struct hv_vcpu *vcpu, uint64_t gva, bool permission, gpa_t *out)
{
    uint64_t par;

    if (!permission || (vcpu->esr & ISS_S1PTW)) {
        *out = fault_ipa(gva);
        return true;
    }
    par = arm64_at(AT_EL1_READ, gva);
    *out = gpa((par & PAR_PA) | (gva & PAGE_MASK));
    return !(par & PAR_F);
}

/* False: not mapped for the guest any more; it tries again and takes its own fault. */
static bool describe_abort(struct hv_vcpu *vcpu, struct vm_exit *exit, uint8_t access)
{
    const uint64_t iss = vcpu->esr & ESR_ISS;
    const uint64_t type = iss & FSC_TYPE;
    const uint64_t gva = sysreg_read(far_el2);

    exit->reason = VM_EXIT_MEMORY;
    exit->memory.gva = gva;
    exit->memory.access = access;
    exit->memory.permission = type == FSC_PERMISSION;
    exit->memory.table_walk = iss & ISS_S1PTW;
    exit->memory.decoded = false;
    exit->memory.external = type != FSC_PERMISSION && type != FSC_TRANSLATION &&
                            type != FSC_ACCESS_FLAG && type != FSC_ADDRESS_SIZE;
    return exit->memory.external ||
           fault_address(vcpu, gva, exit->memory.permission, &exit->memory.gpa);
}

static bool instruction_abort(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer,
                              uint64_t esr)
{
    (void)esr;
    return !describe_abort(vcpu, exit, VM_ACCESS_EXEC) || answer(vcpu, exit);
}

/*
 * Cache maintenance where stage 2 maps nothing, or nothing that may be written (DC IVAC wants
 * to): there is nothing of it in the caches, so it is done. Not what it did not come to.
 */
static bool is_idle_maintenance(uint64_t iss)
{
    const uint64_t type = iss & FSC_TYPE;

    return (iss & (ISS_CM | ISS_S1PTW)) == ISS_CM &&
           (type == FSC_TRANSLATION || type == FSC_PERMISSION);
}

static __attribute__((noinline)) bool other_data_abort(struct hv_vcpu *vcpu, struct vm_exit *exit,
                                                       hv_answer answer, uint64_t esr)
{
    const uint64_t iss = esr & ESR_ISS;
    const bool write = iss & ISS_WNR && !(iss & (ISS_CM | ISS_S1PTW));

    if (is_idle_maintenance(iss)) {
        arm64_skip(vcpu);
        return true;
    }
    if (!describe_abort(vcpu, exit, write ? VM_ACCESS_WRITE : VM_ACCESS_READ))
        return true;
    if (iss & ISS_ISV && !exit->memory.external) {
        exit->memory.decoded = true;
        exit->memory.size = 1u << FIELD_GET(ISS_SAS, iss);
        exit->memory.value = write ? arm64_write_value(vcpu) : 0;
    }
    return answer(vcpu, exit);
}

/* Apart, so that a read needs no stack frame. */
static __attribute__((noinline)) bool device_write(struct hv_vcpu *vcpu, struct vm_exit *exit,
                                                   hv_answer answer)
{
    exit->memory.access = VM_ACCESS_WRITE;
    exit->memory.value = arm64_write_value(vcpu);
    return answer(vcpu, exit);
}

/* Where nothing is mapped, with a syndrome: first of all a device. */
static inline bool device_access(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer,
                                 uint64_t esr)
{
    const uint64_t gva = sysreg_read(far_el2);

    exit->reason = VM_EXIT_MEMORY;
    exit->memory.gpa = fault_ipa(gva);
    exit->memory.gva = gva;
    exit->memory.size = 1u << FIELD_GET(ISS_SAS, esr);
    exit->memory.access = VM_ACCESS_READ;
    exit->memory.decoded = true;
    exit->memory.table_walk = exit->memory.permission = exit->memory.external = false;
    return esr & ISS_WNR ? device_write(vcpu, exit, answer) : answer(vcpu, exit);
}

/* Neither a table walk nor cache maintenance has a syndrome. */
static bool data_abort(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr)
{
    if (unlikely((esr & (ISS_ISV | FSC_MAPPED)) != ISS_ISV))
        return other_data_abort(vcpu, exit, answer, esr);
    return device_access(vcpu, exit, answer, esr);
}

/* A feature that the guest was told it does not have. */
static bool undefined(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer, uint64_t esr)
{
    (void)exit;
    (void)answer;
    (void)esr;
    arm64_inject_undef(vcpu);
    return true;
}

const arm64_exit arm64_exits[64] = {
    [EC_UNKNOWN] = undefined,
    [EC_WFX] = wfx,
    [EC_WFX + 1 ... EC_HVC64 - 1] = undefined,
    [EC_HVC64] = hvc,
    [EC_SMC64] = smc,
    [EC_SYSREG] = sysreg,
    [EC_SYSREG + 1 ... EC_INSTRUCTION_ABORT_LOWER - 1] = undefined,
    [EC_INSTRUCTION_ABORT_LOWER] = instruction_abort,
    [EC_INSTRUCTION_ABORT_LOWER + 1 ... EC_DATA_ABORT_LOWER - 1] = undefined,
    [EC_DATA_ABORT_LOWER] = data_abort,
    [EC_DATA_ABORT_LOWER + 1 ... 63] = undefined,
};

bool arm64_exit_irq(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer)
{
    exit->reason = VM_EXIT_IRQ;
    return answer(vcpu, exit);
}

bool arm64_exit_serror(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer)
{
    exit->reason = VM_EXIT_FATAL;
    exit->fatal.what = "SError: an access of this guest failed on the host's bus";
    exit->fatal.syndrome = vcpu->esr;
    return answer(vcpu, exit);
}
