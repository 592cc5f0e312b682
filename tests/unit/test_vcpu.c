/* SPDX-License-Identifier: BSD-2-Clause */
/* The run loop and the dispatcher: starts, crashes and their reports, halts, statistics. */
#include "tests/unit/vcpu_test.h"

#include "vm/stats.h"

static void boot_starts_the_first_vcpu_at_the_entry(void **state)
{
    (void)state;
    run();
    assert_int_equal(vcpu->hv.reset.entry, FAKE_ENTRY);
    assert_int_equal(vcpu->hv.root.raw, vm_stage2_root(vm).raw);
    assert_int_equal(vcpu->hv.tag, vm->space.stage2.tag);
    assert_int_equal(vcpu->hv.runs, 1);
    assert_true(vcpu->halted);
    assert_false(vcpu->hv.loaded); /* blocked: its registers are back */
    assert_int_equal(fake_parts.loads, fake_parts.puts);
    assert_null(vcpu_current());
}

static void strays_are_logged_four_times(void **state)
{
    unsigned lines = 0;

    (void)state;
    FAKE_SCRIPT(vcpu, load(0, 4), load(4, 4), load(8, 4), load(12, 4), load(16, 4), load(20, 4));
    run();
    for (const char *at = fake_log; (at = strstr(at, "has nothing")) != NULL; at++)
        lines++;
    assert_int_equal(lines, 4);
    assert_int_equal(vm->strays, 6);
}

static void a_fetch_from_nothing_crashes_with_a_report(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, load(0x123450, 4), fetch(0x200));
    run();
    assert_int_equal(vm->state, VM_CRASHED);
    assert_non_null(strstr(fake_log, "guest: vCPU 0 crashed: instruction fetch"));
    assert_non_null(strstr(fake_log, "usual cause"));
    assert_non_null(strstr(fake_log, "the latest to 0x123450"));
    assert_non_null(strstr(fake_log, "code at 0x40001000: 6b 65 72 6e")); /* "kern" */
}

static void a_wrong_entry_is_told_as_such(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, fetch(FAKE_ENTRY));
    vm->space.regions[1].prot = PT_READ | PT_WRITE; /* nothing to run there */
    run();
    assert_int_equal(vm->state, VM_CRASHED);
    assert_non_null(strstr(fake_log, "entry point is outside"));
}

static void push_frame(struct vcpu *on)
{
    static const uint64_t frames[4] = { FAKE_RAM + 0x110, 0xaaaa0, FAKE_RAM + 0x100, 0xbbbb0 };

    on->hv.x[29] = FAKE_RAM + 0x100;
    assert_int_equal(vm_write_guest(vm, gpa(FAKE_RAM + 0x100), frames, sizeof(frames)), OK);
}

static void the_report_follows_frames_upwards_only(void **state)
{
    (void)state;
    fake_parts.on_run = push_frame;
    FAKE_SCRIPT(vcpu, plain(VM_EXIT_IRQ), fetch(0));
    vcpu_request(vcpu, VCPU_REQ_IRQ);
    run();
    assert_non_null(strstr(fake_log, "called from 0xaaaa0"));
    assert_non_null(strstr(fake_log, "called from 0xbbbb0"));
    assert_int_equal(vm->state, VM_CRASHED);
}

static void a_fetch_from_a_device_crashes(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, fetch(FAKE_DEVICE));
    run();
    assert_int_equal(vm->state, VM_CRASHED);
    assert_int_equal(fake_parts.device->reads, 0);
}

static void a_fatal_exit_crashes_with_its_reason(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, (struct vm_exit){ .reason = VM_EXIT_FATAL,
                                        .fatal = { .what = "it is broken", .syndrome = 0x5a } });
    run();
    assert_int_equal(vm->state, VM_CRASHED);
    assert_non_null(strstr(fake_log, "crashed: it is broken"));
    assert_int_equal(vcpu->hv.runs, 1);
}

