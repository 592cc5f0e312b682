/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/uart16550.h"

#include "tests/unit/vdev_record.h"
#include "tests/unit/vdev_test.h"

enum { THR, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };
enum { OUT2 = 8, LOOP = 16 };

static struct console console;
static struct wire wire;
static struct vdev *dev;

static uint8_t in(unsigned reg)
{
    return (uint8_t)dev_read(dev, reg, 1);
}

static void out(unsigned reg, unsigned value)
{
    dev_write(dev, reg, 1, value);
}

static int setup(void **unused)
{
    (void)unused;
    wire = (struct wire){ 0 };
    attach_console(&console);
    return uart16550_create(&dev, &console, true, wire_line(&wire)) == OK ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    console_detach(&console);
    return 0;
}

static void bytes_print_at_once(void **unused)
{
    (void)unused;
    out(THR, 'H');
    out(THR, 'i');
    assert_string_equal(terminal_text, "Hi");
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(wire.changes, 0);
}

static void the_divisor_hides_data_and_interrupts(void **unused)
{
    (void)unused;
    out(LCR, 0x83);
    assert_int_equal(in(THR) | in(IER) << 8, 12); /* 9600 baud: no guest divides by zero */
    out(THR, 1);
    out(IER, 2);
    assert_int_equal(in(THR), 1);
    assert_int_equal(in(IER), 2);
    out(LCR, 3);
    assert_int_equal(in(IER), 0);
    assert_string_equal(terminal_text, "");
}

/* The steps of Linux's autoconfig(): anything but a 16550A fails one of them. */
static void linux_takes_it_for_a_16550a(void **unused)
{
    (void)unused;
    out(IER, 0);
    assert_int_equal(in(IER)&0x0f, 0);
    out(IER, 0x0f);
    assert_int_equal(in(IER)&0x0f, 0x0f);
    out(IER, 0);
    out(MCR, LOOP | 0x0a);
    assert_int_equal(in(MSR)&0xf0, 0x90);
    out(MCR, 0);
    out(LCR, 0xbf);
    out(FCR, 0); /* EFR of later parts */
    out(LCR, 0);
    out(FCR, 1);
    assert_int_equal(in(IIR) >> 6, 3);
    out(LCR, 0xbf);
    assert_int_not_equal(in(2), 0); /* no EFR */
    out(LCR, 0);
    out(FCR, 0x21);
    assert_int_equal(in(IIR)&0x60, 0x40); /* no 64-byte FIFO */
    out(IER, 0x40);
    assert_int_equal(in(IER), 0); /* no UUE */
}

static void being_empty_interrupts_when_asked_for_and_until_told(void **unused)
{
    (void)unused;
    out(MCR, OUT2);
    out(IER, 2);
    assert_true(wire.level);
    assert_int_equal(in(IIR), 0x02);
    assert_false(wire.level);
    assert_int_equal(in(IIR), 0x01);
    out(THR, 'x');
    assert_true(wire.level);
    in(IIR);
    out(IER, 0);
    out(IER, 2); /* asked anew */
    assert_true(wire.level);
    out(IER, 0);
    assert_false(wire.level);
}

static void out2_gates_the_interrupt(void **unused)
{
    (void)unused;
    out(IER, 2);
    assert_false(wire.level);
    assert_int_equal(in(IIR), 2);
    out(THR, 'x');
    out(MCR, OUT2);
    assert_true(wire.level);
    out(MCR, OUT2 | LOOP);
    assert_false(wire.level);
    out(MCR, OUT2);
    assert_true(wire.level);
}

static void typed_bytes_interrupt_with_and_without_fifos(void **unused)
{
    (void)unused;
    out(MCR, OUT2);
    out(IER, 1);
    typed("abc");
    assert_true(wire.level);
    assert_int_equal(in(IIR), 0x04);
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(in(THR), 'a');
    assert_true(wire.level); /* the next one came from the ring */
    assert_int_equal(in(THR), 'b');
    assert_int_equal(in(THR), 'c');
    assert_false(wire.level);
    assert_int_equal(in(LSR), 0x60);

    out(FCR, 0x81); /* 8 bytes */
    typed("0123456");
    assert_true(wire.level);
    assert_int_equal(in(IIR), 0xcc); /* below the level: timeout */
    typed("7");
    assert_int_equal(in(IIR), 0xc4);
    for (char c = '0'; c < '8'; c++)
        assert_int_equal(in(THR), c);
    assert_false(wire.level);
    assert_int_equal(in(IIR), 0xc1);
}

