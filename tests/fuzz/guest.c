/* SPDX-License-Identifier: BSD-2-Clause */
/* See guest.h. */
#include "tests/fuzz/guest.h"

#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

struct vm_exit guest_memory_exit(void)
{
    static const uint8_t accesses[] = { VM_ACCESS_READ, VM_ACCESS_WRITE, VM_ACCESS_WRITE,
                                        VM_ACCESS_EXEC };
    struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

    exit.memory.gpa = guest_address();
    exit.memory.value = guest_written();
    exit.memory.access = accesses[fuzz_below(fuzz_one_in(64) ? 4 : 3)];
    exit.memory.size = (uint8_t)(1 << fuzz_below(4));
    exit.memory.decoded = exit.memory.access != VM_ACCESS_EXEC && !fuzz_one_in(4);
    exit.memory.table_walk = !exit.memory.decoded && fuzz_one_in(4);
    exit.memory.permission = fuzz_one_in(8);
    return exit;
}

struct vm_config guest_config(const char *machine)
{
    struct vm_config out;

    vm_config_init(&out);
    strcpy(out.machine, machine);
    out.cpus = 1 + (unsigned)fuzz_below(4);
    out.memory = 4 << 20;
    out.format = VM_IMAGE_RAW;
    out.affinity = 1 + fuzz_below(3);
    out.restart = (enum vm_restart)fuzz_below(3);
    return out;
}

void guest_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag)
{
    vcpu->root = root;
    vcpu->tag = tag;
}

void guest_load(struct hv_vcpu *vcpu)
{
    assert_false(vcpu->loaded);
    vcpu->loaded = true;
}

void guest_put(struct hv_vcpu *vcpu)
{
    assert_true(vcpu->loaded);
    vcpu->loaded = false;
}

void guest_run(struct hv_vcpu *vcpu, hv_answer answer)
{
    struct vm_exit exit;
    bool again;

    do {
        assert_true(vcpu->loaded);
        world_between_exits();
        guest_act(vcpu);
        if (world_exits_left != 0) {
            world_exits_left--;
            exit = guest_exit(vcpu);
        } else {
            exit = (struct vm_exit){ .reason = VM_EXIT_YIELD };
            (void)vm_stop(container_of(vcpu, struct vcpu, hv)->vm);
        }
        again = answer(vcpu, &exit);
        world_check_locks();
    } while (again);
}

void guest_trap_halt(struct hv_vcpu *vcpu, bool trap)
{
    assert_true(vcpu->loaded);
    vcpu->trap_halt = trap;
}

status_t guest_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out)
{
    (void)vcpu;
    (void)access;
    *out = gpa(gva);
    return fuzz_one_in(2) ? OK : ERR_NOT_FOUND;
}

void guest_nothing(struct hv_vcpu *vcpu)
{
    (void)vcpu;
}

void guest_nothing_for_exit(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
}
