/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller, version 2 or 3. Most checks keep IRQs masked at the CPU and
 * acknowledge by hand, so that each step's outcome is exact.
 */
#include "tests/guests/lib/gic.h"

#define SPI 48 /* the first of a run that no device drives */
#define SPI_COUNT 24
#define UART_SPI 33

static volatile unsigned taken;
static volatile unsigned taken_irq;
static volatile uint64_t others; /* bit n: CPU n got its SGI */
static volatile bool others_ready[MAX_CPUS];

static void take(void)
{
    taken_irq = gic_ack();
    taken++;
    gic_eoi(taken_irq);
}

static void arm(unsigned irq, uint8_t priority)
{
    gic_set_edge(irq, true);
    gic_set_priority(irq, priority);
    gic_enable(irq);
}

static void sgi_to_self(void)
{
    irq_handler = take;
    taken = 0;
    irq_unmask();
    gic_sgi(cpu_self(), 5);
    while (taken == 0)
        continue;
    irq_mask();
    check_equal("sgi_to_self", taken_irq, 5);
    check_equal("sgi_comes_once", gic_ack(), IRQ_SPURIOUS);
}

static void answer_sgis(uint64_t unused)
{
    (void)unused;
    gic_init_cpu();
    others_ready[cpu_self()] = true;
    for (;;) {
        unsigned irq = gic_ack();

        if (irq == IRQ_SPURIOUS) {
            wfi();
            continue;
        }
        gic_eoi(irq);
        if (irq == 9)
            cpu_off();
        __atomic_fetch_or(&others, 1UL << cpu_self(), __ATOMIC_SEQ_CST);
    }
}

static void sgi_to_others(unsigned cpus)
{
    uint64_t all = (1UL << cpus) - 2;

    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        cpu_on(cpu, answer_sgis, 0);
        while (!others_ready[cpu])
            continue;
    }
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        gic_sgi(cpu, 3);
        while ((others & 1UL << cpu) == 0)
            continue;
    }
    check_equal("sgi_to_each_other_cpu", others, all);
    others = 0;
    gic_sgi_others(4);
    while (others != all)
        continue;
    check_equal("sgi_to_all_others_spares_the_sender", gic_ack(), IRQ_SPURIOUS);
    gic_sgi_others(9);
}

static void states(void)
{
    arm(SPI, 0xa0);
    gic_set_pending(SPI);
    check(gic_is_pending(SPI) && !gic_is_active(SPI), "set_pending_reads_back");
    gic_clear_pending(SPI);
    check(!gic_is_pending(SPI), "clear_pending_reads_back");
    check_equal("cleared_interrupt_is_not_delivered", gic_ack(), IRQ_SPURIOUS);

    gic_set_pending(SPI);
    check_equal("spi_is_acknowledged", gic_ack(), SPI);
    check(!gic_is_pending(SPI) && gic_is_active(SPI), "acknowledged_is_active");
    check_equal("running_priority", gic_running_priority(), 0xa0);
    gic_set_pending(SPI);
    check(gic_is_pending(SPI) && gic_is_active(SPI), "active_and_pending");
    check_equal("active_interrupt_is_not_delivered_again", gic_ack(), IRQ_SPURIOUS);
    gic_eoi(SPI);
    check(!gic_is_active(SPI), "eoi_deactivates");
    check_equal("pended_while_active_comes_after_eoi", gic_ack(), SPI);
    gic_eoi(SPI);
    check_equal("idle_running_priority", gic_running_priority(), PRIORITY_IDLE);
    gic_disable(SPI);
}

static void priorities(void)
{
    arm(SPI, 0xb0);
    arm(SPI + 1, 0x40);
    arm(SPI + 2, 0x80);
    gic_set_pending(SPI);
    gic_set_pending(SPI + 1);
    check_equal("higher_priority_first", gic_ack(), SPI + 1);
    gic_set_pending(SPI + 2);
    check_equal("lower_priority_does_not_preempt", gic_ack(), IRQ_SPURIOUS);
    gic_eoi(SPI + 1);
    check_equal("next_priority_next", gic_ack(), SPI + 2);
    gic_set_pending(SPI + 1);
    check_equal("higher_priority_preempts", gic_ack(), SPI + 1);
    gic_eoi(SPI + 1);
    gic_eoi(SPI + 2);
    gic_set_mask(0xb0);
    check_equal("priority_mask_holds_back", gic_ack(), IRQ_SPURIOUS);
    gic_set_mask(0xf0);
    check_equal("open_mask_lets_through", gic_ack(), SPI);
    gic_eoi(SPI);
    for (unsigned i = 0; i < 3; i++)
        gic_disable(SPI + i);
}

