/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory exits: which region was touched decides.
 *
 *     device   decoded: its model answers; else the instruction is emulated on a bus that
 *              leads to the same models
 *     memory   committed and mapped, and the guest tries again
 *     ROM      reads are memory's, unless its model wants them; writes are the model's
 *     nothing  data: the bus fault that hardware gives; a fetch: the guest is lost
 */

#include <arch/finish.h>

#include "kernel/log.h"
#include "vm/exit.h"
#include "vm/vm.h"

#define STRAYS_LOGGED 4 /* accesses to nothing, of a VM since its start */

static const struct region *region_at(struct vcpu *vcpu, gpa_t address)
{
    return aspace_find_near(&vcpu->vm->space, &vcpu->near, address);
}

static struct vdev_access access_of(const struct vcpu *vcpu, const struct region *region,
                                    gpa_t address, unsigned size)
{
    return (struct vdev_access){
        .offset = address.raw - region->base.raw,
        .size = size,
        .range = region->dev_range,
        .cpu = (uint16_t)vcpu->id,
    };
}

/* Naturally aligned and not beyond the region's end: what models are asked for. It begins
 * inside, so the offset is far from wrapping. */
static bool is_plain(const struct region *region, gpa_t address, unsigned size)
{
    return (address.raw & (size - 1)) == 0 && address.raw - region->base.raw + size <= region->size;
}

/* --- the bus: any size and alignment, across regions --- */

/* One access that fits its region. */
static status_t bus_read_in(struct vcpu *vcpu, const struct region *region, gpa_t address,
                            unsigned size, uint64_t *value)
{
    if (region->kind == REGION_DEVICE || (region->kind == REGION_ROM && region->trap_reads)) {
        if (region->dev == NULL)
            return ERR_NOT_FOUND;
        *value = low_bytes(region->read(region->dev, access_of(vcpu, region, address, size)), size);
        return OK;
    }
    if (!(region->prot & PT_READ))
        return ERR_NOT_FOUND;
    *value = 0;
    return aspace_read(&vcpu->vm->space, address, value, size);
}

static status_t bus_write_in(struct vcpu *vcpu, const struct region *region, gpa_t address,
                             unsigned size, uint64_t value)
{
    value = low_bytes(value, size);
    if (region->kind == REGION_DEVICE || region->kind == REGION_ROM) {
        if (region->dev != NULL) /* a ROM without a model: written in vain */
            region->write(region->dev, access_of(vcpu, region, address, size), value);
        return OK;
    }
    if (!(region->prot & PT_WRITE))
        return ERR_NOT_FOUND;
    return aspace_write(&vcpu->vm->space, address, &value, size);
}

static status_t bus_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    struct vcpu *vcpu = context;
    const struct region *region = region_at(vcpu, address);
    status_t status = OK;

    if (region == NULL || region->kind == REGION_RESERVED)
        return ERR_NOT_FOUND;
    if (is_plain(region, address, size))
        return bus_read_in(vcpu, region, address, size, value);
    *value = 0;
    for (unsigned i = 0; i < size && status == OK && size > 1; i++) {
        uint64_t byte = 0;

        status = bus_read(context, gpa_add(address, i), 1, &byte);
        *value |= byte << (8 * i);
    }
    return status;
}

static status_t bus_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    struct vcpu *vcpu = context;
    const struct region *region = region_at(vcpu, address);
    status_t status = OK;

    if (region == NULL || region->kind == REGION_RESERVED)
        return ERR_NOT_FOUND;
    if (is_plain(region, address, size))
        return bus_write_in(vcpu, region, address, size, value);
    for (unsigned i = 0; i < size && status == OK && size > 1; i++)
        status = bus_write(context, gpa_add(address, i), 1, value >> (8 * i) & 0xff);
    return status;
}

static status_t bus_read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    struct vcpu *vcpu = context;

    return aspace_read(&vcpu->vm->space, address, to, bytes);
}

