/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on a VM: each in every state, pauses, and several CPUs calling at once. */

#include "tests/unit/fake_vm_parts.h"

#include "arch/fake/fake.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static status_t call_boot(struct vm *vm)
{
    return vm_boot(vm);
}

static status_t call_shutdown(struct vm *vm)
{
    return vm_shutdown(vm, 1000);
}

static status_t call_run(struct vm *vm)
{
    return vm_run_vcpu(vm, 0);
}

static status_t call_map(struct vm *vm)
{
    const struct region region = { .base = gpa(0x1000), .size = 0x1000, .kind = REGION_RESERVED };
    const status_t status = vm_map_region(vm, &region);

    return status != OK ? status : vm_unmap_region(vm, region.base);
}

static status_t call_inject(struct vm *vm)
{
    return vm_inject_interrupt(vm, 1, 40);
}

static struct vm *in_state(enum vm_state state)
{
    struct vm *vm = fake_vm("subject");

    assert_non_null(vm);
    if (state == VM_CREATED)
        return vm;
    if (state == VM_CRASHED)
        FAKE_SCRIPT(&vm->vcpus[0],
                    (struct vm_exit){ .reason = VM_EXIT_FATAL, .fatal = { .what = "test" } });
    assert_int_equal(vm_boot(vm), OK);
    fake_drain();
    if (state == VM_PAUSED)
        assert_int_equal(vm_pause(vm), OK);
    if (state == VM_STOPPING || state == VM_STOPPED)
        assert_int_equal(vm_stop(vm), OK);
    if (state != VM_STOPPING)
        fake_drain();
    assert_int_equal(vm->state, state);
    return vm;
}

static void each_call_is_right_in_its_states_only(void **state)
{
    static const struct {
        status_t (*call)(struct vm *vm);
        unsigned states;
    } calls[] = {
        { call_boot, BIT(VM_CREATED) },
        { vm_pause, BIT(VM_RUNNING) },
        { vm_resume, BIT(VM_PAUSED) },
        { call_shutdown, BIT(VM_RUNNING) },
        { vm_stop, BIT(VM_RUNNING) | BIT(VM_PAUSED) },
        { vm_restart, BIT(VM_RUNNING) | BIT(VM_PAUSED) | BIT(VM_STOPPED) | BIT(VM_CRASHED) },
        { vm_destroy, BIT(VM_CREATED) | BIT(VM_STOPPED) | BIT(VM_CRASHED) },
        { call_run, BIT(VM_RUNNING) },
        { call_map, BIT(VM_CREATED) | BIT(VM_PAUSED) | BIT(VM_STOPPED) | BIT(VM_CRASHED) },
        { call_inject, BIT(VM_CREATED) | BIT(VM_RUNNING) | BIT(VM_PAUSED) | BIT(VM_STOPPING) },
    };

    (void)state;
    for (unsigned c = 0; c < ARRAY_SIZE(calls); c++) {
        for (unsigned s = VM_CREATED; s <= VM_CRASHED; s++) {
            struct vm *vm = in_state(s);
            const bool right = calls[c].states & BIT(s);
            status_t status;

            fake_log_clear();
            status = calls[c].call(vm);
            assert_int_equal(status, right ? OK : ERR_BAD_STATE);
            if (!right) {
                assert_int_equal(vm->state, s); /* nothing changed */
                assert_non_null(strstr(fake_log, "subject: cannot "));
                assert_null(strchr(strchr(fake_log, '\n') + 1, '\n')); /* said once */
            }
            if (vm_find("subject") != NULL) {
                fake_drain();
                fake_vm_end(vm);
            }
            assert_int_equal(pmm_free_count(), fake_free_before);
        }
    }
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(vm_state_name(VM_CREATED), "created");
    assert_string_equal(vm_state_name(VM_CRASHED), "crashed");
    assert_string_equal(vm_state_name((enum vm_state)99), "?");
}

/* --- pauses --- */

static void a_paused_vcpu_stays_out_of_its_guest(void **state)
{
    struct vm *vm = fake_vm_running("paused");
    struct vcpu *vcpu = &vm->vcpus[0];

    (void)state;
    assert_int_equal(vm_pause(vm), OK);
    fake_drain();
    assert_true(vcpu->parked);
    assert_int_equal(vm->active, 0);
    vcpu_request(vcpu, VCPU_REQ_IRQ);
    fake_drain();
    assert_int_equal(vcpu->hv.runs, 1);
    assert_int_equal(vm_resume(vm), OK);
    fake_drain();
    assert_int_equal(vcpu->hv.runs, 2);
    assert_int_equal(fake_parts.syncs, 1); /* the interrupt was not forgotten */
    fake_vm_end(vm);
}

static void a_resume_overtakes_a_pause(void **state)
{
    struct vm *vm = fake_vm_running("hasty");

    (void)state;
    assert_int_equal(vm_pause(vm), OK);
    assert_int_equal(call_map(vm), ERR_BAD_STATE); /* its vCPU has not parked yet */
    assert_int_equal(vm_resume(vm), OK);
    fake_drain();
    assert_false(vm->vcpus[0].parked);
    assert_int_equal(vm->active, 1);
    assert_int_equal(vm->vcpus[0].hv.runs, 2);
    fake_vm_end(vm);
}

