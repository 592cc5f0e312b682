/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APICs: registers in both modes, priorities, IPIs, NMI, INIT and STARTUP. */
#include "tests/unit/pc_machine.h"

#define SELF 0x40000u
#define ALL 0x80000u
#define OTHERS 0xc0000u
#define LOGICAL 0x800u
#define NMI 0x400u
#define INIT 0x500u
#define STARTUP 0x600u
#define ASSERTED 0x4000u
#define X2(reg) (MSR_X2APIC + (reg))
#define X2_BASE (VLAPIC_BASE | 0xc00u)

static void enter_x2(unsigned cpus)
{
    for (unsigned id = 0; id < cpus; id++)
        assert_true(msr_write(id, MSR_APIC_BASE, X2_BASE));
}

/* --- registers --- */

static void registers_have_their_reset_values(void **unused)
{
    uint64_t base;

    (void)unused;
    pc_start(2);
    assert_int_equal(apic_read(1, APIC_ID), 1u << 24);
    assert_int_equal(apic_read(0, APIC_VERSION), VLAPIC_VERSION);
    assert_int_equal(apic_read(0, APIC_DFR), UINT32_MAX);
    assert_int_equal(apic_read(0, APIC_SVR), 0xff);
    assert_int_equal(apic_read(0, APIC_LVT_LINT0), 0x700); /* virtual wire */
    assert_int_equal(apic_read(1, APIC_LVT_LINT0), APIC_MASKED);
    assert_int_equal(apic_read(0, APIC_LVT_TIMER), APIC_MASKED);
    assert_int_equal(apic_read(0, APIC_PPR), 0);
    assert_true(msr_read(0, MSR_APIC_BASE, &base));
    assert_int_equal(base, VLAPIC_BASE | 0x900);
    assert_true(msr_read(1, MSR_APIC_BASE, &base));
    assert_int_equal(base, VLAPIC_BASE | 0x800);
    pc_stop();
}

static void registers_keep_their_writable_bits_only(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_TPR, 0xffffff35);
    assert_int_equal(apic_read(0, APIC_TPR), 0x35);
    apic_write(0, APIC_LDR, 0x12345678);
    assert_int_equal(apic_read(0, APIC_LDR), 0x12000000);
    apic_write(0, APIC_DFR, 0);
    assert_int_equal(apic_read(0, APIC_DFR), 0x0fffffff);
    apic_write(0, APIC_LVT_ERROR, UINT32_MAX);
    assert_int_equal(apic_read(0, APIC_LVT_ERROR), 0x100ff);
    apic_write(0, APIC_TDCR, UINT32_MAX);
    assert_int_equal(apic_read(0, APIC_TDCR), 0xb);
    apic_write(0, APIC_ID, 0x55000000);
    assert_int_equal(apic_read(0, APIC_ID), 0);
    mmio_write(0, VLAPIC_BASE + 16 * APIC_TPR, 1, 0x77); /* only whole registers */
    mmio_write(0, VLAPIC_BASE + 16 * APIC_TPR + 4, 4, 0x77);
    assert_int_equal(apic_read(0, APIC_TPR), 0x35);
    assert_int_equal(mmio_read(0, VLAPIC_BASE + 16 * APIC_LDR + 3, 1), 0x12);
    pc_stop();
}

static void an_apic_disabled_by_software_masks_its_table(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_LVT_PERF, 0x40);
    assert_int_equal(apic_read(0, APIC_LVT_PERF), 0x40);
    apic_write(0, APIC_SVR, 0xff);
    assert_int_equal(apic_read(0, APIC_LVT_PERF), 0x10040);
    apic_write(0, APIC_LVT_PERF, 0x41);
    assert_int_equal(apic_read(0, APIC_LVT_PERF), 0x10041);
    icr(0, 0, SELF | 0x50);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void a_wrong_register_is_noted_in_esr(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_LVT_ERROR, 0xfe);
    apic_read(0, (enum vlapic_reg)0x3a);
    assert_int_equal(apic_read(0, APIC_ESR), 0); /* latched by a write */
    assert_int_equal(taken(0), 0xfe);
    apic_eoi(0);
    apic_write(0, APIC_ESR, 0);
    assert_int_equal(apic_read(0, APIC_ESR), ESR_REGISTER);
    apic_write(0, APIC_ESR, 0);
    assert_int_equal(apic_read(0, APIC_ESR), 0);
    pc_stop();
}

