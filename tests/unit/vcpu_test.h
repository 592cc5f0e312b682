/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM of one vCPU whose exits are a script. Include once. */
#pragma once

#include "tests/unit/fake_vm_parts.h"

#include "kernel/percpu.h"
#include "kernel/pmm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct vm *vm;
static struct vcpu *vcpu;

static inline int setup(void **state)
{
    fake_world_setup(state);
    vm = fake_vm("guest");
    vcpu = vm != NULL ? &vm->vcpus[0] : NULL;
    return vm != NULL ? 0 : -1;
}

static inline int teardown(void **state)
{
    fake_vm_end(vm);
    return fake_world_teardown(state);
}

static inline void run(void)
{
    if (vm->state == VM_CREATED)
        assert_int_equal(vm_boot(vm), OK);
    else
        sched_wake(&vcpu->sched);
    fake_drain();
}

static inline struct vm_exit load(uint64_t address, uint8_t size)
{
    return (struct vm_exit){
        .reason = VM_EXIT_MEMORY,
        .memory = { .gpa = gpa(address), .access = VM_ACCESS_READ, .size = size, .decoded = true }
    };
}

static inline struct vm_exit store(uint64_t address, uint8_t size, uint64_t value)
{
    struct vm_exit exit = load(address, size);

    exit.memory.access = VM_ACCESS_WRITE;
    exit.memory.value = value;
    return exit;
}

static inline struct vm_exit fetch(uint64_t address)
{
    return (struct vm_exit){ .reason = VM_EXIT_MEMORY,
                             .memory = { .gpa = gpa(address), .access = VM_ACCESS_EXEC } };
}

static inline struct vm_exit undecoded(struct vm_exit exit)
{
    exit.memory.decoded = false;
    return exit;
}

static inline struct vm_exit plain(enum vm_exit_reason reason)
{
    return (struct vm_exit){ .reason = reason };
}
