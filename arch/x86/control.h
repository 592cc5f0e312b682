/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to control registers that exited, by the manuals' rules (SDM 3A 2.5, 4.1; APM 2 3.1).
 * Each returns false where the guest is to take #GP(0); nothing changed then.
 */
#pragma once

#include <arch/vcpu.h>

#include <stdbool.h>

/* Also EFER.LMA, as paging comes and goes. PAE's PDPTEs are the backend's to load. */
bool x86_set_cr0(struct hv_vcpu *vcpu, uint64_t value);
bool x86_set_cr4(struct hv_vcpu *vcpu, uint64_t value);
bool x86_set_efer(struct hv_vcpu *vcpu, uint64_t value);

/* XSETBV with the vCPU's ECX, EDX and EAX. The vCPU is loaded: the CPU's XCR0 changes. */
bool x86_xsetbv(struct hv_vcpu *vcpu);
