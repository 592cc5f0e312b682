/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a VM, whoever ends it, and what comes after: rest, a restart, or none. */

#include "tests/unit/fake_vm_parts.h"

#include "arch/fake/fake.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND ((uint64_t)FAKE_COUNTER_HZ)

static void pass(uint64_t ticks)
{
    fake_counter_set(arch_counter() + ticks);
    if (fake_timer_deadline() <= arch_counter())
        timer_interrupt();
}

static unsigned hooked;
static bool destroy_in_hook;

static void ended(struct vm *vm)
{
    hooked++;
    if (destroy_in_hook)
        assert_int_equal(vm_destroy(vm), OK);
}

static void a_stopped_vm_leaves_its_cpu_and_tells_so(void **state)
{
    struct vm *vm = fake_vm_running("ends");

    (void)state;
    hooked = 0;
    destroy_in_hook = false;
    vm_set_ended_hook(ended);
    assert_int_equal(this_cpu()->sched.placed, 1);
    assert_int_equal(vm_stop(vm), OK);
    assert_int_equal(vm->state, VM_STOPPING);
    assert_int_equal(vm_destroy(vm), ERR_BAD_STATE);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(this_cpu()->sched.placed, 0);
    assert_int_equal(hooked, 1);
    assert_int_equal(vm_destroy(vm), OK);
}

/* Else their timers would go on to interrupt the host's CPUs. */
static void a_vm_at_rest_has_its_devices_reset(void **state)
{
    struct vm *vm = fake_vm_running("quiet");
    const unsigned resets = fake_parts.device->resets;

    (void)state;
    assert_int_equal(vm_stop(vm), OK);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(fake_parts.device->resets, resets + 1);
    assert_int_equal(fake_parts.chip_resets, 1);
    fake_vm_end(vm);
}

static void the_hook_may_destroy_the_vm(void **state)
{
    struct vm *vm = fake_vm_running("ends");

    (void)state;
    hooked = 0;
    destroy_in_hook = true;
    vm_set_ended_hook(ended);
    assert_int_equal(vm_stop(vm), OK);
    fake_drain();
    assert_int_equal(hooked, 1);
}

/* A wake-up that comes after the vCPU was parked must not keep the VM from coming to rest. */
static void a_late_wake_up_does_not_hold_up_the_end(void **state)
{
    struct vm *vm = fake_vm_running("woken");

    (void)state;
    assert_int_equal(vm_stop(vm), OK);
    while (vm->active != 0)
        assert_true(sched_turn());
    sched_wake(&vm->vcpus[0].sched);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->vcpus[0].hv.runs, 1);
    fake_vm_end(vm);
}

/* --- restart --- */

static void a_restart_gives_fresh_memory_and_devices(void **state)
{
    struct vm *vm = fake_vm_running("fresh");
    const unsigned resets = fake_parts.device->resets;
    uint64_t word = 0x55;
    size_t free_running;

    (void)state;
    assert_int_equal(vm_write_guest(vm, gpa(FAKE_RAM + 0x3000), &word, sizeof(word)), OK);
    free_running = pmm_free_count();
    assert_int_equal(vm_restart(vm), OK);
    fake_drain();
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm_read_guest(vm, gpa(FAKE_RAM + 0x3000), &word, sizeof(word)), OK);
    assert_int_equal(word, 0);
    assert_int_equal(vm_read_guest(vm, gpa(FAKE_ENTRY), &word, 6), OK);
    assert_memory_equal(&word, "kernel", 6);
    assert_int_equal(fake_parts.device->resets, resets + 1);
    assert_true(fake_parts.device->reset_locked); /* its timer may fire elsewhere */
    assert_int_equal(fake_parts.images, 2);
    assert_int_equal(fake_parts.chip_resets, 1);
    assert_int_equal(vm->vcpus[0].hv.runs, 2);
    assert_int_equal(pmm_free_count(), free_running);
    fake_vm_end(vm);
}

static void a_restart_that_cannot_load_ends_crashed(void **state)
{
    struct vm *vm = fake_vm_running("unlucky");

    (void)state;
    assert_int_equal(vm_stop(vm), OK);
    fake_drain();
    fake_parts.image_status = ERR_INVALID_ARGS;
    assert_int_equal(vm_restart(vm), ERR_INVALID_ARGS);
    assert_int_equal(vm->state, VM_CRASHED);
    fake_parts.image_status = OK;
    assert_int_equal(vm_restart(vm), OK);
    assert_int_equal(vm->state, VM_RUNNING);
    fake_drain();
    fake_vm_end(vm);
}

static struct vm *with_policy(enum vm_restart policy)
{
    struct vm_config config = fake_config("policy");
    struct vm *vm;

    config.restart = policy;
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm_boot(vm), OK);
    fake_drain();
    return vm;
}

