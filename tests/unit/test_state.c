/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void fields_are_little_endian_and_without_gaps(void **unused)
{
    static const uint8_t expected[] = { 0x11, 0x22, 0x21, 0x44, 0x43, 0x42, 0x41, 0x88, 0x87,
                                        0x86, 0x85, 0x84, 0x83, 0x82, 0x81, 'x',  'y' };
    uint8_t buffer[sizeof(expected)];
    struct state_writer out;

    (void)unused;
    state_writer_init(&out, buffer, sizeof(buffer));
    state_put_u8(&out, 0x11);
    state_put_u16(&out, 0x2122);
    state_put_u32(&out, 0x41424344);
    state_put_u64(&out, 0x8182838485868788);
    state_put_bytes(&out, "xy", 2);
    assert_int_equal(state_writer_status(&out), OK);
    assert_int_equal(out.bytes, sizeof(expected));
    assert_memory_equal(buffer, expected, sizeof(expected));
}

static void what_was_put_is_got(void **unused)
{
    uint8_t buffer[64];
    char text[3];
    struct state_writer out;
    struct state_reader in;

    (void)unused;
    state_writer_init(&out, buffer, sizeof(buffer));
    state_put_u64(&out, UINT64_MAX - 1);
    state_put_u8(&out, 7);
    state_put_u32(&out, 0xdeadbeef);
    state_put_bytes(&out, "abc", 3);
    state_put_u16(&out, 0xfffe);

    state_reader_init(&in, buffer, out.bytes);
    assert_int_equal(state_get_u64(&in), UINT64_MAX - 1);
    assert_int_equal(state_get_u8(&in), 7);
    assert_int_equal(state_get_u32(&in), 0xdeadbeef);
    state_get_bytes(&in, text, sizeof(text));
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(state_status(&in), ERR_INVALID_ARGS); /* not at the end yet */
    assert_int_equal(state_get_u16(&in), 0xfffe);
    assert_int_equal(state_status(&in), OK);
}

static void a_small_buffer_is_told_with_the_size_it_takes(void **unused)
{
    uint8_t buffer[4] = { 0, 0, 0, 0x77 };
    struct state_writer out;

    (void)unused;
    state_writer_init(&out, buffer, 3);
    state_put_u16(&out, 0x0201);
    state_put_u32(&out, 1);
    state_put_u8(&out, 9); /* would fit; but no gaps */
    assert_int_equal(state_writer_status(&out), ERR_NO_MEMORY);
    assert_int_equal(out.bytes, 7);
    assert_int_equal(buffer[2], 0);
    assert_int_equal(buffer[3], 0x77);
}

static void writing_to_nothing_measures(void **unused)
{
    struct state_writer out;

    (void)unused;
    state_writer_init(&out, NULL, 0);
    assert_int_equal(state_writer_status(&out), OK);
    state_put_u64(&out, 1);
    state_put_bytes(&out, NULL, 0);
    assert_int_equal(out.bytes, 8);
    assert_int_equal(state_writer_status(&out), ERR_NO_MEMORY);
}

static void a_buffer_that_fits_exactly_is_enough(void **unused)
{
    uint8_t buffer[2];
    struct state_writer out;

    (void)unused;
    state_writer_init(&out, buffer, sizeof(buffer));
    state_put_u16(&out, 1);
    assert_int_equal(state_writer_status(&out), OK);
}

static void reading_past_the_end_gives_zeros_and_is_remembered(void **unused)
{
    uint8_t record[3] = { 1, 2, 3 }, bytes[4] = { 9, 9, 9, 9 };
    struct state_reader in;

    (void)unused;
    state_reader_init(&in, record, sizeof(record));
    assert_int_equal(state_get_u32(&in), 0);
    assert_int_equal(state_get_u8(&in), 0);
    state_get_bytes(&in, bytes, sizeof(bytes));
    assert_int_equal(bytes[0] | bytes[3], 0);
    assert_int_equal(state_status(&in), ERR_INVALID_ARGS);
}

static void a_rejected_or_absent_record_is_invalid(void **unused)
{
    uint8_t record[1] = { 1 };
    struct state_reader in;

    (void)unused;
    state_reader_init(&in, record, sizeof(record));
    state_get_u8(&in);
    state_reject(&in);
    assert_int_equal(state_status(&in), ERR_INVALID_ARGS);

    state_reader_init(&in, NULL, 0);
    assert_int_equal(state_status(&in), OK);
    assert_int_equal(state_get_u16(&in), 0);
    assert_int_equal(state_status(&in), ERR_INVALID_ARGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_little_endian_and_without_gaps),
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(a_small_buffer_is_told_with_the_size_it_takes),
        cmocka_unit_test(writing_to_nothing_measures),
        cmocka_unit_test(a_buffer_that_fits_exactly_is_enough),
        cmocka_unit_test(reading_past_the_end_gives_zeros_and_is_remembered),
        cmocka_unit_test(a_rejected_or_absent_record_is_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
