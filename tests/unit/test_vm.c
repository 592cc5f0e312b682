/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a VM: every call in every state, ends and restarts, and that nothing leaks. */

#include "tests/unit/fake_arena.h"
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

#define SECOND ((uint64_t)FAKE_COUNTER_HZ)

static size_t free_before;
static uint64_t now;

static void pass(uint64_t ticks)
{
    now += ticks;
    fake_counter_set(now);
    if (fake_timer_deadline() <= now)
        timer_interrupt();
}

static int setup(void **state)
{
    (void)state;
    fake_world_init();
    free_before = pmm_free_count();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_null(vm_first());
    assert_int_equal(pmm_free_count(), free_before);
    return 0;
}

static struct vm *running(const char *name)
{
    struct vm *vm = fake_vm(name);

    assert_non_null(vm);
    assert_int_equal(vm_boot(vm), OK);
    fake_drain();
    return vm;
}

static void end(struct vm *vm)
{
    if (vm->state == VM_RUNNING || vm->state == VM_PAUSED)
        assert_int_equal(vm_stop(vm), OK);
    fake_drain();
    assert_int_equal(vm_destroy(vm), OK);
}

/* --- the table of states --- */

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
                end(vm);
            }
            assert_int_equal(pmm_free_count(), free_before);
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

/* --- making and unmaking --- */

static void a_thousand_vms_leave_no_page_behind(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct vm *vm = running("again");
        uint64_t word = 1;

        assert_int_equal(vm_write_guest(vm, gpa(FAKE_RAM + 8 * i), &word, sizeof(word)), OK);
        end(vm);
        assert_int_equal(pmm_free_count(), free_before);
    }
}

/* Takes memory until `pages` are left, in one run as far as that goes. */
static unsigned hoard(paddr_t *pages, unsigned left)
{
    unsigned taken = 0;

    while (pmm_alloc(0, VM_PAGE_WIRED, &pages[taken]) == OK)
        taken++;
    assert_true(taken >= left);
    while (left-- != 0)
        pmm_free(pages[--taken]);
    return taken;
}

static void creation_fails_cleanly_at_every_page(void **state)
{
    static paddr_t pages[FAKE_ARENA_PAGES];
    const struct vm_config config = fake_config("poor");
    status_t status = ERR_NO_MEMORY;
    unsigned left = 0, failures = 0;

    (void)state;
    for (; status != OK; left++) {
        const unsigned taken = hoard(pages, left);
        struct vm *vm = NULL;

        assert_int_equal(pmm_free_count(), left);
        status = vm_create(&config, &vm);
        if (status == OK) {
            assert_int_equal(vm_destroy(vm), OK);
        } else {
            assert_int_equal(status, ERR_NO_MEMORY);
            assert_null(vm_first());
            failures++;
        }
        assert_int_equal(pmm_free_count(), left);
        for (unsigned i = 0; i < taken; i++)
            pmm_free(pages[i]);
        assert_int_equal(pmm_free_count(), free_before);
    }
    assert_true(failures > 10);
}

static void creation_undoes_a_machine_or_image_that_fails(void **state)
{
    const struct vm_config config = fake_config("bad");
    struct vm *vm;

    (void)state;
    fake_parts.build_status = ERR_UNSUPPORTED;
    assert_int_equal(vm_create(&config, &vm), ERR_UNSUPPORTED);
    assert_int_equal(pmm_free_count(), free_before);
    fake_parts.build_status = OK;
    fake_parts.image_status = ERR_INVALID_ARGS;
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    assert_non_null(strstr(fake_log, "bad: not created: its images"));
}

static void a_wrong_configuration_is_refused(void **state)
{
    struct vm_config config = fake_config("wrong");
    struct vm *vm;

    (void)state;
    config.cpus = 0;
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    config = fake_config("wrong");
    config.cpus = VM_MAX_VCPUS + 1;
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    config = fake_config("wrong");
    strcpy(config.machine, "toaster");
    assert_int_equal(vm_create(&config, &vm), ERR_NOT_FOUND);
    assert_non_null(strstr(fake_log, "toaster"));
    config = fake_config("wrong");
    memset(config.name, 'x', sizeof(config.name)); /* does not end */
    config.ram[0].base = gpa(UINT64_MAX - 4095);
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    assert_int_equal(vm_create(NULL, &vm), ERR_INVALID_ARGS);
    config = fake_config("wrong");
    config.ram[0].base = gpa(FAKE_DEVICE & ~(SIZE_2M - 1)); /* under the device */
    config.ram[0].size = 16 << 20;
    assert_int_equal(vm_create(&config, &vm), ERR_ALREADY_EXISTS);
}

