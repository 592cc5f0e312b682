/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's data and I/O breakpoints, looked at only while one is on. */
#pragma once

#include "arch/x86/guest.h"

#define DR7_ENABLED GENMASK(7, 0) /* L0, G0 to L3, G3 */

/* DR7 while a breakpoint is on, else 0. */
static inline uint64_t x86_watched(const struct hv_vcpu *vcpu)
{
    const uint64_t dr7 = x86_guest->get(vcpu, REG_DR7);

    return unlikely(dr7 & DR7_ENABLED) ? dr7 : 0;
}
