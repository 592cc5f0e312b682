/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits: one table from reason to handler, which the run loop calls. Each runs with the vCPU
 * loaded on the calling CPU, with no lock held.
 */
#pragma once

#include "vm/vcpu.h"

typedef enum vcpu_next (*exit_handler)(struct vcpu *vcpu, const struct vm_exit *exit);

extern const exit_handler exit_handlers[VM_EXIT_REASONS];

/* A memory exit: RAM to commit, a device to ask, or nothing there. */
enum vcpu_next exit_memory(struct vcpu *vcpu, const struct vm_exit *exit);

/* The architecture's hypercalls; arm64: SMCCC. */
enum vcpu_next vm_hypercall(struct vcpu *vcpu, const struct vm_exit *exit);

/* The report of a crash on the log: what, where, registers, code, callers, usual cause. */
void report_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what);