/* A known cause of stuck devices: the interrupt is disabled in its own handler. */
static void disable_while_active(void)
{
    arm(SPI, 0xa0);
    gic_set_pending(SPI);
    check_equal("disabled_later_is_acknowledged", gic_ack(), SPI);
    gic_disable(SPI);
    check(gic_is_active(SPI), "disabling_leaves_it_active");
    gic_eoi(SPI);
    check(!gic_is_active(SPI), "eoi_of_a_disabled_interrupt_deactivates");
    gic_set_pending(SPI);
    check_equal("disabled_is_not_delivered", gic_ack(), IRQ_SPURIOUS);
    gic_enable(SPI);
    check_equal("enabled_again_is_delivered", gic_ack(), SPI);
    gic_eoi(SPI);
    gic_disable(SPI);
}

static void split_eoi(void)
{
    gic_set_split(true);
    arm(SPI, 0xa0);
    gic_set_pending(SPI);
    check_equal("split_is_acknowledged", gic_ack(), SPI);
    gic_eoi(SPI);
    check(gic_is_active(SPI), "split_eoi_only_drops_priority");
    check_equal("split_priority_is_dropped", gic_running_priority(), PRIORITY_IDLE);
    gic_set_pending(SPI);
    check_equal("split_still_active_is_not_delivered", gic_ack(), IRQ_SPURIOUS);
    gic_deactivate(SPI);
    check_equal("split_deactivated_is_delivered", gic_ack(), SPI);
    gic_eoi(SPI);
    gic_deactivate(SPI);
    check(!gic_is_active(SPI), "split_deactivates");
    gic_set_split(false);
    gic_disable(SPI);
}

/* More pending at once than there are list registers; then all of them active at once. */
static void many(void)
{
    uint32_t seen = 0;
    bool ordered = true;

    for (unsigned i = 0; i < SPI_COUNT; i++)
        arm(SPI + i, 0xa0);
    for (unsigned i = 0; i < SPI_COUNT; i++)
        gic_set_pending(SPI + i);
    for (unsigned i = 0; i < SPI_COUNT; i++) {
        unsigned irq = gic_ack();

        if (irq < SPI || irq >= SPI + SPI_COUNT)
            break;
        seen |= 1u << (irq - SPI);
        gic_eoi(irq);
    }
    check_equal("more_pending_than_list_registers", seen, (1u << SPI_COUNT) - 1);
    check_equal("each_comes_once", gic_ack(), IRQ_SPURIOUS);

    for (unsigned i = 0; i < 12; i++) {
        gic_set_priority(SPI + i, (uint8_t)(0xe0 - i * 0x10));
        gic_set_pending(SPI + i);
        ordered = ordered && gic_ack() == SPI + i;
    }
    check(ordered, "twelve_nested");
    gic_set_pending(SPI + 20);
    check_equal("pending_behind_a_full_house", gic_ack(), IRQ_SPURIOUS);
    for (unsigned i = 12; i-- > 0;)
        gic_eoi(SPI + i);
    check_equal("comes_when_the_house_is_empty", gic_ack(), SPI + 20);
    gic_eoi(SPI + 20);
    for (unsigned i = 0; i < SPI_COUNT; i++)
        gic_disable(SPI + i);
}

/* Split priority drop leaves every one active and none running: the maintenance storm's place. */
static void many_active(void)
{
    unsigned count = 0;

    gic_set_split(true);
    for (unsigned i = 0; i < SPI_COUNT; i++) {
        arm(SPI + i, 0xa0);
        gic_set_pending(SPI + i);
        if (gic_ack() != SPI + i)
            break;
        gic_eoi(SPI + i);
        count++;
    }
    check_equal("more_active_than_list_registers", count, SPI_COUNT);
    taken = 0;
    irq_handler = take;
    irq_unmask();
    gic_sgi(cpu_self(), 7);
    while (taken == 0)
        continue;
    irq_mask();
    check_equal("another_comes_meanwhile", taken_irq, 7);
    gic_deactivate(7);
    for (unsigned i = 0; i < SPI_COUNT; i++)
        gic_deactivate(SPI + i);
    bool idle = true;

    for (unsigned i = 0; i < SPI_COUNT; i++) {
        idle = idle && !gic_is_active(SPI + i);
        gic_disable(SPI + i);
    }
    check(idle, "all_deactivated");
    gic_set_split(false);
}