static void the_policy_decides_after_power_off_and_crash(void **state)
{
    static const struct {
        enum vm_restart policy;
        enum vm_end end;
        enum vm_state then;
    } cases[] = {
        { VM_RESTART_NEVER, VM_END_POWER_OFF, VM_STOPPED },
        { VM_RESTART_NEVER, VM_END_CRASH, VM_CRASHED },
        { VM_RESTART_NEVER, VM_END_RESET, VM_RUNNING },
        { VM_RESTART_ON_CRASH, VM_END_POWER_OFF, VM_STOPPED },
        { VM_RESTART_ON_CRASH, VM_END_CRASH, VM_RUNNING },
        { VM_RESTART_ON_CRASH, VM_END_RESET, VM_RUNNING },
        { VM_RESTART_ALWAYS, VM_END_POWER_OFF, VM_RUNNING },
        { VM_RESTART_ALWAYS, VM_END_CRASH, VM_RUNNING },
        { VM_RESTART_ALWAYS, VM_END_STOP, VM_STOPPED },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vm *vm = with_policy(cases[i].policy);

        vm_end_by_guest(vm, cases[i].end);
        vm_end_by_guest(vm, VM_END_CRASH); /* the first end counts */
        fake_drain();
        assert_int_equal(vm->state, cases[i].then);
        fake_vm_end(vm);
    }
}

static void a_guest_that_crashes_at_once_is_given_up(void **state)
{
    struct vm *vm = with_policy(VM_RESTART_ALWAYS);
    unsigned crashes = 0;

    (void)state;
    for (; vm->state == VM_RUNNING && crashes < 20; crashes++) {
        vm_end_by_guest(vm, VM_END_CRASH);
        fake_drain();
    }
    assert_int_equal(crashes, 5);
    assert_int_equal(vm->state, VM_CRASHED);
    assert_int_equal(vm_restart(vm), OK); /* by hand it may try again */
    for (crashes = 0; vm->state == VM_RUNNING && crashes < 20; crashes++) {
        pass(11 * SECOND);
        vm_end_by_guest(vm, VM_END_CRASH);
        fake_drain();
    }
    assert_int_equal(crashes, 20); /* each ran for a while */
    fake_vm_end(vm);
}

static void a_guest_that_resets_all_the_time_is_slowed_down(void **state)
{
    struct vm *vm = fake_vm_running("storm");
    unsigned resets = 0;

    (void)state;
    for (; vm->state == VM_RUNNING && resets < 100; resets++) {
        vm_end_by_guest(vm, VM_END_RESET);
        fake_drain();
    }
    assert_int_equal(resets, 9);
    assert_int_equal(vm->state, VM_STOPPING);
    assert_int_equal(vm_destroy(vm), ERR_BAD_STATE);
    pass(SECOND / 10);
    fake_drain();
    assert_int_equal(vm->state, VM_RUNNING);
    pass(SECOND / 2); /* a run of some length makes good for it */
    for (resets = 0; resets < 5; resets++) {
        vm_end_by_guest(vm, VM_END_RESET);
        fake_drain();
        assert_int_equal(vm->state, VM_RUNNING);
    }
    fake_vm_end(vm);
}

/* --- shutdown --- */

static void a_shutdown_without_key_is_a_stop(void **state)
{
    struct vm *vm = fake_vm_running("keyless");

    (void)state;
    assert_int_equal(vm_shutdown(vm, 1000), OK);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    fake_vm_end(vm);
}

static void a_guest_that_obeys_is_not_restarted(void **state)
{
    struct vm *vm = with_policy(VM_RESTART_ALWAYS);

    (void)state;
    fake_parts.has_key = true;
    assert_int_equal(vm_shutdown(vm, 1000), OK);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPING);
    assert_int_equal(fake_parts.presses, 1);
    assert_int_equal(vm_shutdown(vm, 1000), ERR_BAD_STATE);
    vm_end_by_guest(vm, VM_END_POWER_OFF);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    pass(2 * SECOND); /* the timer has been forgotten */
    assert_int_equal(vm->state, VM_STOPPED);
    fake_vm_end(vm);
}

static void a_guest_that_does_not_obey_is_stopped(void **state)
{
    struct vm *vm = fake_vm_running("deaf");

    (void)state;
    fake_parts.has_key = true;
    assert_int_equal(vm_shutdown(vm, 1000), OK);
    fake_drain();
    pass(SECOND / 2);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPING);
    pass(SECOND);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    fake_vm_end(vm);
}

static void a_stop_cuts_a_shutdown_short(void **state)
{
    struct vm *vm = fake_vm_running("short");

    (void)state;
    fake_parts.has_key = true;
    assert_int_equal(vm_shutdown(vm, 100000), OK);
    assert_int_equal(vm_stop(vm), OK);
    assert_int_equal(vm_stop(vm), ERR_BAD_STATE);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    fake_vm_end(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stopped_vm_leaves_its_cpu_and_tells_so),
        TEST(a_vm_at_rest_has_its_devices_reset),
        TEST(the_hook_may_destroy_the_vm),
        TEST(a_late_wake_up_does_not_hold_up_the_end),
        TEST(a_restart_gives_fresh_memory_and_devices),
        TEST(a_restart_that_cannot_load_ends_crashed),
        TEST(the_policy_decides_after_power_off_and_crash),
        TEST(a_guest_that_crashes_at_once_is_given_up),
        TEST(a_guest_that_resets_all_the_time_is_slowed_down),
        TEST(a_shutdown_without_key_is_a_stop),
        TEST(a_guest_that_obeys_is_not_restarted),
        TEST(a_guest_that_does_not_obey_is_stopped),
        TEST(a_stop_cuts_a_shutdown_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
