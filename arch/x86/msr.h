/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs: a line each says what a guest's access does. What has no line is #GP(0).
 */
#pragma once

#include <arch/vcpu.h>

#include <stdbool.h>

#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_TSC_ADJUST 0x3b
#define MSR_BIOS_SIGN 0x8b
#define MSR_MTRRCAP 0xfe
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_MCG_CAP 0x179
#define MSR_MISC_ENABLE 0x1a0
#define MSR_DEBUGCTL 0x1d9
#define MSR_MTRR_VARIABLE 0x200
#define MSR_PAT 0x277
#define MSR_MTRR_DEFAULT 0x2ff
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_TPR 0x808
#define MSR_X2APIC_LAST 0x8ff
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define PAT_RESET 0x0007040600070406ULL

enum x86_msr_result {
    MSR_DONE,  /* answered */
    MSR_FAULT, /* #GP(0) */
    MSR_MODEL, /* VM_EXIT_MSR: the interrupt controller's */
};

enum x86_msr_result x86_msr_read(struct hv_vcpu *vcpu, uint32_t index, uint64_t *value);
enum x86_msr_result x86_msr_write(struct hv_vcpu *vcpu, uint32_t index, uint64_t value);

/*
 * The MSRs that guests access without an exit, [first, last] by number in rising order; true
 * for each i from 0 on that exists. Backends switch what is behind them (TSC_AUX: switch.h).
 */
struct x86_msr_range {
    uint32_t first, last;
};
bool x86_msr_passed(unsigned i, struct x86_msr_range *out);

/* Values after power-on, as a PC's firmware leaves them. */
void x86_msr_reset(struct hv_vcpu *vcpu);
