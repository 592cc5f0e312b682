/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU on its CPU: the scheduler loads it, runs it, and puts it away. The run loop is the
 * path of every exit, so it keeps to what each one needs.
 *
 *     begin --> [ leave? requests? ] --> guest <--> exit handler --+--> halt, off, parked
 *                  ^                                               |
 *                  +-------- any of them is to be looked at -------+
 *
 * Only the vCPU's home CPU loads or puts it, and it tells its VM that it is parked or off
 * only after its registers are back in memory. Whoever sees that may change them.
 */

#include "vm/vcpu.h"

#include "kernel/log.h"
#include "kernel/percpu.h"
#include "vm/exit.h"
#include "vm/irqchip/irqchip.h"
#include "vm/lifecycle.h"
#include "vm/vm.h"

static struct vcpu *from_entity(struct sched_entity *entity)
{
    return container_of(entity, struct vcpu, sched);
}

struct vcpu *vcpu_current(void)
{
    struct sched_entity *entity = this_cpu()->sched.current;

    return entity != NULL ? from_entity(entity) : NULL;
}

/* One that is in its run loop on the calling CPU looks at its requests anyway. */
void vcpu_request(struct vcpu *vcpu, uint32_t requests)
{
    __atomic_fetch_or(&vcpu->requests, requests, __ATOMIC_SEQ_CST);
    if (this_cpu()->sched.current != &vcpu->sched || !vcpu->loaded)
        sched_wake(&vcpu->sched);
}

void vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned id)
{
    const struct vm_config *config = &vm->config;

    vcpu->vm = vm;
    vcpu->id = id;
    vcpu->near = &vm->space.regions[0];
    vcpu->power = VCPU_OFF;
    vcpu->start.id = vcpu_hwid(id);
    vcpu->start.cpus = config->cpus;
    sched_entity_init(&vcpu->sched, &vcpu_sched_ops,
                      config->affinity != 0 ? config->affinity : UINT64_MAX, config->priority,
                      config->slice_ns != 0 ? config->slice_ns : SCHED_SLICE_DEFAULT_NS);
    hv->vcpu_reset(&vcpu->hv, &vcpu->start);
    hv->vcpu_set_space(&vcpu->hv, vm->space.stage2.root, vm->space.stage2.tag);
}

static void vcpu_load(struct vcpu *vcpu)
{
    hv->vcpu_load(&vcpu->hv);
    virqchip_load(vcpu);
    vcpu->halt_trapped = sched_contended(&this_cpu()->sched);
    hv->vcpu_trap_halt(&vcpu->hv, vcpu->halt_trapped);
    vcpu->loaded = true;
}

static void vcpu_put(struct vcpu *vcpu)
{
    if (!vcpu->loaded)
        return;
    vcpu->loaded = false;
    virqchip_put(vcpu);
    hv->vcpu_put(&vcpu->hv);
}

/* Its registers into the CPU; first their reset values after a power-on. False: not to run. */
static bool vcpu_begin(struct vcpu *vcpu)
{
    const struct page_table *space = &vcpu->vm->space.stage2;
    /* In this order: at a VM's end they are written in the other. */
    const bool parked = __atomic_load_n(&vcpu->parked, __ATOMIC_ACQUIRE);
    const uint8_t power = __atomic_load_n(&vcpu->power, __ATOMIC_ACQUIRE);

    if (parked || power == VCPU_OFF)
        return false;
    if (power == VCPU_ON_PENDING) {
        hv->vcpu_reset(&vcpu->hv, &vcpu->start);
        hv->vcpu_set_space(&vcpu->hv, space->root, space->tag);
        virqchip_reset_vcpu(vcpu);
        __atomic_store_n(&vcpu->power, VCPU_ON, __ATOMIC_RELEASE);
    }
    vcpu_load(vcpu);
    return true;
}

static void vcpu_power_off(struct vcpu *vcpu)
{
    vcpu_put(vcpu);
    vcpu->halted = false;
    vm_vcpu_powered_off(vcpu);
    if (__atomic_load_n(&vcpu->start_again, __ATOMIC_RELAXED))
        (void)vcpu_power_on(vcpu, &vcpu->start); /* refused: its VM ends */
}

/*
 * What was asked since the last entry. False: the vCPU is parked or off. An interrupt asked for
 * before a park goes to the hardware when the vCPU is loaded again.
 */
static bool vcpu_attend(struct vcpu *vcpu)
{
    const uint32_t requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_SEQ_CST);

    if (unlikely(requests & VCPU_REQ_OFF)) {
        vcpu_power_off(vcpu); /* parked more than enough */
        return false;
    }
    if (requests & VCPU_REQ_PARK) {
        vcpu_put(vcpu);
        if (vm_vcpu_parked(vcpu))
            return false;
        vcpu_load(vcpu);
    }
    if (requests & VCPU_REQ_IRQ)
        virqchip_sync(vcpu);
    return true;
}

/*
 * Does a halt end by an interrupt only? So it is where the interrupt controller is a model,
 * x86's HLT. WFI may end for no reason, and Arm's guests expect that.
 */
static bool halts_strictly(void)
{
    return hv->irq_ready != NULL;
}

/* False: nothing wakes it, so it blocks. A request that came meanwhile counts as a wake-up, and
 * makes a strict one look again. */
static bool vcpu_stays_awake(struct vcpu *vcpu)
{
    if ((!halts_strictly() && __atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) != 0) ||
        virqchip_wakes(vcpu))
        return true;
    vcpu->halted = true;
    return false;
}