static void a_halt_with_an_interrupt_pending_goes_on(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, plain(VM_EXIT_HALT), plain(VM_EXIT_HALT),
                (struct vm_exit){ .reason = VM_EXIT_FATAL, .fatal = { .what = "end" } });
    fake_parts.wakes = true;
    run();
    assert_int_equal(vcpu->hv.runs, 3);
    assert_false(vcpu->halted);
    fake_parts.wakes = false;
}

static void an_interrupt_wakes_a_halted_vcpu(void **state)
{
    (void)state;
    run();
    assert_true(vcpu->halted);
    vcpu_request(vcpu, VCPU_REQ_IRQ);
    fake_drain();
    assert_int_equal(vcpu->hv.runs, 2);
    assert_int_equal(fake_parts.syncs, 1);
    assert_int_equal(vcpu->requests, 0);
}

static void an_ipi_is_sent(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, plain(VM_EXIT_IPI), plain(VM_EXIT_IRQ), plain(VM_EXIT_YIELD));
    run();
    assert_int_equal(fake_parts.ipis, 1);
    assert_int_equal(fake_parts.irqs, 1);
    assert_int_equal(vcpu->hv.pc, FAKE_ENTRY); /* the backend's to move */
    assert_int_equal(vcpu->hv.runs, 4);        /* nobody waits: a yield goes on */
}

static void halting_is_trapped_only_while_another_waits(void **state)
{
    struct vm *other = fake_vm("other");
    struct vcpu *second = &other->vcpus[0];

    (void)state;
    FAKE_SCRIPT(vcpu, plain(VM_EXIT_IRQ));
    assert_int_equal(vm_boot(vm), OK);
    assert_int_equal(vm_boot(other), OK);
    assert_true(sched_turn());
    assert_true(vcpu->hv.trap_halt);
    fake_drain();
    assert_false(second->hv.trap_halt);
    assert_int_equal(vm_stop(other), OK);
    fake_drain();
    assert_int_equal(vm_destroy(other), OK);
}

static void statistics_are_a_line_for_each_vcpu_that_ran(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, plain(VM_EXIT_IRQ), load(FAKE_DEVICE, 4));
    run();
    fake_log_clear();
    vm_log_stats(vm);
    assert_non_null(strstr(fake_log, "steal"));
    assert_non_null(strstr(fake_log, "memory"));
    assert_null(strstr(fake_log, "msr")); /* nobody had such an exit */
    assert_non_null(strstr(fake_log, "guest:    0"));
}

static void a_caller_can_run_a_vcpu_itself(void **state)
{
    (void)state;
    assert_int_equal(vm_run_vcpu(vm, 0), ERR_BAD_STATE);
    assert_int_equal(vm_boot(vm), OK);
    assert_int_equal(vm_run_vcpu(vm, 1), ERR_NOT_FOUND);
    assert_int_equal(vm_run_vcpu(vm, UINT32_MAX), ERR_NOT_FOUND);
    sched_turn(); /* takes what vm_boot asked of this CPU */
    assert_int_equal(vm_run_vcpu(vm, 0), OK);
    assert_int_equal(vcpu->hv.runs, 2);
    assert_false(vcpu->hv.loaded);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boot_starts_the_first_vcpu_at_the_entry),
        TEST(strays_are_logged_four_times),
        TEST(a_fetch_from_nothing_crashes_with_a_report),
        TEST(a_wrong_entry_is_told_as_such),
        TEST(the_report_follows_frames_upwards_only),
        TEST(a_fetch_from_a_device_crashes),
        TEST(a_fatal_exit_crashes_with_its_reason),
        TEST(a_halt_with_an_interrupt_pending_goes_on),
        TEST(an_interrupt_wakes_a_halted_vcpu),
        TEST(an_ipi_is_sent),
        TEST(halting_is_trapped_only_while_another_waits),
        TEST(statistics_are_a_line_for_each_vcpu_that_ran),
        TEST(a_caller_can_run_a_vcpu_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
