/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI, TRNG and the calling convention, as a guest with four vCPUs calls them. */

#include "tests/unit/fake_vm_parts.h"

#include "vm/exit.h"
#include "vm/hypercall/entropy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS 4
#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define DENIED (-3)
#define ALREADY_ON (-4)
#define ON_PENDING (-5)
#define INVALID_ADDRESS (-9)

#define PSCI_VERSION 0x84000000
#define CPU_SUSPEND 0x84000001
#define CPU_OFF 0x84000002
#define CPU_ON 0x84000003
#define CPU_ON_64 0xc4000003
#define AFFINITY_INFO 0x84000004
#define AFFINITY_INFO_64 0xc4000004
#define MIGRATE_INFO_TYPE 0x84000006
#define SYSTEM_OFF 0x84000008
#define SYSTEM_RESET 0x84000009
#define PSCI_FEATURES 0x8400000a
#define SYSTEM_RESET2 0x84000012
#define TRNG_VERSION 0x84000050
#define TRNG_FEATURES 0x84000051
#define TRNG_UUID 0x84000052
#define TRNG_RND32 0x84000053
#define TRNG_RND64 0xc4000053

static struct vm *vm;
static struct vcpu *vcpu;
static enum vcpu_next next;

static int setup(void **state)
{
    struct vm_config config;

    fake_world_setup(state);
    config = fake_config("caller");
    config.cpus = CPUS;
    if (vm_create(&config, &vm) != OK || vm_boot(vm) != OK)
        return -1;
    vcpu = &vm->vcpus[0];
    fake_drain();
    return 0;
}

static int teardown(void **state)
{
    fake_vm_end(vm);
    return fake_world_teardown(state);
}

static int64_t call(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
    const struct vm_exit exit = { .reason = VM_EXIT_HYPERCALL };

    vcpu->hv.x[0] = id;
    vcpu->hv.x[1] = a;
    vcpu->hv.x[2] = b;
    vcpu->hv.x[3] = c;
    next = vm_hypercall(vcpu, &exit);
    return (int64_t)vcpu->hv.x[0];
}

/* Made by the guest itself: what it asks for happens in its run loop. */
static void call_and_run(struct vcpu *on, uint64_t id)
{
    FAKE_SCRIPT(on, (struct vm_exit){ .reason = VM_EXIT_HYPERCALL });
    on->hv.x[0] = id;
    sched_wake(&on->sched);
    fake_drain();
}

