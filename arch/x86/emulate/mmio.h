/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores of devices that are made again and again: decoded once, then recalled by
 * their address, for as long as they are provably the same instruction. 64-bit code only.
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/hv.h"

/*
 * Of a memory exit in 64-bit code at `rip`: true where the instruction is known; then size and
 * value of exit->memory are filled in, and vcpu->mmio says how it ends (length, register).
 */
bool x86_mmio_recall(struct hv_vcpu *vcpu, uint64_t rip, uint64_t cr3, struct vm_exit *exit);

/* An exit at `rip` is not the instruction's, but of an event's delivery: it recalls nothing. */
void x86_mmio_forget(struct hv_vcpu *vcpu, uint64_t rip);

/*
 * Remembers the instruction at RIP, which accesses a device, if it is a plain one, and no
 * breakpoint is on. What is remembered already meets none that is set later.
 */
void x86_mmio_learn(struct hv_vcpu *vcpu);
