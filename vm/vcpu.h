/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU: the backend's half (registers), the scheduler's half (when it runs), and
 * what is asked of it.
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/hv.h"
#include "kernel/sched.h"

struct vm;
struct virqchip_cpu; /* vm/irqchip/ */

/* What other CPUs ask of a vCPU; looked at before each entry. */
enum vcpu_request {
    VCPU_REQ_PARK = 1 << 0, /* leave the guest: the VM pauses, stops or ends */
    VCPU_REQ_IRQ = 1 << 1,  /* an interrupt became pending */
    VCPU_REQ_OFF = 1 << 2,  /* vcpu_turn_off */
};

enum vcpu_power { VCPU_OFF, VCPU_ON_PENDING, VCPU_ON };

/* What becomes of a vCPU when an exit has been handled. */
enum vcpu_next {
    VCPU_ENTER,     /* back into the guest */
    VCPU_YIELD,     /* its CPU to whoever waits for it */
    VCPU_HALT,      /* until an interrupt */
    VCPU_POWER_OFF, /* until another vCPU powers it on */
};

struct vcpu_stats {
    uint64_t exits[VM_EXIT_REASONS];
    uint64_t page_faults; /* of the memory exits: not a device, but memory to map */
    uint64_t injected;    /* interrupts made pending for it */
};

struct vcpu {
    struct hv_vcpu hv; /* first: assembly and C agree on its address */
    struct sched_entity sched;
    struct vm *vm;
    struct virqchip_cpu *irqchip; /* this vCPU's interface of vm->irqchip */
    const struct region *near;    /* where its last device access was: aspace_find_near */
    unsigned id;
    uint32_t requests; /* enum vcpu_request, atomic */
    bool parked;       /* by its VM; written under vm->lock */
    bool halted;       /* blocked in WFI or HLT: until virqchip_wakes */
    bool halt_trapped;
    enum vcpu_next next;   /* after the last exit */
    bool loaded;           /* the CPU's registers are its own; its home CPU's alone */
    uint8_t power;         /* enum vcpu_power; written under vm->lock but for PENDING -> ON */
    bool turning_off;      /* asked to; written under vm->lock, as is the next */
    bool start_again;      /* once it is off: it was powered on meanwhile */
    struct hv_reset start; /* for the next power-on; written while it is off or turning off */
    struct vcpu_stats stats;
};

/* How the guest names a vCPU: arm64's MPIDR affinity, 16 to a cluster. */
static inline uint64_t vcpu_hwid(unsigned id)
{
    return (uint64_t)(id >> 4) << 8 | (id & 0xf);
}

/* Sets requests and makes the vCPU look at them, wherever it is. */
void vcpu_request(struct vcpu *vcpu, uint32_t requests);

/* Everything after architectural reset, off. `vcpu` is zeroed; the VM is not running. */
void vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned id);

/* What the calling CPU is running; NULL in the loop itself. */
struct vcpu *vcpu_current(void);

/* What the scheduler calls to run vCPUs. */
extern const struct sched_ops vcpu_sched_ops;

/*
 * Starts it at `start` (whose id is filled in). ERR_ALREADY_EXISTS: on, or about to be.
 * ERR_BAD_STATE: its VM is ending. ERR_NOT_FOUND: no CPU that it may run on is online.
 */
status_t vcpu_power_on(struct vcpu *vcpu, const struct hv_reset *start);

/*
 * Another vCPU turns it off (x86's INIT): at its next entry at the latest. A power-on that comes
 * before that counts. Nothing happens if it is off.
 */
void vcpu_turn_off(struct vcpu *vcpu);

/* The guest cannot go on: a report on the log, then the VM's end. */
void vcpu_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what);
