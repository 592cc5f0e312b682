/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VMs there are. A call on a VM first finds it here, so a pointer to one that another
 * CPU has destroyed is refused without being followed.
 *
 * list_lock is held while vm->lock is waited for: whoever removes a VM holds both, so nobody
 * is left waiting on a lock in memory that goes away.
 */

#include "kernel/lib/string.h"
#include "vm/lifecycle.h"

static spinlock_t list_lock; /* outside every vm->lock */
static struct vm *vms;

struct vm *vm_first(void)
{
    return vms;
}

static bool is_listed(const struct vm *vm)
{
    for (const struct vm *at = vms; at != NULL; at = at->next)
        if (at == vm)
            return true;
    return false;
}

static struct vm *named(const char *name)
{
    struct vm *vm = vms;

    while (vm != NULL && strcmp(vm->config.name, name) != 0)
        vm = vm->next;
    return vm;
}

struct vm *vm_find(const char *name)
{
    struct vm *vm;

    spin_lock(&list_lock);
    vm = named(name);
    spin_unlock(&list_lock);
    return vm;
}

static unsigned lowest_free_id(void)
{
    unsigned id = 0;

    for (const struct vm *at = vms; at != NULL;) {
        if (at->id == id) {
            id++;
            at = vms;
        } else {
            at = at->next;
        }
    }
    return id;
}

status_t vm_list_add(struct vm *vm)
{
    status_t status = ERR_ALREADY_EXISTS;

    spin_lock(&list_lock);
    if (named(vm->config.name) == NULL) {
        struct vm **end = &vms;

        vm->id = lowest_free_id();
        while (*end != NULL)
            end = &(*end)->next;
        vm->next = NULL;
        *end = vm;
        status = OK;
    }
    spin_unlock(&list_lock);
    return status;
}

status_t vm_lock(struct vm *vm)
{
    status_t status = ERR_NOT_FOUND;

    spin_lock(&list_lock);
    if (is_listed(vm)) {
        spin_lock(&vm->lock);
        status = OK;
    }
    spin_unlock(&list_lock);
    return status;
}

void vm_unlock(struct vm *vm)
{
    spin_unlock(&vm->lock);
}

status_t vm_pin(struct vm *vm)
{
    status_t status = ERR_NOT_FOUND;

    spin_lock(&list_lock);
    if (is_listed(vm)) {
        __atomic_fetch_add(&vm->users, 1, __ATOMIC_RELAXED);
        status = OK;
    }
    spin_unlock(&list_lock);
    return status;
}

void vm_unpin(struct vm *vm)
{
    __atomic_fetch_sub(&vm->users, 1, __ATOMIC_RELEASE);
}

/* A pin is held for one copy or one call into a model, so the wait is as short as a lock's. */
void vm_list_remove(struct vm *vm)
{
    struct vm **at = &vms;

    vm->busy = true;
    spin_unlock(&vm->lock);
    spin_lock(&list_lock);
    while (*at != vm)
        at = &(*at)->next;
    *at = vm->next;
    spin_unlock(&list_lock);
    while (__atomic_load_n(&vm->users, __ATOMIC_ACQUIRE) != 0)
        cpu_relax();
    /* Whoever locked it before it left the list has seen `busy`, and is gone after this. */
    spin_lock(&vm->lock);
    spin_unlock(&vm->lock);
}
