/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits: one table from reason to handler, which the run loop calls. Each runs with the vCPU
 * loaded on the calling CPU, with no lock held.
 */
#pragma once

#include "vm/vcpu.h"

typedef enum vcpu_next (*exit_handler)(struct vcpu *vcpu, const struct vm_exit *exit);

/* The architecture's: exit_arm64.c, exit_x86.c. */
extern const exit_handler exit_handlers[VM_EXIT_REASONS];

/* Rows that all of them have. */
enum vcpu_next exit_ipi(struct vcpu *vcpu, const struct vm_exit *exit);
enum vcpu_next exit_halt(struct vcpu *vcpu, const struct vm_exit *exit);
enum vcpu_next exit_yield(struct vcpu *vcpu, const struct vm_exit *exit);
enum vcpu_next exit_fatal(struct vcpu *vcpu, const struct vm_exit *exit);

/* A memory exit: RAM to commit, a device to ask, or nothing there. */
enum vcpu_next exit_memory(struct vcpu *vcpu, const struct vm_exit *exit);

/* What an emulated instruction's accesses reach: memory and devices, without ports. */
struct hv_bus exit_bus(struct vcpu *vcpu);

/* The architecture's hypercalls; arm64: SMCCC. */
enum vcpu_next vm_hypercall(struct vcpu *vcpu, const struct vm_exit *exit);

/* The report of a crash on the log: what, where, registers, code, callers, usual cause. */
void report_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what);