static status_t bus_exchange_memory(void *context, gpa_t address, unsigned size, uint64_t expected,
                                    uint64_t value)
{
    struct vcpu *vcpu = context;
    const struct region *region = region_at(vcpu, address);

    if (region == NULL || region->kind == REGION_ROM || !(region->prot & PT_WRITE))
        return ERR_NOT_FOUND;
    return aspace_exchange(&vcpu->vm->space, address, size, expected, value);
}

struct hv_bus exit_bus(struct vcpu *vcpu)
{
    return (struct hv_bus){
        .context = vcpu,
        .read = bus_read,
        .write = bus_write,
        .read_memory = bus_read_memory,
        .exchange_memory = bus_exchange_memory,
    };
}

/* --- nothing there --- */

/* Remembered for the report that follows when the guest cannot handle its fault. */
static enum vcpu_next refuse(struct vcpu *vcpu, const struct vm_exit *exit, const char *why)
{
    struct vm *vm = vcpu->vm;
    const unsigned long pc = (unsigned long)hv->pc(&vcpu->hv);
    const uint32_t before = __atomic_fetch_add(&vm->strays, 1, __ATOMIC_RELAXED);

    vm->stray_pc = pc;
    vm->stray_address = exit->memory.gpa;
    if (before < STRAYS_LOGGED)
        log_warn("%s: vCPU %u: %s of 0x%lx at pc 0x%lx, %s: bus fault%s", vm->config.name, vcpu->id,
                 exit->memory.access == VM_ACCESS_WRITE ? "write" : "read",
                 (unsigned long)exit->memory.gpa.raw, pc, why,
                 before + 1 == STRAYS_LOGGED ? " (more are not logged)" : "");
    hv->inject_bus_fault(&vcpu->hv, exit);
    return VCPU_ENTER;
}

static enum vcpu_next nothing_there(struct vcpu *vcpu, const struct vm_exit *exit)
{
    if (exit->memory.access == VM_ACCESS_EXEC && !exit->memory.table_walk) {
        vcpu_crash(vcpu, exit, "instruction fetch from where there is no memory");
        return VCPU_ENTER;
    }
    return refuse(vcpu, exit, "where its machine has nothing");
}

static enum vcpu_next emulate(struct vcpu *vcpu, const struct vm_exit *exit)
{
    const struct hv_bus bus = exit_bus(vcpu);
    status_t status;

    if (exit->memory.access == VM_ACCESS_EXEC || exit->memory.table_walk)
        return nothing_there(vcpu, exit);
    status = hv->emulate(&vcpu->hv, exit, &bus);
    if (status == ERR_UNSUPPORTED)
        return refuse(vcpu, exit, "by an instruction that cannot access a device");
    return status == OK ? VCPU_ENTER : nothing_there(vcpu, exit);
}

/* --- by kind of region --- */

/* Decoded, but perhaps across an edge or misaligned. */
static enum vcpu_next split_access(struct vcpu *vcpu, const struct vm_exit *exit)
{
    uint64_t value = exit->memory.value;

    if (exit->memory.access == VM_ACCESS_WRITE) {
        if (bus_write(vcpu, exit->memory.gpa, exit->memory.size, value) != OK)
            return nothing_there(vcpu, exit);
        hv_finish_write(&vcpu->hv, exit);
    } else {
        if (bus_read(vcpu, exit->memory.gpa, exit->memory.size, &value) != OK)
            return nothing_there(vcpu, exit);
        hv_finish_read(&vcpu->hv, exit, value);
    }
    return VCPU_ENTER;
}

/* What the fast path does not take. */
static enum vcpu_next touch_device(struct vcpu *vcpu, const struct vm_exit *exit)
{
    return exit->memory.decoded ? split_access(vcpu, exit) : emulate(vcpu, exit);
}

/*
 * A walk reads the guest's tables, whatever it is for; where it may, it has come to write them
 * (access flags, dirty state).
 */