/* An exit after which the guest may not go on at once. True: it does, though. */
static bool vcpu_pause(struct vcpu *vcpu, enum vcpu_next next, enum sched_verdict *verdict)
{
    switch (next) {
    case VCPU_HALT: *verdict = SCHED_BLOCKED; return vcpu_stays_awake(vcpu);
    case VCPU_YIELD: *verdict = SCHED_RUNNABLE; return !sched_contended(&this_cpu()->sched);
    case VCPU_POWER_OFF:
        *verdict = SCHED_BLOCKED;
        vcpu_power_off(vcpu);
        return false;
    case VCPU_ENTER: break;
    }
    return true;
}

/* It was blocked in a halt, and is run. False: not for an interrupt. */
static bool vcpu_wakes(struct vcpu *vcpu)
{
    const uint32_t others = ~(uint32_t)VCPU_REQ_IRQ;

    if (halts_strictly()) {
        if ((__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) & others) && !vcpu_attend(vcpu))
            return false;
        if (!virqchip_wakes(vcpu))
            return false;
    }
    vcpu->halted = false;
    return true;
}

/* The hottest reason first. */
static enum vcpu_next handle(struct vcpu *vcpu, const struct vm_exit *exit)
{
    if (likely(exit->reason == VM_EXIT_MEMORY))
        return exit_memory(vcpu, exit);
    return exit_handlers[exit->reason](vcpu, exit);
}

/*
 * Every exit comes here. That another entity begins to want the CPU need not be asked: the
 * scheduler makes the vCPU leave for that.
 */
static __attribute__((flatten)) bool vcpu_answer(struct hv_vcpu *hv_vcpu,
                                                 const struct vm_exit *exit)
{
    struct vcpu *vcpu = container_of(hv_vcpu, struct vcpu, hv);
    enum vcpu_next next;

    vcpu->stats.exits[exit->reason]++;
    next = handle(vcpu, exit);
    if (likely(next == VCPU_ENTER && !sched_leave(&this_cpu()->sched) &&
               READ_ONCE(vcpu->requests) == 0))
        return true;
    vcpu->next = next;
    return false;
}

static enum sched_verdict sched_run(struct sched_entity *entity)
{
    struct vcpu *vcpu = from_entity(entity);
    const struct sched_cpu *cpu = &this_cpu()->sched;
    enum sched_verdict verdict;

    if (!vcpu->loaded && !vcpu_begin(vcpu)) {
        vm_vcpu_blocks(vcpu);
        return SCHED_BLOCKED;
    }
    if (unlikely(vcpu->halted) && !vcpu_wakes(vcpu))
        return SCHED_BLOCKED;
    while (likely(!sched_leave(cpu))) {
        if (unlikely(__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) != 0) && !vcpu_attend(vcpu))
            return SCHED_BLOCKED;
        if (unlikely(sched_contended(cpu) != vcpu->halt_trapped)) {
            vcpu->halt_trapped = !vcpu->halt_trapped;
            hv->vcpu_trap_halt(&vcpu->hv, vcpu->halt_trapped);
        }
        hv->vcpu_run(&vcpu->hv, vcpu_answer);
        if (vcpu->next != VCPU_ENTER && !vcpu_pause(vcpu, vcpu->next, &verdict))
            return verdict;
    }
    return SCHED_RUNNABLE;
}

static void sched_load(struct sched_entity *entity)
{
    (void)vcpu_begin(from_entity(entity));
}

static void sched_put(struct sched_entity *entity)
{
    vcpu_put(from_entity(entity));
}

const struct sched_ops vcpu_sched_ops = {
    .load = sched_load,
    .put = sched_put,
    .run = sched_run,
};

/* Makes it runnable, at home already or not. */
static status_t vcpu_start_running(struct vcpu *vcpu)
{
    const status_t status = sched_start(&vcpu->sched);

    if (status != ERR_BAD_STATE)
        return status;
    sched_wake(&vcpu->sched);
    return OK;
}

status_t vcpu_power_on(struct vcpu *vcpu, const struct hv_reset *start)
{
    struct vm *vm = vcpu->vm;
    status_t status = OK;

    spin_lock(&vm->lock);
    if (!vm_is_alive(vm)) {
        status = ERR_BAD_STATE;
    } else if (vcpu->power != VCPU_OFF && !vcpu->turning_off) {
        status = ERR_ALREADY_EXISTS;
    } else if (vcpu->power != VCPU_OFF) {
        vcpu->start = *start;
        vcpu->start_again = true;
    } else {
        vcpu->start = *start;
        vcpu->start.id = vcpu_hwid(vcpu->id);
        vcpu->start.cpus = vm->config.cpus;
        vcpu->turning_off = vcpu->start_again = false;
        __atomic_store_n(&vcpu->parked, vm_is_parking(vm), __ATOMIC_RELAXED);
        __atomic_store_n(&vcpu->power, VCPU_ON_PENDING, __ATOMIC_RELEASE);
        if (!vcpu->parked) {
            vm->active++;
            status = vcpu_start_running(vcpu);
        }
        if (status != OK) {
            vm->active--;
            vcpu->power = VCPU_OFF;
        }
    }
    spin_unlock(&vm->lock);
    return status;
}

void vcpu_turn_off(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    bool ask;

    spin_lock(&vm->lock);
    ask = vm->end == VM_END_NONE && vcpu->power != VCPU_OFF && !vcpu->turning_off;
    vcpu->turning_off |= ask;
    if (ask)
        vcpu_request(vcpu, VCPU_REQ_OFF);
    spin_unlock(&vm->lock);
}

void vcpu_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what)
{
    report_crash(vcpu, exit, what);
    vm_end_by_guest(vcpu->vm, VM_END_CRASH);
}
