/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers that trap: MSR, MRS and SYS from AArch64, exception class 0x18. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hv_vcpu;
struct vm_exit;

/*
 * Answers the access that `iss` of ESR_EL2 describes, of the loaded vCPU. True: done, the PC
 * is behind it, or at the guest's handler of an undefined instruction. False: it sends an
 * interrupt; `exit` says so and the PC still stands at it.
 */
bool sysreg_trap(struct hv_vcpu *vcpu, uint32_t iss, struct vm_exit *exit);