static void illegal_vectors_are_errors_not_interrupts(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    apic_write(0, APIC_LVT_ERROR, 5); /* illegal itself: no endless loop */
    icr(0, 1, 0x0f);
    assert_int_equal(taken(0), NOTHING);
    apic_write(0, APIC_ESR, 0);
    assert_int_equal(apic_read(0, APIC_ESR), ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL);
    apic_write(1, APIC_ESR, 0);
    assert_int_equal(apic_read(1, APIC_ESR), 0);
    entry_write(5, 1ull << 56 | 0x05);
    gsi(5, true);
    apic_write(1, APIC_ESR, 0);
    assert_int_equal(apic_read(1, APIC_ESR), ESR_RECEIVE_ILLEGAL);
    pc_stop();
}

static void what_is_pending_already_wakes_nobody(void **unused)
{
    unsigned requested;

    (void)unused;
    pc_start_enabled(2);
    guest[1].interrupts = false;
    icr(0, 1, 0x40);
    requested = guest[1].requested;
    for (unsigned i = 0; i < 100; i++)
        icr(0, 1, 0x40);
    assert_int_equal(guest[1].requested, requested);
    icr(0, 1, 0x41);
    assert_int_equal(guest[1].requested, requested + 1);
    icr(0, 1, 0x400); /* an NMI, taken at once: so each is a new one */
    icr(0, 1, 0x400);
    assert_int_equal(guest[1].requested, requested + 3);
    assert_int_equal(guest[1].nmis, 2);
    guest[1].interrupts = true;
    assert_int_equal(taken(1), 0x41);
    assert_int_equal(taken(1), NOTHING); /* of the same class */
    apic_eoi(1);
    assert_int_equal(taken(1), 0x40);
    pc_stop();
}

/* --- modes --- */

static void apic_base_allows_the_manuals_transitions_only(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    assert_false(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x400)); /* x2 without enable */
    assert_false(msr_write(1, MSR_APIC_BASE, 0xfef00000u | 0x800)); /* elsewhere */
    assert_false(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x801)); /* reserved */
    assert_false(msr_write(1, MSR_APIC_BASE, 1ull << 52 | VLAPIC_BASE | 0x800));
    assert_true(msr_write(1, MSR_APIC_BASE, X2_BASE));
    assert_false(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x800)); /* back to xAPIC */
    assert_true(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE));
    assert_false(lapic(1)->vcpu->hv.apic_enabled);
    assert_false(msr_write(1, MSR_APIC_BASE, X2_BASE)); /* not at once */
    assert_true(msr_write(1, MSR_APIC_BASE, VLAPIC_BASE | 0x800));
    assert_true(lapic(1)->vcpu->hv.apic_enabled);
    assert_int_equal(apic_read(1, APIC_SVR), 0xff); /* as after power-on */
    pc_stop();
}

static void x2apic_has_msrs_and_no_page(void **unused)
{
    uint64_t value;

    (void)unused;
    pc_start_enabled(4);
    assert_false(msr_read(3, X2(APIC_ID), &value));
    assert_false(msr_write(3, X2(APIC_TPR), 0));
    enter_x2(4);
    assert_int_equal(apic_read(3, APIC_ID), UINT32_MAX);
    apic_write(3, APIC_TPR, 0x40);
    assert_true(msr_read(3, X2(APIC_TPR), &value));
    assert_int_equal(value, 0);
    assert_true(msr_read(3, X2(APIC_ID), &value));
    assert_int_equal(value, 3);
    assert_true(msr_read(3, X2(APIC_LDR), &value));
    assert_int_equal(value, 8);
    assert_true(msr_read(3, X2(APIC_SVR), &value));
    assert_int_equal(value, 0x1ff);
    pc_stop();
}

