/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/devices/pl011.h"

#include "tests/unit/vdev_test.h"

enum {
    DR = 0x00,
    RSR = 0x04,
    FR = 0x18,
    IBRD = 0x24,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    DMACR = 0x48,
};
enum { RX = 1 << 4, TX = 1 << 5, RT = 1 << 6, OE = 1 << 10 };
enum { RXFE = 1 << 4, RXFF = 1 << 6, TXFE = 1 << 7 };
enum { UARTEN = 1 << 0, LBE = 1 << 7, TXE = 1 << 8, RXE = 1 << 9, RTS = 1 << 11 };
enum { FEN = 1 << 4 };

static struct console console;
static struct wire wire;
static struct vdev *dev;

static int setup(void **unused)
{
    (void)unused;
    wire = (struct wire){ 0 };
    attach_console(&console);
    assert_int_equal(pl011_create(&dev, &console, wire_line(&wire)), OK);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    typed("nobody reads this");
    console_detach(&console);
    return 0;
}

static void enable(uint32_t interrupts)
{
    wr(dev, LCR_H, 0x70);
    wr(dev, CR, UARTEN | TXE | RXE);
    wr(dev, IMSC, interrupts);
}

static void reset_values_are_the_manuals(void **unused)
{
    (void)unused;
    assert_int_equal(rd(dev, CR), 0x300);
    assert_int_equal(rd(dev, IFLS), 0x12);
    assert_int_equal(rd(dev, FR) & (RXFE | RXFF | TXFE), RXFE | TXFE);
    assert_int_equal(rd(dev, IMSC) | rd(dev, RIS) | rd(dev, MIS) | rd(dev, LCR_H), 0);
    assert_int_equal(wire.changes, 0);
}

static void the_part_identifies_itself(void **unused)
{
    static const uint8_t id[8] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

    (void)unused;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(rd(dev, 0xfe0 + 4 * i), id[i]);
    assert_int_equal(rd(dev, 0x1000), 0);
    assert_int_equal(rd(dev, 0xfe2), 0);
}

static void a_stored_byte_is_sent_and_raises_the_transmit_interrupt(void **unused)
{
    (void)unused;
    enable(TX);
    assert_false(wire.level); /* enabling alone does not */
    wr(dev, DR, 'A');
    dev_write(dev, DR, 1, 'B');
    assert_string_equal(terminal_text, "AB");
    assert_true(wire.level);
    assert_int_equal(rd(dev, MIS), TX);
    wr(dev, ICR, TX);
    assert_false(wire.level);
    wr(dev, DR, 'C');
    assert_true(wire.level);
    wr(dev, IMSC, 0);
    assert_false(wire.level);
    assert_int_equal(rd(dev, RIS), TX);
}

static void a_byte_is_heard_before_the_uart_is_enabled_but_not_without_txe(void **unused)
{
    (void)unused;
    wr(dev, DR, 'e');
    wr(dev, CR, UARTEN);
    wr(dev, DR, 'x');
    assert_string_equal(terminal_text, "e");
}

static void a_typed_byte_raises_the_timeout_and_reading_clears_it(void **unused)
{
    (void)unused;
    enable(RX | RT);
    typed("k");
    assert_true(wire.level);
    assert_int_equal(rd(dev, RIS), RT);
    assert_int_equal(rd(dev, FR) & RXFE, 0);
    assert_int_equal(rd(dev, DR), 'k');
    assert_false(wire.level);
    assert_int_equal(rd(dev, FR) & RXFE, RXFE);
    assert_int_equal(rd(dev, DR), 0); /* underrun: harmless */
}

static void the_receive_interrupt_follows_the_chosen_level(void **unused)
{
    static const uint8_t levels[] = { 4, 8, 16, 24, 28 };

    (void)unused;
    enable(RX);
    for (unsigned i = 0; i < sizeof(levels); i++) {
        wr(dev, IFLS, i << 3);
        for (unsigned n = 0; n < levels[i] - 1u; n++)
            typed("x");
        assert_false(wire.level);
        typed("x");
        assert_true(wire.level);
        rd(dev, DR);
        assert_false(wire.level);
        while (!(rd(dev, FR) & RXFE))
            rd(dev, DR);
    }
}

static void a_cleared_timeout_comes_again_while_data_is_left(void **unused)
{
    (void)unused;
    enable(RT);
    typed("abc");
    wr(dev, ICR, RT);
    assert_false(wire.level);
    assert_int_equal(rd(dev, DR), 'a');
    assert_true(wire.level);
    rd(dev, DR);
    rd(dev, DR);
    assert_false(wire.level);
}

static void what_the_fifo_cannot_hold_waits_in_the_console(void **unused)
{
    (void)unused;
    enable(RX | RT);
    for (unsigned i = 0; i < 100; i++) {
        char byte[2] = { (char)(i + 1), 0 };

        if (i + 1 != 0x1d) /* the escape */
            typed(byte);
    }
    assert_int_equal(rd(dev, FR) & RXFF, RXFF);
    for (unsigned i = 0; i < 100; i++) {
        if (i + 1 == 0x1d)
            continue;
        assert_true(wire.level);
        assert_int_equal(rd(dev, DR), i + 1);
    }
    assert_false(wire.level);
    assert_int_equal(rd(dev, RIS) & OE, 0);
}