static void names_are_unique_and_ids_reused(void **state)
{
    struct vm *first = fake_vm("one"), *second = fake_vm("two"), *third;
    const struct vm_config config = fake_config("one");

    (void)state;
    assert_int_equal(vm_create(&config, &third), ERR_ALREADY_EXISTS);
    assert_int_equal(first->id, 0);
    assert_int_equal(second->id, 1);
    assert_ptr_equal(vm_first(), first);
    assert_ptr_equal(vm_find("two"), second);
    end(first);
    third = fake_vm("three");
    assert_int_equal(third->id, 0);
    assert_ptr_equal(vm_first(), second);
    assert_ptr_equal(second->next, third);
    end(second);
    end(third);
}

static void a_stale_pointer_is_refused(void **state)
{
    struct vm *vm = fake_vm("gone");
    uint8_t byte = 0;

    (void)state;
    end(vm);
    assert_int_equal(vm_boot(vm), ERR_NOT_FOUND);
    assert_int_equal(vm_destroy(vm), ERR_NOT_FOUND);
    assert_int_equal(vm_shutdown(vm, 1), ERR_NOT_FOUND);
    assert_int_equal(vm_read_guest(vm, gpa(FAKE_RAM), &byte, 1), ERR_NOT_FOUND);
    assert_int_equal(vm_inject_interrupt(vm, 1, 1), ERR_NOT_FOUND);
    assert_int_equal(call_map(vm), ERR_NOT_FOUND);
}

static void no_cpu_of_the_affinity_online_refuses_the_boot(void **state)
{
    struct vm_config config = fake_config("elsewhere");
    struct vm *vm;

    (void)state;
    config.affinity = BIT(5);
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm_boot(vm), ERR_NOT_FOUND);
    assert_int_equal(vm->state, VM_CREATED);
    assert_int_equal(vm->active, 0);
    assert_int_equal(vm_destroy(vm), OK);
}

static void prefault_commits_all_of_the_ram(void **state)
{
    struct vm_config config = fake_config("ahead");
    struct vm *vm;

    (void)state;
    config.prefault = true;
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm->ram[0].stats.committed_pages, FAKE_RAM_SIZE / PAGE_SIZE);
    assert_int_equal(vm->ram[0].stats.committed_blocks, FAKE_RAM_SIZE / SIZE_2M);
    end(vm);
}

/* A PC's begins at 1 MiB, or in the middle of that. */
static void blocks_back_ram_that_begins_between_them(void **state)
{
    struct vm_config config = fake_config("between");
    struct vm *vm;

    (void)state;
    config.prefault = true;
    config.ram[0].base = gpa(FAKE_RAM - SIZE_2M / 2);
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm->ram[0].stats.committed_pages, FAKE_RAM_SIZE / PAGE_SIZE);
    assert_int_equal(vm->ram[0].stats.committed_blocks, FAKE_RAM_SIZE / SIZE_2M - 1);
    assert_int_equal(vm_destroy(vm), OK);
}

/* --- ends --- */

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
    struct vm *vm = running("ends");

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
    struct vm *vm = running("quiet");
    const unsigned resets = fake_parts.device->resets;

    (void)state;
    assert_int_equal(vm_stop(vm), OK);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(fake_parts.device->resets, resets + 1);
    assert_int_equal(fake_parts.chip_resets, 1);
    end(vm);
}

static void the_hook_may_destroy_the_vm(void **state)
{
    struct vm *vm = running("ends");

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
    struct vm *vm = running("woken");

    (void)state;
    assert_int_equal(vm_stop(vm), OK);
    while (vm->active != 0)
        assert_true(sched_turn());
    sched_wake(&vm->vcpus[0].sched);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->vcpus[0].hv.runs, 1);
    end(vm);
}

static void a_paused_vcpu_stays_out_of_its_guest(void **state)
{
    struct vm *vm = running("paused");
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
    end(vm);
}

static void a_resume_overtakes_a_pause(void **state)
{
    struct vm *vm = running("hasty");

    (void)state;
    assert_int_equal(vm_pause(vm), OK);
    assert_int_equal(call_map(vm), ERR_BAD_STATE); /* its vCPU has not parked yet */
    assert_int_equal(vm_resume(vm), OK);
    fake_drain();
    assert_false(vm->vcpus[0].parked);
    assert_int_equal(vm->active, 1);
    assert_int_equal(vm->vcpus[0].hv.runs, 2);
    end(vm);
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
    end(vm);
}

/* --- restart --- */

static void a_restart_gives_fresh_memory_and_devices(void **state)
{
    struct vm *vm = running("fresh");
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
    end(vm);
}