static void x2apic_faults_on_what_it_has_not(void **unused)
{
    static const struct {
        uint32_t reg;
        uint64_t value;
    } refused[] = {
        { APIC_ID, 0 },
        { APIC_VERSION, 0 },
        { APIC_LDR, 0 },
        { APIC_DFR, 0 },
        { APIC_PPR, 0 },
        { APIC_ICR2, 0 },
        { APIC_TMCCT, 0 },
        { APIC_ISR, 0 },
        { APIC_APR, 0 },
        { APIC_RRD, 0 },
        { APIC_EOI, 1 },
        { APIC_ESR, 1 },
        { APIC_TPR, 0x100 },
        { APIC_SVR, 0x2000 },
        { APIC_TDCR, 4 },
        { APIC_SELF_IPI, 0x100 },
        { APIC_TMICT, 1ull << 32 },
        { APIC_ICR, 1u << 20 },
        { APIC_ICR, 1u << 13 },
        { APIC_LVT_TIMER, 1u << 19 },
        { APIC_LVT_LINT0, 1u << 17 },
        { 0x40, 0 },
        { 0xff, 0 },
    };
    static const uint32_t unreadable[] = { APIC_EOI, APIC_SELF_IPI, APIC_DFR, APIC_ICR2, APIC_APR,
                                           APIC_RRD, 0x00,          0x29,     0x3a,      0xc3 };
    uint64_t value;

    (void)unused;
    pc_start_enabled(1);
    enter_x2(1);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        assert_false(msr_write(0, X2(refused[i].reg), refused[i].value));
    for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++)
        assert_false(msr_read(0, X2(unreadable[i]), &value));
    assert_true(msr_write(0, X2(APIC_EOI), 0));
    assert_true(msr_write(0, X2(APIC_LVT_LINT0), 0x15700)); /* read-only bits are no fault */
    assert_true(msr_read(0, X2(APIC_LVT_LINT0), &value));
    assert_int_equal(value, 0x10700);
    pc_stop();
}

static void cr8_is_the_upper_half_of_tpr(void **unused)
{
    uint64_t value;

    (void)unused;
    pc_start_enabled(1);
    assert_true(msr_write(0, X86_MSR_CR8, 9));
    assert_int_equal(apic_read(0, APIC_TPR), 0x90);
    apic_write(0, APIC_TPR, 0x4f);
    assert_true(msr_read(0, X86_MSR_CR8, &value));
    assert_int_equal(value, 4);
    assert_false(msr_write(0, X86_MSR_CR8, 0x10));
    pc_stop();
}

/* --- priorities --- */

static void a_self_ipi_is_taken_and_ended(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    icr(0, 0, SELF | 0x41);
    assert_int_equal(apic_read(0, APIC_ISR + 2), 2);
    assert_int_equal(apic_read(0, APIC_IRR + 2), 0);
    assert_int_equal(apic_read(0, APIC_PPR), 0x40);
    assert_int_equal(taken(0), 0x41);
    apic_eoi(0);
    assert_int_equal(apic_read(0, APIC_ISR + 2), 0);
    assert_int_equal(apic_read(0, APIC_PPR), 0);
    apic_eoi(0); /* nothing is in service: nothing happens */
    pc_stop();
}

static void a_higher_class_nests_and_a_lower_one_waits(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    icr(0, 0, SELF | 0x55);
    assert_int_equal(taken(0), 0x55);
    icr(0, 0, SELF | 0x5f); /* the same class */
    icr(0, 0, SELF | 0x31);
    assert_int_equal(taken(0), NOTHING);
    icr(0, 0, SELF | 0x61);
    assert_int_equal(taken(0), 0x61);
    assert_int_equal(apic_read(0, APIC_PPR), 0x60);
    assert_int_equal(apic_read(0, APIC_APR), 0x60);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING); /* 0x55 is still in service */
    apic_eoi(0);
    assert_int_equal(taken(0), 0x5f);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x31);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

static void tpr_holds_back_until_it_is_lowered(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    apic_write(0, APIC_TPR, 0x50);
    icr(0, 0, SELF | 0x51);
    assert_int_equal(taken(0), NOTHING);
    assert_false(virqchip_wakes(&vm.vcpus[0]));
    assert_int_equal(apic_read(0, APIC_IRR + 2), 1u << 17);
    apic_write(0, APIC_TPR, 0x4f);
    assert_int_equal(apic_read(0, APIC_PPR), 0x50); /* it is in service */
    assert_int_equal(taken(0), 0x51);
    apic_eoi(0);
    assert_int_equal(apic_read(0, APIC_PPR), 0x4f);
    pc_stop();
}

