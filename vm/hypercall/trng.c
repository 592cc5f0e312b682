/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The True Random Number Generator firmware interface 1.0 (Arm DEN0098). Honestly a seeded
 * generator, not a noise source: see vm/hypercall/entropy.h for what it is worth.
 */

#include "kernel/lib/string.h"
#include "vm/hypercall/entropy.h"
#include "vm/hypercall/smccc.h"

#define TRNG_VERSION_1_0 0x10000
#define TRNG_INVALID_PARAMETERS (-2)
#define RND_REGISTERS 3

static enum vcpu_next trng_version(struct vcpu *vcpu)
{
    return smccc_return(vcpu, TRNG_VERSION_1_0);
}

static enum vcpu_next trng_features(struct vcpu *vcpu)
{
    const uint32_t id = (uint32_t)vcpu->hv.x[1];
    const uint32_t number =
        (id & (uint32_t)~SMCCC_64) - (uint32_t)SMCCC_ID(SMCCC_STANDARD, TRNG_FIRST);
    const bool known = number < TRNG_CALLS && smccc_find(id) != NULL;

    return smccc_return(vcpu, known ? SMCCC_SUCCESS : SMCCC_NOT_SUPPORTED);
}

/* Of this generator: 7d1ef2a9-52c4-4b86-8a0f-c2596e3d1b04. */
static enum vcpu_next trng_uuid(struct vcpu *vcpu)
{
    static const uint32_t uuid[4] = { 0x7d1ef2a9, 0x52c44b86, 0x8a0fc259, 0x6e3d1b04 };

    for (unsigned i = 0; i < ARRAY_SIZE(uuid); i++)
        vcpu->hv.x[i] = uuid[i];
    return VCPU_ENTER;
}

/* Bits asked for, the lowest in X3 and on into X2 and X1; the rest of them is 0. */
static enum vcpu_next rnd(struct vcpu *vcpu, unsigned width)
{
    uint64_t bits = smccc_arg(vcpu, 1);
    uint64_t random[RND_REGISTERS];

    if (bits == 0 || bits > (uint64_t)RND_REGISTERS * width)
        return smccc_return(vcpu, TRNG_INVALID_PARAMETERS);
    entropy_get(random, sizeof(random));
    for (unsigned i = 0; i < RND_REGISTERS; i++) {
        const uint64_t here = MIN(bits, width);

        vcpu->hv.x[RND_REGISTERS - i] = here == 0 ? 0 : random[i] & GENMASK(here - 1, 0);
        bits -= here;
    }
    memset(random, 0, sizeof(random));
    return smccc_return(vcpu, SMCCC_SUCCESS);
}

static enum vcpu_next trng_rnd32(struct vcpu *vcpu)
{
    return rnd(vcpu, 32);
}

static enum vcpu_next trng_rnd64(struct vcpu *vcpu)
{
    return rnd(vcpu, 64);
}

const struct smccc_call trng_calls[TRNG_CALLS] = {
    { { trng_version, NULL } },
    { { trng_features, NULL } },
    { { trng_uuid, NULL } },
    { { trng_rnd32, trng_rnd64 } },
};