static void nothing_typed_is_lost_behind_a_full_fifo(void **unused)
{
    static const char text[] = "the quick brown fox jumps over the lazy dog";

    (void)unused;
    out(FCR, 0xc1);
    typed(text);
    for (const char *c = text; *c != '\0'; c++) {
        assert_int_equal(in(LSR), 0x61);
        assert_int_equal(in(THR), *c);
    }
    assert_int_equal(in(LSR), 0x60);
}

static void interrupts_come_by_priority(void **unused)
{
    (void)unused;
    out(FCR, 1);
    out(IER, 0x0f);
    out(MCR, LOOP);
    out(MCR, LOOP | 1); /* DSR changes */
    for (unsigned i = 0; i < 17; i++)
        out(THR, i); /* one too many */
    assert_int_equal(in(IIR), 0xc6);
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(in(IIR), 0xc4);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(in(THR), i);
    assert_int_equal(in(IIR), 0xc2);
    assert_int_equal(in(IIR), 0xc0);
    assert_int_equal(in(MSR), 0x2b); /* CTS, DSR and DCD went, DSR came back */
    assert_int_equal(in(IIR), 0xc1);
}

static void loopback_connects_the_modem_lines(void **unused)
{
    (void)unused;
    assert_int_equal(in(MSR), 0xb0); /* somebody listens */
    out(MCR, LOOP);
    assert_int_equal(in(MSR), 0x0b);
    out(MCR, LOOP | 4);
    assert_int_equal(in(MSR), 0x40); /* RI's beginning is no event */
    out(MCR, LOOP);
    assert_int_equal(in(MSR), 0x04); /* its end is */
    out(THR, 'q');
    assert_int_equal(in(THR), 'q');
    assert_string_equal(terminal_text, "");
}

static void clearing_the_fifo_forgets_what_is_in_it(void **unused)
{
    (void)unused;
    out(FCR, 1);
    typed("ab");
    out(FCR, 3);
    assert_int_equal(in(LSR), 0x60);
    typed("c");
    assert_int_equal(in(THR), 'c');
}

static void reset_is_the_power_on_state_but_for_what_was_typed(void **unused)
{
    (void)unused;
    out(IER, 0x0f);
    out(MCR, OUT2);
    out(LCR, 3);
    out(SCR, 0x77);
    dev->ops->reset(dev);
    assert_false(wire.level);
    assert_int_equal(in(IER) | in(MCR) | in(LCR) | in(SCR), 0);
    assert_int_equal(in(IIR), 1);
}

static void one_that_does_not_listen_leaves_input_alone(void **unused)
{
    struct vdev *deaf;

    (void)unused;
    assert_int_equal(uart16550_create(&deaf, &console, false, (struct irq_line){ 0 }), OK);
    typed("x");
    assert_int_equal(dev_read(deaf, LSR, 1), 0x60);
    deaf->ops->destroy(deaf);
    typed("y");
    assert_int_equal(in(THR), 'x');
    assert_int_equal(in(THR), 'y');
}

static void impossible_records_are_refused(void **unused)
{
    static const struct {
        uint8_t at, value;
    } wrong[] = {
        { 0, 0x10 }, { 1, 0x80 }, { 1, 0x03 }, { 3, 0x20 }, { 7, 2 },
        { 8, 1 },    { 9, 0x10 }, { 10, 16 },  { 11, 2 }, /* without FIFOs */
    };
    uint8_t record[64];

    (void)unused;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const size_t bytes = vdev_save(dev, record, sizeof(record));

        record[wrong[i].at] = wrong[i].value;
        assert_int_equal(vdev_restore(dev, record, bytes), ERR_INVALID_ARGS);
    }
}

static void accesses_past_the_end_are_nothing(void **unused)
{
    (void)unused;
    dev_write(dev, 8, 1, 0xff);
    dev_write(dev, UINT64_MAX, 8, 0xff);
    assert_int_equal(dev_read(dev, 8, 1), 0);
    assert_int_equal(dev_read(dev, UINT64_MAX, 8), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_print_at_once),
        TEST(the_divisor_hides_data_and_interrupts),
        TEST(linux_takes_it_for_a_16550a),
        TEST(being_empty_interrupts_when_asked_for_and_until_told),
        TEST(out2_gates_the_interrupt),
        TEST(typed_bytes_interrupt_with_and_without_fifos),
        TEST(nothing_typed_is_lost_behind_a_full_fifo),
        TEST(interrupts_come_by_priority),
        TEST(loopback_connects_the_modem_lines),
        TEST(clearing_the_fifo_forgets_what_is_in_it),
        TEST(reset_is_the_power_on_state_but_for_what_was_typed),
        TEST(one_that_does_not_listen_leaves_input_alone),
        TEST(impossible_records_are_refused),
        TEST(accesses_past_the_end_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
