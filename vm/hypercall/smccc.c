/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dispatcher of arm64 hypercalls, and those that tell about the convention itself. HVC
 * and SMC are answered alike; nothing is ever passed on to the host's firmware.
 */

#include "vm/hypercall/smccc.h"

#include "vm/exit.h"

#define CALL_COUNT 0xff00
#define CALL_UID 0xff01
#define CALL_REVISION 0xff03

#define REVISION_MAJOR 1
#define REVISION_MINOR 0

static enum vcpu_next version(struct vcpu *vcpu)
{
    return smccc_return(vcpu, SMCCC_VERSION_1_2);
}

static enum vcpu_next arch_features(struct vcpu *vcpu);

/* The workarounds (0x8000 down) and SOC_ID are absent: their firmware is not ours to call. */
static const struct smccc_call arch_calls[] = {
    [0] = { { version, NULL } },
    [1] = { { arch_features, NULL } },
};

static enum vcpu_next arch_features(struct vcpu *vcpu)
{
    const uint32_t id = (uint32_t)vcpu->hv.x[1];
    const bool known = FIELD_GET(SMCCC_OWNER, id) == SMCCC_ARCH && smccc_find(id) != NULL;

    return smccc_return(vcpu, known ? SMCCC_SUCCESS : SMCCC_NOT_SUPPORTED);
}

/* Socle's: b0a4ecf6-3a5e-4c0d-9f3e-736f636c6501. */
static enum vcpu_next hypervisor_uid(struct vcpu *vcpu)
{
    static const uint32_t uid[4] = { 0xf6eca4b0, 0x0d4c5e3a, 0x6f733e9f, 0x01656c63 };

    for (unsigned i = 0; i < ARRAY_SIZE(uid); i++)
        vcpu->hv.x[i] = uid[i];
    return VCPU_ENTER;
}

static enum vcpu_next hypervisor_count(struct vcpu *vcpu)
{
    return smccc_return(vcpu, 3);
}

static enum vcpu_next hypervisor_revision(struct vcpu *vcpu)
{
    vcpu->hv.x[1] = REVISION_MINOR;
    return smccc_return(vcpu, REVISION_MAJOR);
}

static const struct smccc_call hypervisor_calls[] = {
    [CALL_COUNT - CALL_COUNT] = { { hypervisor_count, NULL } },
    [CALL_UID - CALL_COUNT] = { { hypervisor_uid, NULL } },
    [CALL_REVISION - CALL_COUNT] = { { hypervisor_revision, NULL } },
};

/* Ranges of function numbers, the 32-bit id of each one's first. */
static const struct range {
    uint32_t first;
    uint32_t count;
    const struct smccc_call *calls;
} ranges[] = {
    { SMCCC_ID(SMCCC_STANDARD, TRNG_FIRST), TRNG_CALLS, trng_calls },
    { SMCCC_ID(SMCCC_ARCH, 0), ARRAY_SIZE(arch_calls), arch_calls },
    { SMCCC_ID(SMCCC_HYPERVISOR, CALL_COUNT), ARRAY_SIZE(hypervisor_calls), hypervisor_calls },
};

/* PSCI first and directly: it is what guests call while they run. */
smccc_handler smccc_find(uint32_t id)
{
    const uint32_t id32 = id & (uint32_t)~SMCCC_64;
    const unsigned width = (id & SMCCC_64) != 0;
    const uint32_t psci = id32 - (uint32_t)SMCCC_ID(SMCCC_STANDARD, 0);

    if (likely(psci < PSCI_CALLS))
        return psci_calls[psci].handler[width];
    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++)
        if (id32 - ranges[i].first < ranges[i].count)
            return ranges[i].calls[id32 - ranges[i].first].handler[width];
    return NULL;
}

enum vcpu_next vm_hypercall(struct vcpu *vcpu, const struct vm_exit *exit)
{
    const smccc_handler handler = smccc_find((uint32_t)vcpu->hv.x[0]);

    (void)exit;
    return likely(handler != NULL) ? handler(vcpu) : smccc_return(vcpu, SMCCC_NOT_SUPPORTED);
}