static void what_cannot_be_taken_waits_for_a_window(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    guest[0].interrupts = false;
    icr(0, 0, SELF | 0x41);
    assert_true(guest[0].window);
    assert_false(virqchip_wakes(&vm.vcpus[0])); /* HLT with IF clear sleeps on */
    icr(0, 0, SELF | 0x71);
    guest[0].interrupts = true;
    assert_true(virqchip_wakes(&vm.vcpus[0]));
    assert_int_equal(taken(0), 0x71);
    assert_false(guest[0].window);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x41);
    pc_stop();
}

static void the_same_vector_twice_is_pending_once_and_in_service_once(void **unused)
{
    (void)unused;
    pc_start_enabled(1);
    icr(0, 0, SELF | 0x41);
    assert_int_equal(taken(0), 0x41);
    icr(0, 0, SELF | 0x41);
    icr(0, 0, SELF | 0x41);
    assert_int_equal(taken(0), NOTHING);
    apic_eoi(0);
    assert_int_equal(taken(0), 0x41);
    apic_eoi(0);
    assert_int_equal(taken(0), NOTHING);
    pc_stop();
}

/* --- destinations --- */

static unsigned who_took(int vector)
{
    unsigned set = 0;

    for (unsigned id = 0; id < vm.config.cpus; id++) {
        int got = taken(id);

        if (got == NOTHING)
            continue;
        assert_int_equal(got, vector);
        if (vlapic_is_x2(lapic(id)))
            assert_true(msr_write(id, X2(APIC_EOI), 0));
        else
            apic_eoi(id);
        set |= 1u << id;
    }
    return set;
}

static void ipis_reach_whom_they_name(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    icr(0, 2, 0x41);
    assert_int_equal(who_took(0x41), 1u << 2);
    icr(0, 7, 0x41);
    assert_int_equal(who_took(0x41), 0);
    icr(0, 0xff, 0x41);
    assert_int_equal(who_took(0x41), 0xf);
    icr(1, 0, SELF | 0x41);
    assert_int_equal(who_took(0x41), 1u << 1);
    icr(1, 0, ALL | 0x41);
    assert_int_equal(who_took(0x41), 0xf);
    icr(1, 0, OTHERS | 0x41);
    assert_int_equal(who_took(0x41), 0xd);
    pc_stop();
}

static void logical_destinations_flat_and_clustered(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    for (unsigned id = 0; id < 4; id++)
        apic_write(id, APIC_LDR, 1u << (24 + id));
    icr(0, 0x0a, LOGICAL | 0x42);
    assert_int_equal(who_took(0x42), 0xa);
    icr(0, 0xff, LOGICAL | 0x42);
    assert_int_equal(who_took(0x42), 0xf);
    for (unsigned id = 0; id < 4; id++) {
        apic_write(id, APIC_DFR, 0);
        apic_write(id, APIC_LDR, (id / 2 << 4 | 1u << id % 2) << 24);
    }
    icr(0, 0x13, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0xc);
    icr(0, 0x02, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0x2);
    icr(0, 0x21, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0);
    icr(0, 0xff, LOGICAL | 0x43);
    assert_int_equal(who_took(0x43), 0xf);
    pc_stop();
}

static void x2apic_destinations_are_wide(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    enter_x2(4);
    assert_true(msr_write(0, X2(APIC_ICR), 3ull << 32 | 0x44));
    assert_int_equal(who_took(0x44), 8);
    assert_true(msr_write(0, X2(APIC_ICR), 0xffull << 32 | 0x44));
    assert_int_equal(who_took(0x44), 0); /* no broadcast here */
    assert_true(msr_write(0, X2(APIC_ICR), 0xffffffffull << 32 | 0x44));
    assert_int_equal(who_took(0x44), 0xf);
    assert_true(msr_write(0, X2(APIC_ICR), 5ull << 32 | LOGICAL | 0x44));
    assert_int_equal(who_took(0x44), 5);
    assert_true(msr_write(0, X2(APIC_ICR), 0x10005ull << 32 | LOGICAL | 0x44));
    assert_int_equal(who_took(0x44), 0);
    assert_true(msr_write(2, X2(APIC_SELF_IPI), 0x45));
    assert_int_equal(who_took(0x45), 4);
    pc_stop();
}