static void a_vcpu_powered_on_during_a_pause_starts_at_resume(void **state)
{
    struct vm_config config = fake_config("two");
    const struct hv_reset start = { .entry = FAKE_RAM + 0x2000 };
    struct vm *vm;

    (void)state;
    config.cpus = 2;
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm_boot(vm), OK);
    assert_int_equal(vm_pause(vm), OK);
    assert_int_equal(vcpu_power_on(&vm->vcpus[1], &start), OK);
    assert_int_equal(vcpu_power_on(&vm->vcpus[1], &start), ERR_ALREADY_EXISTS);
    fake_drain();
    assert_int_equal(vm->vcpus[1].hv.runs, 0);
    assert_int_equal(vm_resume(vm), OK);
    fake_drain();
    assert_int_equal(vm->vcpus[1].hv.runs, 1);
    assert_int_equal(vm->vcpus[1].hv.reset.entry, FAKE_RAM + 0x2000);
    assert_int_equal(vm->vcpus[1].hv.reset.id, 1);
    fake_vm_end(vm);
}

/* --- several CPUs calling at once --- */

#define THREADS 3 /* the first two are CPUs that run guests, too */
#define CALLS 3000

static struct vm *shared;
static struct cpu *thread_cpus[THREADS];
static unsigned working;

static status_t call_power_on(struct vm *vm)
{
    const struct hv_reset start = { .entry = FAKE_RAM };

    return vcpu_power_on(&vm->vcpus[1], &start);
}

static status_t call_request(struct vm *vm)
{
    vcpu_request(&vm->vcpus[0], VCPU_REQ_IRQ);
    vcpu_request(&vm->vcpus[1], VCPU_REQ_IRQ);
    return OK;
}

static status_t call_write(struct vm *vm)
{
    return vm_write_guest_u64(vm, gpa(FAKE_RAM + 0x201000), 5);
}

static status_t call_reset(struct vm *vm)
{
    vm_end_by_guest(vm, VM_END_RESET);
    return OK;
}

/* The first thread moves the time; each takes its own timer's interrupts. */
static void time_goes_on(unsigned self)
{
    if (self == 0)
        fake_counter_set(arch_counter() + FAKE_COUNTER_HZ / 1000);
    if (fake_timer_deadline() <= arch_counter())
        timer_interrupt();
}

static void *thread_main(void *arg)
{
    static status_t (*const calls[])(struct vm * vm) = {
        vm_pause,    vm_resume,     vm_stop,      vm_restart, vm_resume,  vm_restart,
        call_inject, call_power_on, call_request, call_write, call_reset, call_shutdown,
    };
    const unsigned self = (unsigned)(uintptr_t)arg;
    unsigned seed = self;

    arch_set_this_cpu(thread_cpus[self]);
    for (unsigned i = 0; i < CALLS; i++) {
        const unsigned which = (unsigned)rand_r(&seed) % ARRAY_SIZE(calls);

        (void)calls[which](shared);
        time_goes_on(self);
        for (unsigned turns = 0; sched_turn() && turns < 10; turns++)
            ;
    }
    __atomic_fetch_sub(&working, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&working, __ATOMIC_ACQUIRE) != 0 || shared->state == VM_STOPPING ||
           shared->active != 0) {
        if (self == 0)
            (void)vm_stop(shared);
        time_goes_on(self);
        (void)sched_turn();
    }
    return NULL;
}

static void calls_from_several_cpus_keep_the_vm_whole(void **state)
{
    struct vm_config config = fake_config("shared");
    pthread_t threads[THREADS];

    (void)state;
    log_set_sink(NULL);
    config.cpus = 2;
    config.ram[0].size = 4 * SIZE_2M;
    assert_int_equal(vm_create(&config, &shared), OK);
    working = THREADS;
    thread_cpus[0] = this_cpu();
    for (unsigned i = 1; i < THREADS; i++) {
        thread_cpus[i] = cpu_new(i);
        assert_non_null(thread_cpus[i]);
        thread_cpus[i]->id = i;
    }
    cpu_set_online(thread_cpus[1]);
    assert_int_equal(vm_boot(shared), OK);
    for (uintptr_t i = 1; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, (void *)i), 0);
    (void)thread_main((void *)0);
    for (unsigned i = 1; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(shared->active, 0);
    assert_true(shared->state == VM_STOPPED || shared->state == VM_CRASHED);
    assert_int_equal(vm_destroy(shared), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_call_is_right_in_its_states_only),
        TEST(states_have_names),
        TEST(a_paused_vcpu_stays_out_of_its_guest),
        TEST(a_resume_overtakes_a_pause),
        TEST(a_vcpu_powered_on_during_a_pause_starts_at_resume),
        TEST(calls_from_several_cpus_keep_the_vm_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
