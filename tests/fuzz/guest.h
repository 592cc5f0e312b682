/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest of a whole machine's fuzzer (world.h): the part of its backend, and of its exits,
 * that is the same for every machine.
 *
 *     vcpu_run:  world_between_exits -> guest_act -> guest_exit -> answer -> world_check_locks
 */
#pragma once

#include "arch/hv.h"
#include "vm/vm.h"

/* Each machine's fuzzer defines these. */
void guest_act(struct hv_vcpu *vcpu); /* what it does without an exit */
struct vm_exit guest_exit(struct hv_vcpu *vcpu);
gpa_t guest_address(void);    /* where a device, or the end of something, may be */
uint64_t guest_written(void); /* what it may write there */

/* An access to guest_address. */
struct vm_exit guest_memory_exit(void);

/* A small VM, without an image yet. */
struct vm_config guest_config(const char *machine);

void guest_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag);
void guest_load(struct hv_vcpu *vcpu);
void guest_put(struct hv_vcpu *vcpu);
void guest_run(struct hv_vcpu *vcpu, hv_answer answer);
void guest_trap_halt(struct hv_vcpu *vcpu, bool trap);
status_t guest_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out);
void guest_nothing(struct hv_vcpu *vcpu);
void guest_nothing_for_exit(struct hv_vcpu *vcpu, const struct vm_exit *exit);

/* Members of each machine's struct hv_ops. */
#define GUEST_OPS                                                                       \
    .name = "fuzz", .vcpu_set_space = guest_set_space, .vcpu_load = guest_load,         \
    .vcpu_put = guest_put, .vcpu_run = guest_run, .vcpu_trap_halt = guest_trap_halt,    \
    .finish_write = guest_nothing_for_exit, .inject_bus_fault = guest_nothing_for_exit, \
    .skip = guest_nothing, .translate = guest_translate
