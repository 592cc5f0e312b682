/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a VM comes to rest, and what follows.
 *
 *     stop, crash, power-off, reset          vCPU: request seen, registers put away
 *        vm_begin_end: STOPPING                  |
 *        request PARK from every vCPU ---------->+ vm_vcpu_parked; the last one posts
 *                                                           |
 *     STOPPED, CRASHED  <---- restart policy <---- vm_ended_work, on a CPU's loop
 *     RUNNING again     <---------+
 *
 * Nobody waits: each step runs to completion, and the last vCPU to leave brings on the next.
 */

#include "kernel/log.h"
#include "kernel/percpu.h"
#include "vm/irqchip/irqchip.h"
#include "vm/lifecycle.h"

/* A guest that keeps crashing this soon after its start is given up. */
#define CRASH_LOOP_SECONDS 10
#define CRASH_LOOP_MAX 5

/*
 * A restart keeps a CPU busy with copying, and the guest does not pay for it out of its share.
 * One that ends again and again within a tenth of a second waits as long each time.
 */
#define SHORT_RUNS_FREE 8
#define SHORT_RUNS_A_SECOND 10

static void (*ended_hook)(struct vm *vm);

void vm_set_ended_hook(void (*hook)(struct vm *vm))
{
    ended_hook = hook;
}

bool vm_is_alive(const struct vm *vm)
{
    return vm->end == VM_END_NONE &&
           (vm->state == VM_RUNNING || vm->state == VM_PAUSED || vm->state == VM_STOPPING);
}

bool vm_is_parking(const struct vm *vm)
{
    return vm->state == VM_PAUSED || vm->end != VM_END_NONE;
}

static bool is_active(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->power, __ATOMIC_RELAXED) != VCPU_OFF && !vcpu->parked;
}

void vm_park_all(struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.cpus; i++)
        if (is_active(&vm->vcpus[i]))
            vcpu_request(&vm->vcpus[i], VCPU_REQ_PARK);
}

void vm_unpark_all(struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        struct vcpu *vcpu = &vm->vcpus[i];

        if (vcpu->power == VCPU_OFF || !vcpu->parked)
            continue;
        __atomic_store_n(&vcpu->parked, false, __ATOMIC_RELEASE);
        vm->active++;
        /* One that was powered on while the VM was paused has no home yet. */
        if (sched_start(&vcpu->sched) == ERR_BAD_STATE)
            sched_wake(&vcpu->sched);
    }
}

/* With the last active vCPU gone, an end that was asked for can go on. */
static void settle(struct vm *vm)
{
    if (vm->end != VM_END_NONE && vm->active == 0)
        (void)sched_post(this_cpu(), &vm->ended); /* still queued: it will run anyway */
}

void vm_begin_end(struct vm *vm, enum vm_end end)
{
    vm->end = end;
    vm->state = VM_STOPPING;
    vm_park_all(vm);
    settle(vm);
}

void vm_end_by_guest(struct vm *vm, enum vm_end end)
{
    spin_lock(&vm->lock);
    if (vm_is_alive(vm)) {
        vm->keep_down = vm->state == VM_STOPPING;
        vm_begin_end(vm, end);
    }
    spin_unlock(&vm->lock);
}

bool vm_vcpu_parked(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    bool parked;

    spin_lock(&vm->lock);
    parked = vm_is_parking(vm);
    if (parked && !vcpu->parked) {
        __atomic_store_n(&vcpu->parked, true, __ATOMIC_RELEASE);
        vm->active--;
        settle(vm);
    }
    spin_unlock(&vm->lock);
    return parked;
}

static bool all_off(const struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.cpus; i++)
        if (vm->vcpus[i].power != VCPU_OFF)
            return false;
    return true;
}

void vm_vcpu_powered_off(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    spin_lock(&vm->lock);
    __atomic_store_n(&vcpu->power, VCPU_OFF, __ATOMIC_RELEASE);
    vm->active--;
    if (vm->end == VM_END_NONE && all_off(vm)) {
        log_info("%s: its last CPU turned itself off: powered off", vm->config.name);
        vm->keep_down = vm->state == VM_STOPPING;
        vm_begin_end(vm, VM_END_POWER_OFF);
    } else {
        settle(vm);
    }
    spin_unlock(&vm->lock);
}

/*
 * Takes every vCPU from its home CPU. False: one is not blocked yet, and when it is, the work
 * is queued again. On its own home CPU it is in nobody's hands now, so it will be run once
 * more (a wake-up came late), and says so; on any other CPU that is not known: ask there.
 */
static bool retire_all(struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        struct sched_entity *entity = &vm->vcpus[i].sched;
        struct cpu *home = __atomic_load_n(&entity->cpu, __ATOMIC_ACQUIRE);

        if (home == NULL || sched_retire(entity) == OK)
            continue;
        if (home == this_cpu())
            vm->retiring = true;
        else
            (void)sched_post(home, &vm->ended);
        return false;
    }
    return true;
}

void vm_vcpu_blocks(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    spin_lock(&vm->lock);
    if (vm->retiring) {
        vm->retiring = false;
        (void)sched_post(this_cpu(), &vm->ended);
    }
    spin_unlock(&vm->lock);
}

