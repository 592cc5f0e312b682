/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole VM over the real vm/ and kernel/, on two host CPUs in one thread that take turns at
 * its exits: where a CPU of the machine would be in its guest, and so holds no lock, the other
 * one may do anything. When somebody pauses, restarts or stops the VM is at random.
 *
 *     sched_turn -> vcpu_run of the fuzzer's hv_ops -> an exit -> vm/exit.c … -> and back
 *                       +-> world_between_exits: the other CPU's sched_turn, timers, management
 *
 * It fails when something spins for ever, when a lock is left held, when the VM does not come
 * to rest, or when it leaves memory behind.
 */
#pragma once

#include "vm/vm.h"

#define WORLD_CPUS 2

extern struct vm *world_vm;
extern unsigned world_exits_left; /* 0: each further one is to be VM_EXIT_YIELD */

/* What differs between architectures. */
struct world_ops {
    void (*switch_to)(unsigned cpu); /* the calls that follow are that CPU's; may be NULL */
    uint32_t (*pending)(void);       /* a host interrupt; IRQ_NONE */
    void (*activate)(uint32_t irq);  /* of the host's interrupt controller; NULL: none */
    void (*deactivate)(uint32_t irq);
};

/* Memory, CPUs, an interrupt controller, a console that nobody reads. Once. */
void world_make(const struct world_ops *ops);

/* A VM's life from creation to destruction, with so many exits at most. */
void world_live(const struct vm_config *config, unsigned exits);

/* In vcpu_run, before each exit and after it. */
void world_between_exits(void);
void world_check_locks(void);
