/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses that trapped, carried out for the guest. All for the vCPU that is loaded on
 * the calling CPU, with vcpu->esr of the exit.
 */
#pragma once

#include <stdint.h>

#include "arch/hv.h"

/*
 * Data aborts without a syndrome (ISV = 0): hv_ops.emulate. Registers change only when every
 * access has succeeded. A page of the access that the guest has not mapped: the guest gets a
 * data abort and the result is OK. Cache maintenance by address is skipped.
 * ERR_UNSUPPORTED: AArch32, or an instruction that insn_decode refuses. Others: from `bus`.
 */
status_t arm64_emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus);

/* Data aborts with a syndrome: what a store puts on the bus. */
uint64_t arm64_write_value(const struct hv_vcpu *vcpu);