/* False: its timer fires on another CPU at this moment. */
static bool forget_shutdown(struct vm *vm)
{
    if (vm->shutdown_asked && timer_cancel(&vm->shutdown_timer))
        vm->shutdown_asked = false;
    return !vm->shutdown_asked;
}

/* Nobody holds on to the VM any more. False: when that is so, the work is queued again. */
static bool is_at_rest(struct vm *vm)
{
    if (!retire_all(vm))
        return false;
    if (forget_shutdown(vm))
        return true;
    (void)sched_post(this_cpu(), &vm->ended); /* in the next turn that will be over */
    return false;
}

static bool gives_up(struct vm *vm)
{
    const uint64_t ran = arch_counter() - vm->started;

    vm->crashes = ran < CRASH_LOOP_SECONDS * arch_counter_hz() ? (uint8_t)(vm->crashes + 1) : 1;
    if (vm->crashes < CRASH_LOOP_MAX)
        return false;
    log_error("%s: crashed %u times in a row within %u s of its start: left crashed; mend the "
              "guest, then restart it",
              vm->config.name, vm->crashes, CRASH_LOOP_SECONDS);
    return true;
}

static bool starts_again(struct vm *vm)
{
    if (vm->keep_down || vm->end == VM_END_STOP)
        return false;
    if (vm->end == VM_END_RESET)
        return true;
    if (vm->end == VM_END_CRASH)
        return vm->config.restart != VM_RESTART_NEVER && !gives_up(vm);
    return vm->config.restart == VM_RESTART_ALWAYS;
}

static void reset_vcpus(struct vm *vm)
{
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        struct vcpu *vcpu = &vm->vcpus[i];

        __atomic_store_n(&vcpu->power, VCPU_OFF, __ATOMIC_RELEASE);
        __atomic_store_n(&vcpu->parked, false, __ATOMIC_RELEASE);
        vcpu->halted = false;
        __atomic_store_n(&vcpu->requests, 0, __ATOMIC_RELAXED);
    }
}

status_t vm_start_again(struct vm *vm)
{
    status_t status;

    reset_vcpus(vm);
    vm->strays = 0;
    vm_reset_machine(vm);
    status = aspace_clear(&vm->space);
    if (status == OK)
        status = vm_load_guest(vm);

    spin_lock(&vm->lock);
    vm->busy = false;
    vm->end = VM_END_NONE;
    vm->keep_down = false;
    if (status == OK)
        status = vm_start(vm);
    if (status != OK)
        vm->state = VM_CRASHED;
    spin_unlock(&vm->lock);
    if (status == OK)
        log_info("%s: restarted", vm->config.name);
    else
        log_error("%s: cannot be restarted: %s", vm->config.name, status_str(status));
    return status;
}

/* Reset, its devices' timers no longer keep a CPU busy. The VM is busy for other calls. */
static void come_to_rest(struct vm *vm)
{
    vm_reset_machine(vm);
    spin_lock(&vm->lock);
    vm->busy = false;
    vm->state = vm->end == VM_END_CRASH ? VM_CRASHED : VM_STOPPED;
    log_info("%s: %s", vm->config.name, vm_state_name(vm->state));
    vm->end = VM_END_NONE;
    vm->keep_down = false;
    reset_vcpus(vm);
    spin_unlock(&vm->lock);
}

/* Puts the rest off to the timer, if this guest keeps ending. */
static bool put_off(struct vm *vm)
{
    const uint64_t now = arch_counter(), little = arch_counter_hz() / SHORT_RUNS_A_SECOND;

    if (vm->delayed || now - vm->started >= little) {
        vm->short_runs = vm->delayed ? vm->short_runs : 0;
        vm->delayed = false;
        return false;
    }
    if (vm->short_runs < SHORT_RUNS_FREE) {
        vm->short_runs++;
        return false;
    }
    vm->delayed = true;
    timer_arm(&vm->restart_timer, now + little);
    return true;
}

void vm_restart_due(struct timer *timer)
{
    struct vm *vm = container_of(timer, struct vm, restart_timer);

    (void)sched_post(this_cpu(), &vm->ended);
}

void vm_ended_work(struct sched_work *work)
{
    struct vm *vm = container_of(work, struct vm, ended);
    bool again;

    spin_lock(&vm->lock);
    if (!is_at_rest(vm) || (vm->end != VM_END_STOP && put_off(vm))) {
        spin_unlock(&vm->lock);
        return;
    }
    again = starts_again(vm);
    vm->busy = true;
    spin_unlock(&vm->lock);
    if (!again)
        come_to_rest(vm);
    else if (vm_start_again(vm) == OK)
        return;
    if (ended_hook != NULL)
        ended_hook(vm);
}

void vm_shutdown_expired(struct timer *timer)
{
    struct vm *vm = container_of(timer, struct vm, shutdown_timer);

    if (vm_lock(vm) != OK)
        return;
    vm->shutdown_asked = false;
    if (vm->state == VM_STOPPING && vm->end == VM_END_NONE) {
        log_warn("%s: did not shut down in time: stopped", vm->config.name);
        vm_begin_end(vm, VM_END_STOP);
    }
    vm_unlock(vm);
}