static void lowest_priority_goes_to_the_least_busy(void **unused)
{
    (void)unused;
    pc_start_enabled(3);
    for (unsigned id = 0; id < 3; id++)
        apic_write(id, APIC_LDR, 1u << (24 + id));
    apic_write(0, APIC_TPR, 0x30);
    apic_write(1, APIC_TPR, 0x10);
    apic_write(2, APIC_TPR, 0x20);
    icr(0, 7, LOGICAL | 0x100 | 0x61);
    assert_int_equal(who_took(0x61), 2);
    icr(0, 5, LOGICAL | 0x100 | 0x61);
    assert_int_equal(who_took(0x61), 4);
    apic_write(2, APIC_SVR, 0xff); /* does not take part */
    icr(0, 5, LOGICAL | 0x100 | 0x61);
    assert_int_equal(who_took(0x61), 1);
    pc_stop();
}

static void smi_remote_read_and_reserved_kinds_are_ignored(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    icr(0, 1, 0x200 | 0x41);
    icr(0, 1, 0x300 | 0x41);
    icr(0, 1, 0x700 | 0x41);
    assert_int_equal(who_took(0x41), 0);
    assert_int_equal(guest[1].nmis + guest[1].turned_off + guest[1].powered_on, 0);
    pc_stop();
}

/* --- NMI, INIT, STARTUP --- */

static void nmis_pass_priorities_and_if(void **unused)
{
    (void)unused;
    pc_start_enabled(3);
    guest[1].interrupts = false;
    apic_write(1, APIC_TPR, 0xff);
    icr(0, 1, NMI);
    assert_int_equal(guest[1].nmis, 1);
    icr(0, 0, OTHERS | NMI);
    assert_int_equal(guest[0].nmis, 0);
    assert_int_equal(guest[1].nmis, 2);
    assert_int_equal(guest[2].nmis, 1);
    pc_nmi(&vm); /* LINT1 leads to vCPU 0 until the guest says otherwise */
    settle();
    assert_int_equal(guest[0].nmis, 1);
    assert_int_equal(guest[1].nmis, 2);
    pc_stop();
}

static void startup_gives_a_page_to_start_at(void **unused)
{
    (void)unused;
    pc_start_enabled(4);
    icr(0, 0, OTHERS | INIT | ASSERTED | 0x8000);
    icr(0, 0, OTHERS | INIT | 0x8000); /* de-assert: nothing */
    assert_int_equal(guest[0].turned_off, 0);
    assert_int_equal(guest[1].turned_off, 1);
    assert_int_equal(guest[3].turned_off, 1);
    icr(0, 2, STARTUP | 0x9a);
    assert_int_equal(guest[1].powered_on, 0);
    assert_int_equal(guest[2].powered_on, 1);
    assert_int_equal(guest[2].start.entry, 0x9a000);
    assert_int_equal(guest[2].start.mode, HV_MODE_STARTUP);
    assert_int_equal(vm_ends, 0);
    pc_stop();
}

static void init_of_the_boot_cpu_resets_the_machine(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    icr(1, 0, INIT | ASSERTED);
    assert_int_equal(vm_ends, 1);
    assert_int_equal(vm_end_reason, VM_END_RESET);
    assert_int_equal(guest[0].turned_off, 0);
    pc_stop();
}

static void a_restarted_apic_is_new_but_keeps_its_mode(void **unused)
{
    uint64_t value;

    (void)unused;
    pc_start_enabled(2);
    enter_x2(2);
    guest[1].interrupts = false;
    assert_true(msr_write(0, X2(APIC_ICR), 1ull << 32 | 0x44));
    assert_true(guest[1].window);
    virqchip_reset_vcpu(&vm.vcpus[1]);
    guest[1].window = false; /* as the backend's reset does */
    guest[1].interrupts = true;
    settle();
    assert_int_equal(taken(1), NOTHING);
    assert_true(msr_read(1, X2(APIC_SVR), &value));
    assert_int_equal(value, 0xff);
    assert_true(msr_read(1, X2(APIC_LDR), &value));
    assert_int_equal(value, 2);
    virqchip_reset(&vm);
    assert_int_equal(apic_read(1, APIC_ID), 1u << 24); /* power-on: xAPIC */
    pc_stop();
}

