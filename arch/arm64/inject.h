/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions that a guest takes to its own EL1, as if its CPU had raised them.
 *
 * The vCPU is loaded on the calling CPU: EL1 registers are written there. The exception is
 * taken from vcpu->pc, which then is the guest's vector.
 */
#pragma once

#include <stdint.h>

struct hv_vcpu;

/* The instruction at the PC does not exist for this guest. */
void arm64_inject_undef(struct hv_vcpu *vcpu);

/*
 * Data or instruction abort. `far`: the faulting virtual address. `iss`: fault status and, for
 * data, WnR (syndrome.h).
 */
void arm64_inject_data_abort(struct hv_vcpu *vcpu, uint64_t far, uint32_t iss);
void arm64_inject_instruction_abort(struct hv_vcpu *vcpu, uint64_t far, uint32_t iss);
