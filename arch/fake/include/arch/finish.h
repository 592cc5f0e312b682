/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of decoded accesses: fake_hv.c's. */
#pragma once

#include "arch/hv.h"

static inline void hv_finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    hv->finish_read(vcpu, exit, value);
}

static inline void hv_finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    hv->finish_write(vcpu, exit);
}