static void versions_are_told(void **state)
{
    (void)state;
    assert_int_equal(call(PSCI_VERSION, 0, 0, 0), 0x10001);
    assert_int_equal(next, VCPU_ENTER);
    assert_int_equal(call(0x80000000, 0, 0, 0), 0x10002);
    assert_int_equal(call(0x80000001, 0x80000000, 0, 0), 0);
    assert_int_equal(call(0x80000001, 0x80000001, 0, 0), 0);
    assert_int_equal(call(0x80000001, 0x80008000, 0, 0), NOT_SUPPORTED); /* WORKAROUND_1 */
    assert_int_equal(call(0x80000001, 0x80007fff, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0x80000001, PSCI_VERSION, 0, 0), NOT_SUPPORTED); /* PSCI_FEATURES's */
    assert_int_equal(call(MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

static void features_are_those_of_the_table(void **state)
{
    static const uint32_t present[] = { PSCI_VERSION, CPU_SUSPEND,   CPU_OFF,          CPU_ON,
                                        CPU_ON_64,    AFFINITY_INFO, AFFINITY_INFO_64, SYSTEM_OFF,
                                        SYSTEM_RESET, PSCI_FEATURES, SYSTEM_RESET2,    0xc4000012,
                                        0x80000000 };
    static const uint32_t absent[] = { 0xc4000000, 0xc4000002, 0x84000005, 0xc4000008, 0x8400000e,
                                       0x84000013, 0x84000050, 0x80000001, 0,          UINT32_MAX };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(present); i++)
        assert_int_equal(call(PSCI_FEATURES, present[i], 0, 0), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(absent); i++)
        assert_int_equal(call(PSCI_FEATURES, absent[i], 0, 0), NOT_SUPPORTED);
}

static void a_cpu_is_turned_on_and_off(void **state)
{
    (void)state;
    assert_int_equal(call(AFFINITY_INFO, 2, 0, 0), 1);
    assert_int_equal(call(CPU_ON_64, 2, FAKE_RAM + 0x4000, 0xfeedfacecafef00d), 0);
    assert_int_equal(call(AFFINITY_INFO_64, 2, 0, 0), 2);
    assert_int_equal(call(CPU_ON, 2, FAKE_RAM, 0), ON_PENDING);
    fake_drain();
    assert_int_equal(call(AFFINITY_INFO, 2, 0, 0), 0);
    assert_int_equal(call(CPU_ON, 2, FAKE_RAM, 0), ALREADY_ON);
    assert_int_equal(vm->vcpus[2].hv.reset.entry, FAKE_RAM + 0x4000);
    assert_int_equal(vm->vcpus[2].hv.reset.arg[0], 0xfeedfacecafef00d);
    assert_int_equal(vm->vcpus[2].hv.reset.id, 2);
    assert_int_equal(vm->active, 2);
    call_and_run(&vm->vcpus[2], CPU_OFF);
    assert_int_equal(call(AFFINITY_INFO, 2, 0, 0), 1);
    assert_int_equal(vm->active, 1);
    assert_int_equal(call(CPU_ON, 2, FAKE_RAM + 8, 5), 0);
    fake_drain();
    assert_int_equal(vm->vcpus[2].hv.reset.entry, FAKE_RAM + 8);
    assert_int_equal(call(AFFINITY_INFO, 2, 0, 0), 0);
}

static void a_32_bit_call_takes_32_bit_arguments(void **state)
{
    (void)state;
    assert_int_equal(
        call(CPU_ON, 0xffffffff00000001, 0xabcd000000000000 | FAKE_RAM, 0x1111111122222222), 0);
    assert_int_equal(vm->vcpus[1].start.entry, FAKE_RAM);
    assert_int_equal(vm->vcpus[1].start.arg[0], 0x22222222);
    assert_int_equal(call(CPU_ON_64, 0xffffffff00000002, FAKE_RAM, 0), INVALID_PARAMETERS);
}

static void a_wrong_target_or_entry_is_refused(void **state)
{
    static const uint64_t targets[] = { CPUS, 15, 0x100, 0x10000, 0x80000001, BIT(32), UINT64_MAX };
    static const uint64_t entries[] = {
        0,           FAKE_RAM - 4, FAKE_RAM + FAKE_RAM_SIZE, FAKE_RAM + 2,
        FAKE_DEVICE, UINT64_MAX,   UINT64_MAX - 3,           BIT(63)
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(targets); i++)
        assert_int_equal(call(CPU_ON_64, targets[i], FAKE_RAM, 0), INVALID_PARAMETERS);
    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
        assert_int_equal(call(CPU_ON_64, 1, entries[i], 0), INVALID_ADDRESS);
    assert_int_equal(vm->vcpus[1].power, VCPU_OFF);
    assert_int_equal(vm->active, 1);
}

static void affinity_info_covers_levels(void **state)
{
    (void)state;
    assert_int_equal(call(AFFINITY_INFO, 0, 0, 0), 0);
    assert_int_equal(call(AFFINITY_INFO, 3, 0, 0), 1);
    assert_int_equal(call(AFFINITY_INFO, 3, 1, 0), 0); /* its cluster is on */
    assert_int_equal(call(AFFINITY_INFO, 3, 3, 0), 0);
    assert_int_equal(call(AFFINITY_INFO, 0, 4, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO, CPUS, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO, 0x100, 1, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO_64, BIT(63), 3, 0), INVALID_PARAMETERS);
}

static void suspend_waits_and_returns_success(void **state)
{
    (void)state;
    assert_int_equal(call(CPU_SUSPEND, 0, 0, 0), 0);
    assert_int_equal(next, VCPU_HALT);
    assert_int_equal(call(CPU_SUSPEND, BIT(16) | 1, FAKE_RAM, 0), 0);
    assert_int_equal(next, VCPU_HALT);
    assert_int_equal(call(CPU_SUSPEND, BIT(31), 0, 0), INVALID_PARAMETERS);
    assert_int_equal(next, VCPU_ENTER);
}

static void the_last_cpu_turning_off_powers_the_vm_off(void **state)
{
    (void)state;
    call_and_run(vcpu, CPU_OFF);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_non_null(strstr(fake_log, "last CPU"));
}

static void system_off_stops_all_vcpus(void **state)
{
    (void)state;
    assert_int_equal(call(CPU_ON, 1, FAKE_RAM, 0), 0);
    fake_drain();
    call_and_run(vcpu, SYSTEM_OFF);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->vcpus[0].hv.runs, 2);
    assert_int_equal(vm->vcpus[1].power, VCPU_OFF);
    assert_int_equal(vm->active, 0);
}

static void system_reset_starts_the_vm_anew(void **state)
{
    static const uint32_t resets[] = { SYSTEM_RESET, SYSTEM_RESET2 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(resets); i++) {
        assert_int_equal(call(CPU_ON, 1, FAKE_RAM, 0), 0);
        fake_drain();
        vcpu->hv.x[1] = 0;
        call_and_run(vcpu, resets[i]);
        assert_int_equal(vm->state, VM_RUNNING);
        assert_int_equal(vm->vcpus[0].hv.reset.entry, FAKE_ENTRY);
        assert_int_equal(vm->vcpus[1].power, VCPU_OFF);
        assert_int_equal(vm->active, 1);
    }
    assert_int_equal(call(SYSTEM_RESET2, 1, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(SYSTEM_RESET2, BIT(31), 0, 0), NOT_SUPPORTED);
}

static void a_cpu_is_not_turned_on_while_the_vm_ends(void **state)
{
    (void)state;
    assert_int_equal(vm_stop(vm), OK);
    assert_int_equal(call(CPU_ON, 1, FAKE_RAM, 0), DENIED);
}

static void what_is_unknown_is_not_supported(void **state)
{
    static const uint64_t ids[] = { 0,          1,          UINT32_MAX, UINT64_MAX, 0x84000013,
                                    0x8400004f, 0x84000054, 0xc4000050, 0xc4000051, 0xc4000000,
                                    0x80000002, 0x80008000, 0x82000000, 0x86000000, 0x8600ff02,
                                    0x84010000, 0x04000000, 0xbf00ff01 };
    unsigned seed = 1;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(call(ids[i], 0, 0, 0), NOT_SUPPORTED);
        assert_int_equal(next, VCPU_ENTER);
    }
    for (unsigned i = 0; i < 100000; i++) { /* none of these ends the VM, or the test */
        const uint64_t id = 0x80000000u | (uint64_t)rand_r(&seed) << 1;

        if ((id & 0xbfffff00) != PSCI_VERSION)
            (void)call(id, (uint64_t)rand_r(&seed), (uint64_t)rand_r(&seed), 0);
    }
    assert_int_equal(vm->state, VM_RUNNING);
}

static void the_hypervisor_names_itself(void **state)
{
    (void)state;
    (void)call(0x8600ff01, 0, 0, 0);
    assert_int_equal(vcpu->hv.x[0], 0xf6eca4b0);
    assert_int_equal(call(0x8600ff03, 0, 9, 0), 1);
    assert_int_equal(vcpu->hv.x[1], 0);
    assert_int_equal(call(0x8600ff00, 0, 0, 0), 3);
}

static void random_numbers_are_as_wide_as_asked(void **state)
{
    uint64_t seen = 0;

    (void)state;
    assert_int_equal(call(TRNG_VERSION, 0, 0, 0), 0x10000);
    assert_int_equal(call(TRNG_FEATURES, TRNG_RND64, 0, 0), 0);
    assert_int_equal(call(TRNG_FEATURES, PSCI_VERSION, 0, 0), NOT_SUPPORTED);
    (void)call(TRNG_UUID, 0, 0, 0);
    assert_int_not_equal((uint32_t)vcpu->hv.x[0], UINT32_MAX);
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(call(TRNG_RND64, 65, ~0ULL, ~0ULL), 0);
        assert_int_equal(vcpu->hv.x[1], 0);
        assert_int_equal(vcpu->hv.x[2] & ~1ULL, 0);
        seen |= vcpu->hv.x[3];
    }
    assert_int_equal(seen, UINT64_MAX); /* every bit was once set */
    assert_int_equal(call(TRNG_RND32, 96, 0, 0), 0);
    assert_int_equal((vcpu->hv.x[1] | vcpu->hv.x[2] | vcpu->hv.x[3]) >> 32, 0);
    assert_int_equal(call(TRNG_RND32, 97, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(TRNG_RND64, 193, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(TRNG_RND64, 0, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(TRNG_RND64, UINT64_MAX, 0, 0), INVALID_PARAMETERS);
}

static void a_seed_changes_what_comes(void **state)
{
    uint8_t a[100], b[100];

    (void)state;
    entropy_get(a, sizeof(a));
    entropy_add("0123456789abcdef0123456789abcdef0123456789", 42);
    entropy_get(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    entropy_add(NULL, 0);
    entropy_get(a, sizeof(a));
    assert_memory_not_equal(a, b, sizeof(a));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(versions_are_told),
        TEST(features_are_those_of_the_table),
        TEST(a_cpu_is_turned_on_and_off),
        TEST(a_32_bit_call_takes_32_bit_arguments),
        TEST(a_wrong_target_or_entry_is_refused),
        TEST(affinity_info_covers_levels),
        TEST(suspend_waits_and_returns_success),
        TEST(the_last_cpu_turning_off_powers_the_vm_off),
        TEST(system_off_stops_all_vcpus),
        TEST(system_reset_starts_the_vm_anew),
        TEST(a_cpu_is_not_turned_on_while_the_vm_ends),
        TEST(what_is_unknown_is_not_supported),
        TEST(the_hypervisor_names_itself),
        TEST(random_numbers_are_as_wide_as_asked),
        TEST(a_seed_changes_what_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
