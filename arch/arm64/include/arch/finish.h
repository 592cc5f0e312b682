/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of decoded accesses, with vcpu->esr of the exit. The commonest read by far, of a
 * little-endian word that is not sign-extended, is inline.
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/arm64/endian.h"
#include "arch/arm64/skip.h"
#include "arch/arm64/syndrome.h"
#include "arch/hv.h"

/* finish.c: any read. */
void arm64_finish_other_read(struct hv_vcpu *vcpu, uint64_t value);

static inline bool arm64_is_plain_word(const struct hv_vcpu *vcpu)
{
    return (vcpu->esr & (ISS_SAS | ISS_SSE)) == FIELD_PREP(ISS_SAS, 2) && !swaps_data(vcpu);
}

static inline void arm64_set_target(struct hv_vcpu *vcpu, uint64_t value)
{
    const size_t rt = FIELD_GET(ISS_SRT, vcpu->esr);

    if (rt != 31)
        vcpu->x[rt] = value;
}

static inline void hv_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    (void)exit;
    if (unlikely((vcpu->pstate & PSTATE_NRW) || !arm64_is_plain_word(vcpu))) {
        arm64_finish_other_read(vcpu, value);
        return;
    }
    arm64_set_target(vcpu, (uint32_t)value);
    arm64_skip_aarch64(vcpu);
}

static inline void hv_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    arm64_skip(vcpu);
}