static void widths(void)
{
    uint64_t at = GICD_BASE + GICD_IPRIORITYR + SPI;

    mmio_write32(at, 0xd0b09070);
    check_equal("priority_word", mmio_read32(at), 0xd0b09070);
    check_equal("priority_byte_of_a_word", mmio_read8(at + 2), 0xb0);
    mmio_write8(at + 1, 0x20);
    check_equal("priority_byte_write_leaves_the_others", mmio_read32(at), 0xd0b02070);
    if (gic_version() == 3) {
        at = GICD_BASE + GICD_IROUTER + 8 * SPI;
        mmio_write64(at, 0);
        mmio_write32(at + 4, 0);
        mmio_write32(at, 1);
        check_equal("irouter_written_as_halves", mmio_read64(at), 1);
        mmio_write64(at, 0);
        check_equal("irouter_low_half", mmio_read32(at), 0);
    } else {
        at = GICD_BASE + GICD_ITARGETSR;
        check_equal("own_interrupts_target_this_cpu", mmio_read8(at), 1);
        check_equal("target_byte", mmio_read8(at + SPI), 1);
    }
}

static void group_off(void)
{
    arm(SPI, 0xa0);
    gic_group_enable(false);
    gic_set_pending(SPI);
    check_equal("disabled_group_delivers_nothing", gic_ack(), IRQ_SPURIOUS);
    gic_group_enable(true);
    check_equal("enabled_group_delivers", gic_ack(), SPI);
    gic_eoi(SPI);
    gic_disable(SPI);
}

/* The UART's transmit interrupt is asserted as long as it is unmasked in the device. */
static void level(void)
{
    uint64_t uart_mask = UART_BASE + 0x38;
    uint64_t uart_raw = UART_BASE + 0x3c;

    gic_set_edge(UART_SPI, false);
    gic_set_priority(UART_SPI, 0xa0);
    gic_enable(UART_SPI);
    mmio_write32(uart_mask, 1u << 5);
    print("level\n"); /* what raises it on the real part: the FIFO drains */
    check((mmio_read32(uart_raw) & 1u << 5) != 0, "uart_asserts");
    check_equal("level_is_delivered", gic_ack(), UART_SPI);
    gic_eoi(UART_SPI);
    check_equal("level_comes_again_while_asserted", gic_ack(), UART_SPI);
    mmio_write32(uart_mask, 0);
    gic_eoi(UART_SPI);
    check_equal("level_is_gone_when_deasserted", gic_ack(), IRQ_SPURIOUS);

    mmio_write32(uart_mask, 1u << 5);
    check_equal("level_once_more", gic_ack(), UART_SPI);
    gic_disable(UART_SPI);
    gic_eoi(UART_SPI);
    gic_enable(UART_SPI);
    check_equal("level_survives_disable_while_active", gic_ack(), UART_SPI);
    mmio_write32(uart_mask, 0);
    gic_eoi(UART_SPI);
    gic_disable(UART_SPI);
}

static void private_pending(void)
{
    gic_set_priority(23, 0x50);
    gic_enable(23);
    gic_set_pending(23);
    check_equal("pended_ppi", gic_ack(), 23);
    gic_eoi(23);
    gic_clear_pending(23);
    gic_disable(23);
}

void guest_main(void)
{
    unsigned cpus = cpu_count();

    print("gic: version %u, %u CPUs\n", gic_version(), cpus);
    gic_init();
    check_equal("nothing_pending_at_first", gic_ack(), IRQ_SPURIOUS);
    sgi_to_self();
    if (cpus > 1)
        sgi_to_others(cpus);
    states();
    priorities();
    disable_while_active();
    split_eoi();
    many();
    many_active();
    widths();
    group_off();
    level();
    private_pending();
}
