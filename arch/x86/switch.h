/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State that neither VMCS nor VMCB holds, changed with the vCPU, never at an exit: the
 * hypervisor has no use for these registers while a guest is loaded.
 *
 *     x87, SSE, AVX, AVX-512   XRSTOR, XSAVE (FXRSTOR, FXSAVE where there is no XSAVE)
 *     XCR0                     the guest's while loaded
 *     DR0 to DR3, TSC_AUX
 */
#pragma once

#include <arch/vcpu.h>

/* Last in vcpu_load, first in vcpu_put. */
void x86_switch_in(const struct hv_vcpu *vcpu);
void x86_switch_out(struct hv_vcpu *vcpu);

/* The loaded vCPU writes XCR0. */
void x86_switch_xcr0(struct hv_vcpu *vcpu, uint64_t value);

/* The loaded vCPU's DR0 to DR3. */
void x86_switch_breakpoints(uint64_t address[4]);

/* Values after power-on. */
void x86_switch_reset(struct hv_vcpu *vcpu);

/*
 * Takes the loaded vCPU's XCR0 from the CPU: QEMU, as of 7.2, does not intercept XSETBV, so a
 * guest may have set it unnoticed.
 */
void x86_switch_note_xcr0(struct hv_vcpu *vcpu);
