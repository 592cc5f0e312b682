/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU that another turns off, as x86's INIT does, and halts that only interrupts end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/fake_vm_parts.h"
#include "vm/vcpu.h"

#define PAGE 0x9a000u

static struct vm *vm;
static struct vcpu *other;

static const struct hv_reset start = { .entry = PAGE };

static int setup(void **state)
{
    struct vm_config config;

    (void)state;
    fake_world_init();
    config = fake_config("guest");
    config.cpus = 2;
    if (vm_create(&config, &vm) != OK || vm_boot(vm) != OK)
        return -1;
    other = &vm->vcpus[1];
    fake_drain();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)vm_stop(vm);
    fake_drain();
    return vm_destroy(vm) == OK ? 0 : -1;
}

static void switch_on(void)
{
    assert_int_equal(vcpu_power_on(other, &start), OK);
    fake_drain();
    assert_int_equal(other->power, VCPU_ON);
}

static void one_that_runs_is_off_at_its_next_entry(void **state)
{
    (void)state;
    switch_on();
    vcpu_turn_off(other);
    assert_int_equal(other->power, VCPU_ON);
    fake_drain();
    assert_int_equal(other->power, VCPU_OFF);
    assert_false(other->loaded);
    assert_int_equal(vm->active, 1);
    assert_int_equal(vm->state, VM_RUNNING);
    switch_on();
    assert_int_equal(vm->active, 2);
    assert_int_equal(vcpu_power_on(other, &start), ERR_ALREADY_EXISTS);
}

static void one_that_is_off_stays_as_it_is(void **state)
{
    (void)state;
    vcpu_turn_off(other);
    fake_drain();
    assert_int_equal(other->power, VCPU_OFF);
    switch_on();
    assert_int_equal(other->hv.reset.entry, PAGE);
}

static void a_power_on_before_it_is_off_counts(void **state)
{
    const struct hv_reset elsewhere = { .entry = PAGE + 0x1000 };
    unsigned resets;

    (void)state;
    switch_on();
    resets = fake_parts.vcpu_resets;
    vcpu_turn_off(other);
    assert_int_equal(vcpu_power_on(other, &elsewhere), OK);
    fake_drain();
    assert_int_equal(other->power, VCPU_ON);
    assert_int_equal(other->hv.reset.entry, PAGE + 0x1000);
    assert_int_equal(other->hv.reset.id, 1);
    assert_int_equal(fake_parts.vcpu_resets, resets + 1);
    assert_int_equal(vm->active, 2);
}

static void a_paused_vm_turns_it_off_when_it_goes_on(void **state)
{
    (void)state;
    switch_on();
    assert_int_equal(vm_pause(vm), OK);
    vcpu_turn_off(other);
    fake_drain();
    assert_int_equal(vm_resume(vm), OK);
    fake_drain();
    assert_int_equal(other->power, VCPU_OFF);
    assert_int_equal(vm->active, 1);
    switch_on();
}

static void a_stop_forgets_that_it_was_to_be_off(void **state)
{
    (void)state;
    switch_on();
    assert_int_equal(vm_pause(vm), OK);
    fake_drain();
    vcpu_turn_off(other);
    assert_int_equal(vm_restart(vm), OK);
    fake_drain();
    switch_on();
    assert_int_equal(vcpu_power_on(other, &start), ERR_ALREADY_EXISTS);
    assert_int_equal(vm_stop(vm), OK);
    vcpu_turn_off(other);
    fake_drain();
    assert_int_equal(vm->state, VM_STOPPED);
}

static bool irq_ready(const struct hv_vcpu *vcpu)
{
    (void)vcpu;
    return true;
}

static void a_strict_halt_ends_by_an_interrupt_only(void **state)
{
    const struct hv_ops *backend = hv;
    struct hv_ops strict = *hv;
    unsigned runs;

    (void)state;
    strict.irq_ready = irq_ready;
    hv = &strict;
    switch_on();
    runs = other->hv.runs;
    assert_true(other->halted);
    vcpu_request(other, VCPU_REQ_IRQ); /* for one that it does not take now */
    fake_drain();
    assert_int_equal(vm_pause(vm), OK);
    fake_drain();
    assert_int_equal(vm_resume(vm), OK);
    fake_drain();
    assert_int_equal(other->hv.runs, runs);
    assert_true(other->halted);
    vcpu_turn_off(other);
    fake_drain();
    assert_int_equal(other->power, VCPU_OFF);
    switch_on();
    assert_int_equal(other->hv.runs, runs + 1);
    hv = backend;
    vcpu_request(other, VCPU_REQ_IRQ); /* WFI ends by anything */
    fake_drain();
    assert_int_equal(other->hv.runs, runs + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_runs_is_off_at_its_next_entry),
        TEST(one_that_is_off_stays_as_it_is),
        TEST(a_power_on_before_it_is_off_counts),
        TEST(a_paused_vm_turns_it_off_when_it_goes_on),
        TEST(a_stop_forgets_that_it_was_to_be_off),
        TEST(a_strict_halt_ends_by_an_interrupt_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
