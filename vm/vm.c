/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that make up a VM's life, and in which state each is right.
 *
 *              CREATED  RUNNING  PAUSED  STOPPING  STOPPED  CRASHED
 *     boot        x
 *     pause                x
 *     resume                        x
 *     shutdown             x
 *     stop                 x        x       (1)
 *     restart              x        x                  x        x
 *     destroy     x                                    x        x
 *     run                  x                (1)
 *     regions     x                (2)                 x        x
 *     inject      x        x        x       x
 *
 *     (1) while the guest was asked to shut down and still runs
 *     (2) once every vCPU has left its guest
 */

#include "vm/vm.h"

#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"
#include "vm/irqchip/irqchip.h"
#include "vm/lifecycle.h"
#include "vm/machine/machine.h"
#include "vm/pio.h"

struct call {
    const char *verb;
    uint8_t states; /* a bit for each in which it is right */
    const char *advice;
};

#define STATE(name) (uint8_t) BIT(VM_##name)

static const struct call call_boot = { "boot", STATE(CREATED), "restart it instead" };
static const struct call call_pause = { "pause", STATE(RUNNING), "only a running VM pauses" };
static const struct call call_resume = { "resume", STATE(PAUSED), "pause it first" };
static const struct call call_shutdown = { "shut down", STATE(RUNNING),
                                           "stop or resume it instead" };
static const struct call call_stop = { "stop", STATE(RUNNING) | STATE(PAUSED) | STATE(STOPPING),
                                       "it does not run" };
static const struct call call_restart = { "restart",
                                          STATE(RUNNING) | STATE(PAUSED) | STATE(STOPPED) |
                                              STATE(CRASHED),
                                          "boot it, or wait until it has stopped" };
static const struct call call_destroy = { "destroy",
                                          STATE(CREATED) | STATE(STOPPED) | STATE(CRASHED),
                                          "stop it first" };
static const struct call call_run = { "run a vCPU of", STATE(RUNNING) | STATE(STOPPING),
                                      "boot or resume it first" };
static const struct call call_regions = { "change the regions of",
                                          STATE(CREATED) | STATE(PAUSED) | STATE(STOPPED) |
                                              STATE(CRASHED),
                                          "pause it, and wait until its vCPUs are parked" };
static const struct call call_inject = { "interrupt",
                                         STATE(CREATED) | STATE(RUNNING) | STATE(PAUSED) |
                                             STATE(STOPPING),
                                         "boot or restart it first" };

const char *vm_state_name(enum vm_state state)
{
    static const char *const names[] = {
        [VM_CREATED] = "created",   [VM_RUNNING] = "running", [VM_PAUSED] = "paused",
        [VM_STOPPING] = "stopping", [VM_STOPPED] = "stopped", [VM_CRASHED] = "crashed"
    };

    return state < ARRAY_SIZE(names) ? names[state] : "?";
}

static status_t refuse(const struct vm *vm, const struct call *call, const char *because)
{
    log_error("%s: cannot %s it while %s%s: %s", vm->config.name, call->verb,
              vm_state_name(vm->state), because, call->advice);
    return ERR_BAD_STATE;
}

static status_t gone(const struct call *call)
{
    log_error("cannot %s a VM that was destroyed", call->verb);
    return ERR_NOT_FOUND;
}

/* Locks the VM if the call is right now; else it is logged and nothing is locked. */
static status_t begin(struct vm *vm, const struct call *call)
{
    status_t status = OK;

    if (vm_lock(vm) != OK)
        return gone(call);
    if (vm->busy)
        status = refuse(vm, call, " and being set up");
    else if (!(call->states & BIT(vm->state)))
        status = refuse(vm, call, "");
    if (status != OK)
        vm_unlock(vm);
    return status;
}