static void without_fifos_one_byte_is_held_and_raises_at_once(void **unused)
{
    (void)unused;
    wr(dev, CR, UARTEN | TXE | RXE);
    wr(dev, IMSC, RX);
    typed("ab");
    assert_true(wire.level);
    assert_int_equal(rd(dev, RIS), RX);
    assert_int_equal(rd(dev, FR) & RXFF, RXFF);
    assert_int_equal(rd(dev, DR), 'a');
    assert_true(wire.level);
    assert_int_equal(rd(dev, DR), 'b');
    assert_false(wire.level);
}

static void nothing_is_received_until_rxe(void **unused)
{
    (void)unused;
    wr(dev, CR, UARTEN | TXE);
    typed("a");
    assert_int_equal(rd(dev, FR) & RXFE, RXFE);
    wr(dev, CR, UARTEN | TXE | RXE);
    assert_int_equal(rd(dev, DR), 'a');
}

static void loopback_receives_what_it_sends_and_can_overrun(void **unused)
{
    (void)unused;
    enable(OE);
    wr(dev, CR, UARTEN | LBE | TXE | RXE);
    wr(dev, ICR, 0x7ff);
    for (unsigned i = 0; i < 32; i++)
        wr(dev, DR, i);
    assert_false(wire.level);
    typed("z"); /* the pin is cut off */
    wr(dev, DR, 99);
    assert_true(wire.level);
    assert_int_equal(rd(dev, RSR), 8);
    assert_int_equal(rd(dev, DR), 0 | 1 << 11);
    assert_int_equal(rd(dev, DR), 1);
    wr(dev, RSR, 0);
    assert_int_equal(rd(dev, RSR), 0);
    wr(dev, ICR, OE);
    assert_false(wire.level);
    assert_string_equal(terminal_text, "");
}

static void loopback_turns_the_modem_lines_around(void **unused)
{
    (void)unused;
    assert_int_equal(rd(dev, FR) & 7, 7);
    wr(dev, CR, UARTEN | LBE);
    assert_int_equal(rd(dev, FR) & 0x107, 0);
    wr(dev, ICR, 0x7ff);
    wr(dev, IMSC, 0xf);
    wr(dev, CR, UARTEN | LBE | RTS);
    assert_int_equal(rd(dev, FR) & 0x107, 1);
    assert_int_equal(rd(dev, MIS), 2);
    assert_true(wire.level);
}

static void registers_keep_only_the_bits_that_exist(void **unused)
{
    (void)unused;
    dev_write(dev, IBRD, 8, UINT64_MAX);
    wr(dev, IMSC, UINT32_MAX);
    wr(dev, IFLS, UINT32_MAX);
    wr(dev, DMACR, UINT32_MAX);
    assert_int_equal(dev_read(dev, IBRD, 8), 0xffff);
    assert_int_equal(rd(dev, IMSC), 0x7ff);
    assert_int_equal(rd(dev, IFLS), 0x3f);
    assert_int_equal(rd(dev, DMACR), 7);
    wr(dev, RIS, UINT32_MAX);
    wr(dev, MIS, UINT32_MAX);
    wr(dev, FR, UINT32_MAX);
    assert_int_equal(rd(dev, RIS), 0);
}

static void reset_lowers_the_line(void **unused)
{
    (void)unused;
    enable(RT | TX);
    typed("a");
    wr(dev, DR, 'b');
    assert_true(wire.level);
    dev->ops->reset(dev);
    assert_false(wire.level);
    assert_int_equal(rd(dev, FR) & RXFE, RXFE);
}

static void typed_ahead_of_the_device_is_not_lost(void **unused)
{
    (void)unused;
    dev->ops->destroy(dev);
    typed("early");
    assert_int_equal(pl011_create(&dev, &console, wire_line(&wire)), OK);
    wr(dev, CR, UARTEN | TXE | RXE);
    assert_int_equal(rd(dev, DR), 'e');
    assert_int_equal(rd(dev, DR), 'a');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reset_values_are_the_manuals),
        TEST(the_part_identifies_itself),
        TEST(a_stored_byte_is_sent_and_raises_the_transmit_interrupt),
        TEST(a_byte_is_heard_before_the_uart_is_enabled_but_not_without_txe),
        TEST(a_typed_byte_raises_the_timeout_and_reading_clears_it),
        TEST(the_receive_interrupt_follows_the_chosen_level),
        TEST(a_cleared_timeout_comes_again_while_data_is_left),
        TEST(what_the_fifo_cannot_hold_waits_in_the_console),
        TEST(without_fifos_one_byte_is_held_and_raises_at_once),
        TEST(nothing_is_received_until_rxe),
        TEST(loopback_receives_what_it_sends_and_can_overrun),
        TEST(loopback_turns_the_modem_lines_around),
        TEST(registers_keep_only_the_bits_that_exist),
        TEST(reset_lowers_the_line),
        TEST(typed_ahead_of_the_device_is_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
