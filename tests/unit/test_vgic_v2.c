/* SPDX-License-Identifier: BSD-2-Clause */
/* What a GICv2 guest has that a GICv3 one has not: SGIs with senders, target lists. */

#include "tests/unit/vgic_machine.h"

#define SPI 40u

enum { SGIR = 0xf00, CPENDSGIR = 0xf10, SPENDSGIR = 0xf20 };

static int start(void **state)
{
    (void)state;
    machine_start(2, 4, 4);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        on(cpu);
        gicd_write(IPRIORITYR, 4, 0x80808080); /* SGIs 0 to 3, group 0 */
    }
    on(0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    check_invariants();
    machine_stop();
    return 0;
}

static uint32_t sgi_from(unsigned sgi, unsigned source)
{
    return sgi | source << 10;
}

static void an_sgi_tells_its_sender(void **state)
{
    (void)state;
    on(2);
    gicd_write(SGIR, 4, 1 << 16 | 3);
    assert_int_equal(ack(), FAKE_SPURIOUS);
    on(0);
    assert_int_equal(ack(), sgi_from(3, 2));
    eoi(sgi_from(3, 2));
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void an_sgi_of_several_senders_comes_once_from_each(void **state)
{
    (void)state;
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        on(cpu);
        gicd_write(SGIR, 4, 1 << 16 | 3);
        gicd_write(SGIR, 4, 1 << 16 | 3);
    }
    on(0);
    for (unsigned source = 0; source < 4; source++) {
        assert_int_equal(ack(), sgi_from(3, source));
        eoi(sgi_from(3, source));
    }
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void the_filter_chooses_the_targets(void **state)
{
    (void)state;
    gicd_write(SGIR, 4, 1 << 24 | 2); /* all but self */
    assert_int_equal(ack(), FAKE_SPURIOUS);
    for (unsigned cpu = 1; cpu < 4; cpu++) {
        on(cpu);
        assert_int_equal(ack(), 2);
        eoi(2);
    }
    on(3);
    gicd_write(SGIR, 4, 2 << 24 | 0xff << 16 | 1); /* self */
    assert_int_equal(ack(), sgi_from(1, 3));
    eoi(sgi_from(1, 3));
    gicd_write(SGIR, 4, 3 << 24 | 0xff << 16 | 1); /* reserved */
    gicd_write(SGIR, 2, 2);
    gicd_write(SGIR, 4, 0xf0 << 16 | 1); /* vCPUs that are not there */
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        on(cpu);
        assert_int_equal(ack(), FAKE_SPURIOUS);
    }
}

static void pending_sgis_are_read_set_and_cleared_by_sender(void **state)
{
    (void)state;
    gicd_write(ICENABLER, 4, 1 << 3);
    gicd_write(SPENDSGIR, 4, 0xff000000);
    assert_int_equal(gicd_read(SPENDSGIR, 4), 0x0f000000);
    gicd_write(CPENDSGIR + 3, 1, 0x05);
    assert_int_equal(gicd_read(CPENDSGIR + 3, 1), 0x0a);
    assert_int_equal(gicd_read(CPENDSGIR + 2, 2), 0x0a00);
    assert_int_equal(gicd_read(ISPENDR, 4), 1 << 3);
    gicd_write(ICPENDR, 4, 1 << 3); /* not by this register */
    gicd_write(ISPENDR, 4, 1 << 2);
    assert_int_equal(gicd_read(ISPENDR, 4), 1 << 3);
    gicd_write(ISENABLER, 4, 1 << 3);
    assert_int_equal(gicd_read(SPENDSGIR, 4), 0x0a000000); /* one is in a list register */
    assert_int_equal(ack(), sgi_from(3, 1));
    assert_int_equal(gicd_read(SPENDSGIR, 4), 0x08000000);
    gicd_write(CPENDSGIR, 4, ~0u);
    eoi(sgi_from(3, 1));
    assert_int_equal(ack(), FAKE_SPURIOUS);
}

static void an_active_sgi_keeps_its_sender_through_put_and_load(void **state)
{
    (void)state;
    on(2);
    gicd_write(SGIR, 4, 1 << 16 | 3);
    on(0);
    assert_int_equal(ack(), sgi_from(3, 2));
    gicd_write(SGIR, 4, 1 << 16 | 3);
    put(0);
    load(0);
    assert_int_equal(gicd_read(ISACTIVER, 4), 1 << 3);
    eoi(sgi_from(3, 2));
    assert_int_equal(gicd_read(ISACTIVER, 4), 0);
    assert_int_equal(ack(), sgi_from(3, 0));
    eoi(sgi_from(3, 0));
}

static void an_spi_goes_to_the_lowest_of_its_targets(void **state)
{
    (void)state;
    enable(SPI, 0x80, 0);
    gicd_write(ITARGETSR + SPI, 1, 0x0c);
    inject(SPI);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        on(cpu);
        assert_int_equal(ack(), cpu == 2 ? SPI : FAKE_SPURIOUS);
    }
    on(2);
    eoi(SPI);
    gicd_write(ITARGETSR + SPI, 1, 0);
    inject(SPI);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        on(cpu);
        assert_int_equal(ack(), FAKE_SPURIOUS);
    }
}

static void one_vcpu_gets_everything_without_targets(void **state)
{
    (void)state;
    machine_stop();
    machine_start(2, 4, 1);
    gicd_write(ISENABLER + 4, 4, 1u << (SPI - 32));
    assert_int_equal(gicd_read(ITARGETSR + SPI, 1), 0);
    assert_int_equal(gicd_read(ITARGETSR, 4), 0);
    inject(SPI);
    assert_int_equal(ack(), SPI);
    eoi(SPI);
}

static void more_than_eight_vcpus_are_refused(void **state)
{
    struct vm large = { .config.cpus = 9 };

    (void)state;
    assert_int_equal(virqchip_create(&large), ERR_UNSUPPORTED);
}

static void icc_registers_send_nothing(void **state)
{
    (void)state;
    send_sgi1r(3 << 24 | 0xf);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        on(cpu);
        assert_int_equal(ack(), FAKE_SPURIOUS);
    }
}

#define with_machine(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_machine(an_sgi_tells_its_sender),
        with_machine(an_sgi_of_several_senders_comes_once_from_each),
        with_machine(the_filter_chooses_the_targets),
        with_machine(pending_sgis_are_read_set_and_cleared_by_sender),
        with_machine(an_active_sgi_keeps_its_sender_through_put_and_load),
        with_machine(an_spi_goes_to_the_lowest_of_its_targets),
        with_machine(one_vcpu_gets_everything_without_targets),
        with_machine(more_than_eight_vcpus_are_refused),
        with_machine(icc_registers_send_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
