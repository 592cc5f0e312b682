/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files that make up a VM's life share:
 *
 *     vm.c        the calls, each guarded by the table of states
 *     vm_list.c   which VMs there are, so that a stale pointer is refused, not followed
 *     vm_parts.c  what a VM is made of, made in order and unmade in reverse
 *     vm_end.c    parking, and what follows when the last vCPU has left its guest
 *
 * vm->lock guards state, end, active, every vCPU's parked and power. It is not held while a
 * VM is made, reset or unmade: `busy` keeps other calls away meanwhile.
 */
#pragma once

#include "vm/vm.h"

/* ERR_ALREADY_EXISTS: the name is taken. Gives vm->id. */
status_t vm_list_add(struct vm *vm);

/* Locks a VM that may be gone by now. ERR_NOT_FOUND: it is; nothing is locked. */
status_t vm_lock(struct vm *vm);
void vm_unlock(struct vm *vm);

/*
 * Locks a VM whose regions or ports are to change. ERR_BAD_STATE, logged: a vCPU may be in its
 * guest. ERR_NOT_FOUND, logged: the VM is gone.
 */
status_t vm_begin_regions(struct vm *vm);

/* The VM owns the device from here, if it did not; how many ranges it is attached to so far. */
uint8_t vm_own_device(struct vm *vm, struct vdev *dev);

/* As vm_lock, but only keeps it from being destroyed. */
status_t vm_pin(struct vm *vm);
void vm_unpin(struct vm *vm);

/* Off the list, then waits for pins. The VM is locked, and is unlocked on return. */
void vm_list_remove(struct vm *vm);

/* All parts of a new VM. On an error, logged, none is left. */
status_t vm_make_parts(struct vm *vm);
void vm_unmake_parts(struct vm *vm);

/* Devices and interrupt controller as at power-on. */
void vm_reset_machine(struct vm *vm);

/* Images into memory, and where the boot vCPU starts. */
status_t vm_load_guest(struct vm *vm);

/* The rest with vm->lock held. */

/* Runs the boot vCPU from its start; state RUNNING. ERR_NOT_FOUND: no CPU for it. */
status_t vm_start(struct vm *vm);

/* May its guest do anything: run, turn CPUs on, end? */
bool vm_is_alive(const struct vm *vm);

/* Is every vCPU to stay out of its guest? */
bool vm_is_parking(const struct vm *vm);

/* Asks every vCPU that is not parked to park. */
void vm_park_all(struct vm *vm);

/* Lets all parked vCPUs go on. */
void vm_unpark_all(struct vm *vm);

/* The VM stops running for this reason; STOPPING until all vCPUs are parked. */
void vm_begin_end(struct vm *vm, enum vm_end end);

/* For the run loop, without the lock. False: the VM no longer wants it parked. */
bool vm_vcpu_parked(struct vcpu *vcpu);
void vm_vcpu_powered_off(struct vcpu *vcpu);
/* It was run though parked or off: a wake-up that came late. It blocks now. */
void vm_vcpu_blocks(struct vcpu *vcpu);

/* Fresh memory, power-on state, images; then runs. The VM is busy, STOPPING, all vCPUs
 * retired, not locked. On an error it is CRASHED. */
status_t vm_start_again(struct vm *vm);

void vm_ended_work(struct sched_work *work);
void vm_shutdown_expired(struct timer *timer);
void vm_restart_due(struct timer *timer);