static void what_is_pending_is_asked_for_again_when_loaded(void **unused)
{
    (void)unused;
    pc_start_enabled(2);
    virqchip_put(&vm.vcpus[1]);
    vlapic_accept(lapic(1), APIC_FIXED, 0x44, false);
    vm.vcpus[1].requests = 0; /* a park forgets it */
    virqchip_load(&vm.vcpus[1]);
    assert_int_equal(taken(1), 0x44);
    pc_stop();
}

/* --- hostile guests --- */

static void random_accesses_never_break_it(void **unused)
{
    uint64_t random = 1;

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        pc_start_enabled(PC_CPUS);
        for (unsigned i = 0; i < 3000; i++) {
            unsigned cpu = (unsigned)random_below(&random, PC_CPUS);
            uint64_t value = random_next(&random) >> random_below(&random, 64);
            uint64_t at = VLAPIC_BASE + random_below(&random, 0x400) *
                                            (random_below(&random, 4) != 0 ? 16 : 1) % 0x1000;
            unsigned size = 1u << random_below(&random, 4);

            switch (random_below(&random, 8)) {
            case 0: mmio_read(cpu, at & ~(size - 1ull), size); break;
            case 1:
            case 2: mmio_write(cpu, at & ~0xfull, 4, value); break;
            case 3:
                msr_write(cpu, MSR_X2APIC + (uint32_t)random_below(&random, 0x48), value);
                break;
            case 4:
                msr_read(cpu, MSR_X2APIC + (uint32_t)random_below(&random, 0x100), &value);
                break;
            case 5: guest[cpu].interrupts = value & 1; break;
            case 6: apic_write(cpu, APIC_SVR, 0x1ff); break;
            default:
                taken(cpu);
                apic_eoi(cpu);
                break;
            }
            if (i % 512 == 0)
                msr_write(cpu, MSR_APIC_BASE, VLAPIC_BASE | (value & 0xc00));
            counter_to(arch_counter() + random_below(&random, 10000));
            check_invariants();
        }
        pc_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_have_their_reset_values),
        cmocka_unit_test(registers_keep_their_writable_bits_only),
        cmocka_unit_test(an_apic_disabled_by_software_masks_its_table),
        cmocka_unit_test(a_wrong_register_is_noted_in_esr),
        cmocka_unit_test(illegal_vectors_are_errors_not_interrupts),
        cmocka_unit_test(what_is_pending_already_wakes_nobody),
        cmocka_unit_test(apic_base_allows_the_manuals_transitions_only),
        cmocka_unit_test(x2apic_has_msrs_and_no_page),
        cmocka_unit_test(x2apic_faults_on_what_it_has_not),
        cmocka_unit_test(cr8_is_the_upper_half_of_tpr),
        cmocka_unit_test(a_self_ipi_is_taken_and_ended),
        cmocka_unit_test(a_higher_class_nests_and_a_lower_one_waits),
        cmocka_unit_test(tpr_holds_back_until_it_is_lowered),
        cmocka_unit_test(what_cannot_be_taken_waits_for_a_window),
        cmocka_unit_test(the_same_vector_twice_is_pending_once_and_in_service_once),
        cmocka_unit_test(ipis_reach_whom_they_name),
        cmocka_unit_test(logical_destinations_flat_and_clustered),
        cmocka_unit_test(x2apic_destinations_are_wide),
        cmocka_unit_test(lowest_priority_goes_to_the_least_busy),
        cmocka_unit_test(smi_remote_read_and_reserved_kinds_are_ignored),
        cmocka_unit_test(nmis_pass_priorities_and_if),
        cmocka_unit_test(startup_gives_a_page_to_start_at),
        cmocka_unit_test(init_of_the_boot_cpu_resets_the_machine),
        cmocka_unit_test(a_restarted_apic_is_new_but_keeps_its_mode),
        cmocka_unit_test(what_is_pending_is_asked_for_again_when_loaded),
        cmocka_unit_test(random_accesses_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