static unsigned memory_access(const struct vm_exit *exit)
{
    if (!exit->memory.table_walk)
        return exit->memory.access;
    return exit->memory.permission ? VM_ACCESS_WRITE : VM_ACCESS_READ;
}

static enum vcpu_next touch_memory(struct vcpu *vcpu, const struct vm_exit *exit,
                                   const struct region *region)
{
    status_t status;

    /* Hardware refuses such a walk also where the page is mapped: it would be tried for ever. */
    if (exit->memory.table_walk && (region->prot & PT_DEVICE))
        return refuse(vcpu, exit, "a table walk in a device");
    status = aspace_fault(&vcpu->vm->space, region, exit->memory.gpa, memory_access(exit));
    vcpu->stats.page_faults++;
    if (likely(status == OK))
        return VCPU_ENTER;
    if (status == ERR_NO_MEMORY)
        vcpu_crash(vcpu, exit, "the host has no memory left for a page of the guest's");
    else if (status == ERR_NOT_FOUND)
        return nothing_there(vcpu, exit);
    else
        vcpu_crash(vcpu, exit, "the guest's page cannot be mapped");
    return VCPU_ENTER;
}

/* Whether reads trap changes under the model's lock, so it is held until the page is mapped. */
static bool rom_maps(struct vcpu *vcpu, const struct vm_exit *exit, const struct region *region,
                     enum vcpu_next *next)
{
    struct vdev *dev = region->dev;
    bool maps;

    if (memory_access(exit) == VM_ACCESS_WRITE)
        return false;
    if (dev != NULL)
        spin_lock(&dev->lock);
    maps = !region->trap_reads;
    if (maps)
        *next = touch_memory(vcpu, exit, region);
    if (dev != NULL)
        spin_unlock(&dev->lock);
    return maps;
}

static enum vcpu_next touch_rom(struct vcpu *vcpu, const struct vm_exit *exit,
                                const struct region *region)
{
    enum vcpu_next next;

    return rom_maps(vcpu, exit, region, &next) ? next : touch_device(vcpu, exit);
}

/* Everything but the fast path. */
static __attribute__((noinline)) enum vcpu_next find_out(struct vcpu *vcpu,
                                                         const struct vm_exit *exit)
{
    const struct region *region;

    if (exit->memory.external) {
        hv->inject_bus_fault(&vcpu->hv, exit);
        return VCPU_ENTER;
    }
    region = region_at(vcpu, exit->memory.gpa);
    if (region == NULL)
        return nothing_there(vcpu, exit);
    switch (region->kind) {
    case REGION_DEVICE: return touch_device(vcpu, exit);
    case REGION_ALLOCATED:
    case REGION_SHARED:
    case REGION_IDENTITY: return touch_memory(vcpu, exit, region);
    case REGION_ROM: return touch_rom(vcpu, exit, region);
    case REGION_RESERVED: break;
    }
    return nothing_there(vcpu, exit);
}

/* A plain access to the device that the vCPU used last: the commonest by far. */
static bool is_fast(const struct region *near, const struct vm_exit *exit)
{
    return exit->memory.gpa.raw - near->base.raw < near->model_bytes && exit->memory.decoded &&
           (exit->memory.gpa.raw & (exit->memory.size - 1)) == 0;
}

enum vcpu_next exit_memory(struct vcpu *vcpu, const struct vm_exit *exit)
{
    const struct region *near = vcpu->near;
    struct vdev_access access;

    if (unlikely(!is_fast(near, exit)))
        return find_out(vcpu, exit);
    access = access_of(vcpu, near, exit->memory.gpa, exit->memory.size);
    if (exit->memory.access == VM_ACCESS_WRITE) {
        near->write(near->dev, access, exit->memory.value);
        hv_finish_write(&vcpu->hv, exit);
    } else {
        hv_finish_read(&vcpu->hv, exit, near->read(near->dev, access));
    }
    return VCPU_ENTER;
}