status_t vm_start(struct vm *vm)
{
    struct vcpu *boot = &vm->vcpus[0];
    status_t status;

    __atomic_store_n(&boot->parked, false, __ATOMIC_RELAXED);
    __atomic_store_n(&boot->power, VCPU_ON_PENDING, __ATOMIC_RELEASE);
    status = sched_start(&boot->sched);
    if (status != OK) {
        __atomic_store_n(&boot->power, VCPU_OFF, __ATOMIC_RELAXED);
        log_error("%s: cannot run: none of the CPUs in its 'affinity' is online", vm->config.name);
        return status;
    }
    vm->active = 1;
    vm->state = VM_RUNNING;
    vm->started = arch_counter();
    return OK;
}

status_t vm_boot(struct vm *vm)
{
    status_t status = begin(vm, &call_boot);

    if (status != OK)
        return status;
    vm->crashes = 0;
    status = vm_start(vm);
    vm_unlock(vm);
    return status;
}

status_t vm_pause(struct vm *vm)
{
    const status_t status = begin(vm, &call_pause);

    if (status != OK)
        return status;
    vm->state = VM_PAUSED;
    vm_park_all(vm);
    vm_unlock(vm);
    return OK;
}

status_t vm_resume(struct vm *vm)
{
    const status_t status = begin(vm, &call_resume);

    if (status != OK)
        return status;
    vm->state = VM_RUNNING;
    vm_unpark_all(vm);
    vm_unlock(vm);
    return OK;
}

status_t vm_stop(struct vm *vm)
{
    status_t status = begin(vm, &call_stop);

    if (status != OK)
        return status;
    if (vm->end == VM_END_NONE)
        vm_begin_end(vm, VM_END_STOP);
    else
        status = refuse(vm, &call_stop, " for good already");
    vm_unlock(vm);
    return status;
}

/* The guest has no power key: a stop is all there is, unless it has ended meanwhile. */
static void stop_unasked(struct vm *vm)
{
    spin_lock(&vm->lock);
    if (vm->state == VM_STOPPING && vm->end == VM_END_NONE) {
        log_info("%s: its machine has no power key: stopped", vm->config.name);
        vm_begin_end(vm, VM_END_STOP);
    }
    spin_unlock(&vm->lock);
}

status_t vm_shutdown(struct vm *vm, unsigned timeout_ms)
{
    const uint64_t patience = ns_to_ticks((uint64_t)timeout_ms * 1000000);
    status_t status = vm_pin(vm);

    if (status != OK)
        return gone(&call_shutdown);
    status = begin(vm, &call_shutdown);
    if (status == OK) {
        vm->state = VM_STOPPING;
        vm->shutdown_asked = true;
        timer_arm(&vm->shutdown_timer, arch_counter() + patience);
        vm_unlock(vm);
        /* Without the lock: the power key is a device, and may be a long way off. */
        if (vm->machine->ask_shutdown == NULL || !vm->machine->ask_shutdown(vm))
            stop_unasked(vm);
    }
    vm_unpin(vm);
    return status;
}

status_t vm_restart(struct vm *vm)
{
    status_t status = begin(vm, &call_restart);
    bool at_rest;

    if (status != OK)
        return status;
    vm->crashes = 0;
    vm->short_runs = 0;
    at_rest = vm->state == VM_STOPPED || vm->state == VM_CRASHED;
    if (at_rest) {
        vm->state = VM_STOPPING;
        vm->end = VM_END_RESET;
        vm->busy = true;
    } else {
        vm_begin_end(vm, VM_END_RESET);
    }
    vm_unlock(vm);
    return at_rest ? vm_start_again(vm) : OK;
}

status_t vm_destroy(struct vm *vm)
{
    const status_t status = begin(vm, &call_destroy);

    if (status != OK)
        return status;
    vm_list_remove(vm);
    vm_unmake_parts(vm);
    pmm_free_wired(vm);
    return OK;
}