static void a_restart_that_cannot_load_ends_crashed(void **state)
{
    struct vm *vm = running("unlucky");

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
    end(vm);
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
        end(vm);
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
    end(vm);
}

static void a_guest_that_resets_all_the_time_is_slowed_down(void **state)
{
    struct vm *vm = running("storm");
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
    end(vm);
}

/* --- shutdown --- */

static void a_shutdown_without_key_is_a_stop(void **state)
{
    struct vm *vm = running("keyless");

    (void)state;
    assert_int_equal(vm_shutdown(vm, 1000), OK);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    end(vm);
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
    end(vm);
}

static void a_guest_that_does_not_obey_is_stopped(void **state)
{
    struct vm *vm = running("deaf");

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
    end(vm);
}

static void a_stop_cuts_a_shutdown_short(void **state)
{
    struct vm *vm = running("short");

    (void)state;
    fake_parts.has_key = true;
    assert_int_equal(vm_shutdown(vm, 100000), OK);
    assert_int_equal(vm_stop(vm), OK);
    assert_int_equal(vm_stop(vm), ERR_BAD_STATE);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
    end(vm);
}

/* --- devices, interrupts --- */

static void a_device_may_have_several_ranges(void **state)
{
    struct vm *vm = fake_vm("ranges");
    struct vdev *dev = vm_devices(vm);

    (void)state;
    assert_ptr_equal(dev, &fake_parts.device->dev);
    assert_int_equal(vm_attach_device(vm, dev, gpa(0x9100000), 0x100), OK);
    assert_ptr_equal(vm_devices(vm), dev);
    assert_null(dev->next);
    assert_int_equal(aspace_find(&vm->space, gpa(FAKE_DEVICE))->dev_range, 0);
    assert_int_equal(aspace_find(&vm->space, gpa(0x91000ff))->dev_range, 1);
    assert_int_equal(vm_attach_device(vm, dev, gpa(0x91000ff), 1), ERR_ALREADY_EXISTS);
    end(vm);
}

static void interrupts_of_vcpus_it_has_not_are_refused(void **state)
{
    struct vm *vm = running("one");

    (void)state;
    assert_int_equal(vm_inject_interrupt(vm, 1, 27), OK);
    assert_int_equal(vm_inject_interrupt(vm, 2, 27), ERR_NOT_FOUND);
    assert_int_equal(vm_inject_interrupt(vm, BIT(63), 27), ERR_NOT_FOUND);
    assert_int_equal(vm_inject_interrupt(vm, 1, 5000), ERR_INVALID_ARGS);
    assert_int_equal(fake_parts.injects, 2);
    end(vm);
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
        fake_counter_set(now += SECOND / 1000);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_call_is_right_in_its_states_only),
        TEST(states_have_names),
        TEST(a_thousand_vms_leave_no_page_behind),
        TEST(creation_fails_cleanly_at_every_page),
        TEST(creation_undoes_a_machine_or_image_that_fails),
        TEST(a_wrong_configuration_is_refused),
        TEST(names_are_unique_and_ids_reused),
        TEST(a_stale_pointer_is_refused),
        TEST(no_cpu_of_the_affinity_online_refuses_the_boot),
        TEST(prefault_commits_all_of_the_ram),
        TEST(blocks_back_ram_that_begins_between_them),
        TEST(a_stopped_vm_leaves_its_cpu_and_tells_so),
        TEST(a_vm_at_rest_has_its_devices_reset),
        TEST(the_hook_may_destroy_the_vm),
        TEST(a_late_wake_up_does_not_hold_up_the_end),
        TEST(a_paused_vcpu_stays_out_of_its_guest),
        TEST(a_resume_overtakes_a_pause),
        TEST(a_vcpu_powered_on_during_a_pause_starts_at_resume),
        TEST(a_restart_gives_fresh_memory_and_devices),
        TEST(a_restart_that_cannot_load_ends_crashed),
        TEST(the_policy_decides_after_power_off_and_crash),
        TEST(a_guest_that_crashes_at_once_is_given_up),
        TEST(a_guest_that_resets_all_the_time_is_slowed_down),
        TEST(a_shutdown_without_key_is_a_stop),
        TEST(a_guest_that_obeys_is_not_restarted),
        TEST(a_guest_that_does_not_obey_is_stopped),
        TEST(a_stop_cuts_a_shutdown_short),
        TEST(a_device_may_have_several_ranges),
        TEST(interrupts_of_vcpus_it_has_not_are_refused),
        TEST(calls_from_several_cpus_keep_the_vm_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
