/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two backends side by side. svm/ and vmx/ each export one; hv.c asks them in turn, and
 * everything above them is common:
 *
 *     cpuid.h  what CPUID tells            control.h  rules of CR0, CR4, EFER, XCR0
 *     msr.h    what an MSR access does     switch.h   XSAVE state, debug registers, TSC_AUX
 *     guest.h  registers, memory           exception.h  what exceptions become
 */
#pragma once

#include "arch/hv.h"
#include "arch/mmu.h"
#include "arch/x86/guest.h"

struct x86_backend {
    bool (*present)(void); /* does the CPU say it has the extension at all? ops->probe goes on */
    const struct hv_ops *ops;
    const struct x86_guest_ops *guest;
    const struct pt_format *(*format)(void); /* after its probe said OK */
};

extern const struct x86_backend svm_backend;
extern const struct x86_backend vmx_backend;

/* 3 pages of ones, page-aligned and contiguous: every port exits (IOPM; the first two for VMX). */
extern uint8_t x86_all_ports[3 * PAGE_SIZE];

/* What both backends' hv_ops.vcpu_reset do first; keeps the root and the tag. */
void x86_vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset);

/* And last: segments, control registers, RIP and so on by hv_reset.mode, through x86_guest. */
void x86_vcpu_reset_registers(struct hv_vcpu *vcpu, const struct hv_reset *reset);
