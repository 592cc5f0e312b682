/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole VMs over the real vm/ and kernel/, on two host CPUs in one thread that take turns at
 * their exits: where a CPU of the machine would be in its guest, and so holds no lock, the
 * other one may do anything. When somebody pauses, restarts or replaces a VM is at random.
 *
 *     sched_turn -> vcpu_run of the fuzzer's hv_ops -> an exit -> vm/exit.c … -> and back
 *                       +-> world_between_exits: the other CPU's sched_turn, timers, management
 *
 * It fails when something spins for ever, when a lock is left held, when a VM does not come to
 * rest, or when it leaves memory behind.
 */
#pragma once

#include "vm/vm.h"

#define WORLD_CPUS 2

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

/* Lives of two VMs side by side, from creation to destruction, with so many exits at most.
 * `config`: of each that is made, but for its name. */
void world_live(struct vm_config (*config)(void), unsigned exits);

/* In vcpu_run, before each exit and after it. */
void world_between_exits(void);
void world_check_locks(void);
