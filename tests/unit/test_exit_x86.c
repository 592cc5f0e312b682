/* SPDX-License-Identifier: BSD-2-Clause */
/* The exits that only x86 has, through the table that the run loop uses. */
#include "tests/unit/pc_machine.h"

#include "kernel/irq.h"
#include "vm/exit.h"
#include "vm/pio.h"

static struct pio_bus bus;
static uint8_t memory;
static unsigned dispatched;

/* --- the rest of the hypervisor --- */

bool irq_handle_one(void)
{
    return ++dispatched % 2 != 0;
}

void vcpu_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what)
{
    (void)vcpu;
    (void)exit;
    fail_msg("crashed: %s", what);
}

enum vcpu_next exit_memory(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
    return VCPU_ENTER;
}

static status_t memory_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    (void)context;
    assert_int_equal(size, 1);
    *value = memory;
    return address.raw == 0 ? OK : ERR_NOT_FOUND;
}

static status_t memory_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    (void)context;
    assert_int_equal(size, 1);
    memory = (uint8_t)value;
    return address.raw == 0 ? OK : ERR_NOT_FOUND;
}

struct hv_bus exit_bus(struct vcpu *vcpu)
{
    return (struct hv_bus){ .context = vcpu, .read = memory_read, .write = memory_write };
}

static struct guest_cpu *run(const struct vm_exit *exit)
{
    guest[0].finished = false;
    assert_int_equal(exit_handlers[exit->reason](&vm.vcpus[0], exit), VCPU_ENTER);
    settle();
    return &guest[0];
}

static struct guest_cpu *port(uint16_t number, uint8_t size, bool write, uint64_t value)
{
    return run(&(struct vm_exit){
        .reason = VM_EXIT_PIO,
        .pio = { .port = number, .size = size, .write = write, .value = value, .decoded = true } });
}

static struct guest_cpu *string(uint16_t number, uint8_t size, bool write)
{
    return run(&(struct vm_exit){ .reason = VM_EXIT_PIO,
                                  .pio = { .port = number, .size = size, .write = write } });
}

static struct guest_cpu *msr(uint32_t index, bool write, uint64_t value)
{
    return run(&(struct vm_exit){ .reason = VM_EXIT_MSR,
                                  .msr = { .index = index, .write = write, .value = value } });
}

static void start(void)
{
    pc_start_enabled(2);
    dispatched = 0;
    bus = (struct pio_bus){ 0 };
    assert_int_equal(
        pio_map(&bus,
                &(struct pio_range){ .first = 0x20, .count = 2, .dev = &vm.irqchip->pic.dev }),
        OK);
    vm.ports = &bus;
}

/* --- tests --- */

static void every_reason_has_a_handler(void **unused)
{
    (void)unused;
    for (unsigned reason = 0; reason < VM_EXIT_REASONS; reason++)
        assert_non_null(exit_handlers[reason]);
}

static void ports_reach_their_model(void **unused)
{
    (void)unused;
    start();
    assert_true(port(0x21, 1, true, 0x5a)->finished);
    assert_true(port(0x21, 1, false, 0)->finished);
    assert_int_equal(guest[0].value, 0x5a);
    port(0x20, 2, true, 0xa500); /* two ports of a byte */
    assert_int_equal(port(0x20, 4, false, 0)->value, 0xffffa500);
    pc_stop();
}

static void ports_without_a_model_float(void **unused)
{
    (void)unused;
    start();
    assert_int_equal(low_bytes(port(0x300, 2, false, 0)->value, 2), 0xffff);
    assert_true(port(0xffff, 4, true, 0)->finished);
    assert_int_equal(low_bytes(port(0xffff, 4, false, 0)->value, 4), 0xffffffff);
    vm.ports = NULL;
    assert_int_equal(low_bytes(port(0x21, 1, false, 0)->value, 1), 0xff);
    assert_true(port(0x21, 1, true, 0)->finished);
    pc_stop();
}

static void strings_go_between_ports_and_memory(void **unused)
{
    (void)unused;
    start();
    memory = 0x77;
    string(0x21, 1, true);
    assert_int_equal(port_in(0x21), 0x77);
    memory = 0;
    string(0x21, 1, false);
    assert_int_equal(memory, 0x77);
    assert_int_equal(guest[0].faults, 0);
    pc_stop();
}

static void msrs_are_the_apics_or_a_fault(void **unused)
{
    (void)unused;
    start();
    assert_true(msr(MSR_APIC_BASE, false, 0)->finished);
    assert_int_equal(guest[0].value, VLAPIC_BASE | 0x900);
    assert_false(msr(MSR_X2APIC + APIC_TPR, false, 0)->finished);
    assert_int_equal(guest[0].faults, 1);
    assert_true(msr(MSR_APIC_BASE, true, VLAPIC_BASE | 0xd00)->finished);
    assert_true(msr(MSR_X2APIC + APIC_TPR, true, 0x20)->finished);
    assert_int_equal(msr(MSR_X2APIC + APIC_TPR, false, 0)->value, 0x20);
    assert_int_equal(msr(X86_MSR_CR8, false, 0)->value, 2);
    assert_false(msr(MSR_X2APIC + APIC_TPR, true, 0x100)->finished);
    assert_false(msr(0x12345678, false, 0)->finished);
    assert_int_equal(guest[0].faults, 3);
    pc_stop();
}

static void a_window_lets_the_interrupt_in(void **unused)
{
    (void)unused;
    start();
    guest[0].interrupts = false;
    icr(0, 0, 0x40041);
    assert_true(guest[0].window);
    guest[0].interrupts = true;
    run(&(struct vm_exit){ .reason = VM_EXIT_WINDOW });
    assert_int_equal(taken(0), 0x41);
    assert_false(guest[0].window);
    pc_stop();
}

static void an_icr_write_can_come_as_an_exit_of_its_own(void **unused)
{
    (void)unused;
    start();
    run(&(struct vm_exit){ .reason = VM_EXIT_IPI, .ipi.value = 1ull << 56 | 0x43 });
    assert_int_equal(taken(1), 0x43);
    pc_stop();
}

static void a_triple_fault_resets_the_machine(void **unused)
{
    (void)unused;
    start();
    run(&(struct vm_exit){ .reason = VM_EXIT_RESET });
    assert_int_equal(vm_ends, 1);
    assert_int_equal(vm_end_reason, VM_END_RESET);
    pc_stop();
}

static void an_unknown_hypercall_says_so(void **unused)
{
    (void)unused;
    start();
    run(&(struct vm_exit){ .reason = VM_EXIT_HYPERCALL });
    assert_int_equal(vm.vcpus[0].hv.gpr[GPR_RAX], UINT64_MAX);
    assert_int_equal(guest[0].skipped, 1);
    pc_stop();
}

static void host_interrupts_are_dispatched(void **unused)
{
    (void)unused;
    start();
    run(&(struct vm_exit){ .reason = VM_EXIT_IRQ });
    assert_int_equal(dispatched, 2); /* until there is none */
    pc_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_handler),
        cmocka_unit_test(ports_reach_their_model),
        cmocka_unit_test(ports_without_a_model_float),
        cmocka_unit_test(strings_go_between_ports_and_memory),
        cmocka_unit_test(msrs_are_the_apics_or_a_fault),
        cmocka_unit_test(a_window_lets_the_interrupt_in),
        cmocka_unit_test(an_icr_write_can_come_as_an_exit_of_its_own),
        cmocka_unit_test(a_triple_fault_resets_the_machine),
        cmocka_unit_test(an_unknown_hypercall_says_so),
        cmocka_unit_test(host_interrupts_are_dispatched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
