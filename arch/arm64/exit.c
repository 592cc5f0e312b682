/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit decoding: ESR_EL2's exception class leads to one handler, and each either answers
 * here (what is hot or has but one answer) or fills in a vm_exit.
 */
#include <arch/cpu.h>
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

#define HPFAR_FIPA GENMASK(43, 4)

#define SMCCC_NOT_SUPPORTED (~0ULL)

typedef bool (*ec_handler)(struct hv_vcpu *vcpu, struct vm_exit *exit);

static bool undefined(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    arm64_inject_undef(vcpu);
    return false;
}

static bool wfx(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    arm64_skip(vcpu);
    exit->reason = vcpu->esr & ISS_WFE ? VM_EXIT_YIELD : VM_EXIT_HALT;
    return true;
}

/* Any other immediate is nobody's: answered here, so that it reaches neither vm/ nor firmware. */
static bool call(struct hv_vcpu *vcpu, struct vm_exit *exit, bool smc)
{
    if (unlikely(vcpu->esr & ISS_IMM16)) {
        vcpu->x[0] = SMCCC_NOT_SUPPORTED;
        return false;
    }
    exit->reason = VM_EXIT_HYPERCALL;
    exit->hypercall.smc = smc;
    return true;
}

static bool hvc(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return call(vcpu, exit, false);
}

static bool smc(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    arm64_skip(vcpu); /* a trapped SMC has not happened yet, unlike an HVC */
    return call(vcpu, exit, true);
}

static bool sysreg(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    if (sysreg_trap(vcpu, (uint32_t)(vcpu->esr & ESR_ISS), exit))
        return false;
    arm64_skip(vcpu);
    return true;
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

/*
 * Where a stage-2 fault was. HPFAR_EL2 holds the page, but not for a permission fault on an
 * access of the guest's own (Arm ARM D13.2.54): there its tables are asked again.
 */
static status_t fault_address(struct hv_vcpu *vcpu, uint64_t gva, bool permission, gpa_t *out)
{
    if (permission && !(vcpu->esr & ISS_S1PTW))
        return arm64_translate(vcpu, gva, VM_ACCESS_READ, out);
    *out = gpa(FIELD_GET(HPFAR_FIPA, sysreg_read(hpfar_el2)) << PAGE_SHIFT | (gva & PAGE_MASK));
    return OK;
}

static bool memory_abort(struct hv_vcpu *vcpu, struct vm_exit *exit, uint8_t access)
{
    const uint64_t iss = vcpu->esr & ESR_ISS;
    const uint64_t type = iss & FSC_TYPE;
    const uint64_t gva = sysreg_read(far_el2);

    exit->memory.gva = gva;
    exit->memory.access = access;
    exit->memory.permission = type == FSC_PERMISSION;
    exit->memory.table_walk = iss & ISS_S1PTW;
    exit->memory.decoded = false;
    exit->memory.external = type != FSC_PERMISSION && type != FSC_TRANSLATION &&
                            type != FSC_ACCESS_FLAG && type != FSC_ADDRESS_SIZE;
    exit->reason = VM_EXIT_MEMORY;
    if (unlikely(exit->memory.external))
        return true;
    /* Not mapped for the guest any more: it tries again and takes its own fault. */
    return fault_address(vcpu, gva, exit->memory.permission, &exit->memory.gpa) == OK;
}

static bool instruction_abort(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    return memory_abort(vcpu, exit, VM_ACCESS_EXEC);
}

static bool data_abort(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const uint64_t iss = vcpu->esr & ESR_ISS;
    const bool write = iss & ISS_WNR && !(iss & (ISS_CM | ISS_S1PTW));

    if (!memory_abort(vcpu, exit, write ? VM_ACCESS_WRITE : VM_ACCESS_READ))
        return false;
    if (likely(iss & ISS_ISV)) {
        exit->memory.decoded = true;
        exit->memory.size = (uint8_t)(1 << FIELD_GET(ISS_SAS, iss));
        if (write)
            exit->memory.value = arm64_write_value(vcpu);
    }
    return true;
}

static const ec_handler ec_handlers[64] = {
    [0x01] = wfx,        [0x16] = hvc, [0x17] = smc, [0x18] = sysreg, [0x20] = instruction_abort,
    [0x24] = data_abort,
};

static bool sync(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    const ec_handler handler = ec_handlers[FIELD_GET(ESR_EC, vcpu->esr)];

    /* Every other class is a feature that the guest was told it does not have. */
    return handler != NULL ? handler(vcpu, exit) : undefined(vcpu, exit);
}

bool arm64_handle_exit(struct hv_vcpu *vcpu, enum arm64_exit kind, struct vm_exit *exit)
{
    if (likely(kind == ARM64_EXIT_SYNC))
        return sync(vcpu, exit);
    if (kind == ARM64_EXIT_IRQ) {
        exit->reason = VM_EXIT_IRQ;
        return true;
    }
    exit->reason = VM_EXIT_FATAL;
    exit->fatal.what = "SError: an access of this guest failed on the host's bus";
    exit->fatal.syndrome = vcpu->esr;
    return true;
}