status_t vm_run_vcpu(struct vm *vm, unsigned id)
{
    struct sched_cpu *cpu = &this_cpu()->sched;
    struct sched_entity *entity, *current;
    status_t status = begin(vm, &call_run);

    if (status != OK)
        return status;
    if (id >= vm->config.cpus) {
        log_error("%s: has no vCPU %u", vm->config.name, id);
        vm_unlock(vm);
        return ERR_NOT_FOUND;
    }
    entity = &vm->vcpus[id].sched;
    if (vm->end != VM_END_NONE || vm->vcpus[id].power == VCPU_OFF || entity->cpu != this_cpu() ||
        cpu->loaded != NULL)
        status = refuse(vm, &call_run, ", the vCPU off, or a CPU not its home or in a guest");
    vm_unlock(vm);
    if (status != OK)
        return status;

    current = cpu->current;
    cpu->current = entity;
    entity->ops->load(entity);
    (void)entity->ops->run(entity);
    entity->ops->put(entity);
    cpu->current = current;
    return OK;
}

status_t vm_begin_regions(struct vm *vm)
{
    status_t status;

    if (vm_lock(vm) != OK)
        return gone(&call_regions);
    /* While it is made, its maker adds regions. */
    if ((call_regions.states & BIT(vm->state)) && vm->active == 0)
        return OK;
    status = refuse(vm, &call_regions, "");
    vm_unlock(vm);
    return status;
}

static void explain(const struct vm *vm, const char *what, gpa_t base, status_t status)
{
    if (status != OK)
        log_error("%s: %s at 0x%lx: %s", vm->config.name, what, (unsigned long)base.raw,
                  status_str(status));
}

status_t vm_map_region(struct vm *vm, const struct region *region)
{
    status_t status = vm_begin_regions(vm);

    if (status != OK)
        return status;
    status = aspace_map(&vm->space, region);
    explain(vm, "cannot map a region", region->base, status);
    vm_unlock(vm);
    return status;
}

status_t vm_unmap_region(struct vm *vm, gpa_t base)
{
    status_t status = vm_begin_regions(vm);

    if (status != OK)
        return status;
    status = aspace_unmap(&vm->space, base);
    explain(vm, "cannot unmap a region", base, status);
    vm_unlock(vm);
    return status;
}

paddr_t vm_stage2_root(const struct vm *vm)
{
    return vm->space.stage2.root;
}

struct vdev *vm_devices(struct vm *vm)
{
    return vm->devices;
}

static bool has_device(const struct vm *vm, const struct vdev *dev)
{
    const struct vdev *at = vm->devices;

    while (at != NULL && at != dev)
        at = at->next;
    return at != NULL;
}

uint8_t vm_own_device(struct vm *vm, struct vdev *dev)
{
    unsigned ranges = vm->ports != NULL ? pio_ranges_of(vm->ports, dev) : 0;

    for (unsigned i = 0; i < vm->space.count; i++)
        if (vm->space.regions[i].dev == dev)
            ranges++;
    if (!has_device(vm, dev)) {
        dev->next = vm->devices;
        vm->devices = dev;
    }
    return (uint8_t)ranges;
}

status_t vm_attach_device(struct vm *vm, struct vdev *dev, gpa_t base, uint64_t size)
{
    const struct region region = {
        .base = base,
        .size = size,
        .kind = REGION_DEVICE,
        .prot = PT_READ | PT_WRITE,
        .dev = dev,
        .dev_range = vm_own_device(vm, dev),
    };

    return vm_map_region(vm, &region);
}

status_t vm_inject_interrupt(struct vm *vm, uint64_t cpu_mask, uint32_t irq)
{
    status_t status = vm_pin(vm);

    if (status != OK)
        return gone(&call_inject);
    status = begin(vm, &call_inject);
    if (status == OK) {
        vm_unlock(vm);
        if (cpu_mask & ~GENMASK(vm->config.cpus - 1, 0)) {
            log_error("%s: interrupt %u for vCPUs 0x%lx that it has not", vm->config.name, irq,
                      (unsigned long)cpu_mask);
            status = ERR_NOT_FOUND;
        } else {
            status = virqchip_inject(vm, cpu_mask, irq);
            if (status != OK)
                log_error("%s: interrupt %u cannot be injected: %s", vm->config.name, irq,
                          status_str(status));
        }
    }
    vm_unpin(vm);
    return status;
}
