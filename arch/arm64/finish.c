/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses of a guest that trapped with a syndrome: one register, no write-back. What
 * <arch/finish.h> does not do itself.
 */
#include <arch/cpu.h>
#include <arch/finish.h>

#include "arch/arm64/emulate.h"
#include "arch/arm64/endian.h"
#include "arch/arm64/skip.h"

static inline unsigned unused_bits(const struct hv_vcpu *vcpu)
{
    return 64 - (8u << FIELD_GET(ISS_SAS, vcpu->esr));
}

static uint64_t extend(const struct hv_vcpu *vcpu, uint64_t value)
{
    unsigned unused = unused_bits(vcpu);

    if (swaps_data(vcpu))
        value = __builtin_bswap64(value);
    else
        value <<= unused;
    value = (vcpu->esr & ISS_SSE) ? (uint64_t)((int64_t)value >> unused) : value >> unused;
    return (vcpu->esr & ISS_SF) ? value : (uint32_t)value;
}

__attribute__((noinline)) void arm64_finish_other_read(struct hv_vcpu *vcpu, uint64_t value)
{
    arm64_set_target(vcpu, extend(vcpu, value));
    arm64_skip(vcpu);
}

uint64_t arm64_write_value(const struct hv_vcpu *vcpu)
{
    size_t rt = FIELD_GET(ISS_SRT, vcpu->esr);
    uint64_t value = rt == 31 ? 0 : vcpu->x[rt];
    unsigned unused;

    if (likely(arm64_is_plain_word(vcpu)))
        return (uint32_t)value;
    unused = unused_bits(vcpu);
    return swaps_data(vcpu) ? __builtin_bswap64(value) >> unused : value << unused >> unused;
}

void arm64_skip_aarch32(struct hv_vcpu *vcpu)
{
    uint64_t it =
        FIELD_GET(PSTATE32_IT_HIGH, vcpu->pstate) << 2 | FIELD_GET(PSTATE32_IT_LOW, vcpu->pstate);

    /* ITAdvance(): the condition's top stays, the mask moves up until one bit is left. */
    it = (it & 7) ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
    vcpu->pc += (vcpu->esr & ESR_IL) ? 4 : 2;
    vcpu->pstate &= ~(PSTATE_SS | PSTATE32_IT_HIGH | PSTATE32_IT_LOW);
    vcpu->pstate |= FIELD_PREP(PSTATE32_IT_HIGH, it >> 2) | FIELD_PREP(PSTATE32_IT_LOW, it & 3);
}
