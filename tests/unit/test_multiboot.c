/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Multiboot loader tells, of both versions, whole and damaged. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "drivers/firmware/multiboot.h"
#include "tests/unit/random.h"

#define MULTIBOOT1 0x2badb002u
#define MULTIBOOT2 0x36d76289u

#define BASE 0x10000u
#define ROOM 0x1000u
#define LINE (BASE + 0x100)
#define MODULES (BASE + 0x200)
#define MAP (BASE + 0x300)

static uint8_t loader[ROOM];

/* The end of what may be read is where the sanitizer watches: the room is allocated anew. */
static uint8_t *room;

static const uint8_t *memory(uint64_t base, uint64_t bytes)
{
    if (base < BASE || base - BASE > ROOM || bytes > ROOM - (base - BASE))
        return NULL;
    return room + (base - BASE);
}

static struct host_info info;
static struct multiboot_facts facts;
static const char *why;

static status_t read_info(uint32_t magic)
{
    memset(&info, 0, sizeof(info));
    memset(&facts, 0, sizeof(facts));
    info.bootargs = "";
    room = malloc(ROOM);
    memcpy(room, loader, ROOM);

    status_t status = multiboot_read(memory, magic, BASE, &info, &facts, &why);

    free(room);
    return status;
}

static void put(uint32_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        loader[at - BASE + i] = (uint8_t)(value >> (8 * i));
}

/* --- version 1 --- */

static uint32_t map_end;

static void add_place1(uint64_t base, uint64_t bytes, uint32_t type)
{
    put(map_end, 20, 4);
    put(map_end + 4, base, 8);
    put(map_end + 12, bytes, 8);
    put(map_end + 20, type, 4);
    map_end += 24;
    put(BASE + 44, map_end - MAP, 4);
}

static void make_version1(void)
{
    memset(loader, 0, sizeof(loader));
    put(BASE, BIT(2) | BIT(3) | BIT(6), 4);
    put(BASE + 16, LINE, 4);
    put(BASE + 20, 2, 4);
    put(BASE + 24, MODULES, 4);
    put(BASE + 48, MAP, 4);
    strcpy((char *)&loader[LINE - BASE], "socle.elf debug-exit");
    put(MODULES, 0x400000, 4);
    put(MODULES + 4, 0x480123, 4);
    put(MODULES + 16, 0x500000, 4);
    put(MODULES + 20, 0x600000, 4);
    map_end = MAP;
    add_place1(0, 0x9fc00, 1);
    add_place1(0x9fc00, 0x400, 2);
    add_place1(0x100000, 0x3fef0000, 1);
    add_place1(0x100000000, 0x40000000, 1);
}

static void check_common(void)
{
    assert_int_equal(info.bank_count, 3);
    assert_int_equal(info.banks[0].base.raw, 0);
    assert_int_equal(info.banks[0].bytes, 0x9f000);
    assert_int_equal(info.banks[1].base.raw, 0x100000);
    assert_int_equal(info.banks[1].bytes, 0x3fef0000);
    assert_int_equal(info.banks[2].base.raw, 0x100000000);
    assert_int_equal(facts.low.base.raw, 0);
    assert_int_equal(facts.low.bytes, 0x9fc00);
    assert_int_equal(info.initrd.base.raw, 0x400000);
    assert_int_equal(info.initrd.bytes, 0x80123);
    assert_non_null(strstr(info.bootargs, "debug-exit"));
}

static void version_1_is_read(void **state)
{
    (void)state;
    make_version1();
    assert_int_equal(read_info(MULTIBOOT1), OK);
    check_common();
    assert_int_equal(facts.rsdp, 0);
}

static void fields_without_their_flag_are_not_read(void **state)
{
    (void)state;
    make_version1();
    put(BASE, BIT(6), 4);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    assert_int_equal(info.initrd.bytes, 0);
    assert_string_equal(info.bootargs, "");
    put(BASE, BIT(2), 4);
    assert_int_equal(read_info(MULTIBOOT1), ERR_NOT_FOUND);
    assert_non_null(strstr(why, "memory map"));
}

static void neighbours_are_one_bank_and_1_mib_divides(void **state)
{
    (void)state;
    make_version1();
    map_end = MAP;
    add_place1(0, 0x200000, 1);
    add_place1(0x200000, 0x200000, 1);
    add_place1(0x400000, 0x1000, 3);
    add_place1(0x401000, 0x800, 1); /* less than a page */
    assert_int_equal(read_info(MULTIBOOT1), OK);
    assert_int_equal(info.bank_count, 2);
    assert_int_equal(info.banks[0].bytes, 0x100000);
    assert_int_equal(info.banks[1].base.raw, 0x100000);
    assert_int_equal(info.banks[1].bytes, 0x300000);
}

static void of_too_many_banks_the_largest_are_kept(void **state)
{
    (void)state;
    make_version1();
    map_end = MAP;
    for (uint32_t i = 0; i < HOST_MAX_BANKS + 4; i++)
        add_place1(0x1000000 * (i + 1), 0x10000 * (i + 1), 1);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    assert_int_equal(info.bank_count, HOST_MAX_BANKS);
    assert_int_equal(info.left_out, 4);
    for (unsigned i = 0; i < HOST_MAX_BANKS; i++)
        assert_true(info.banks[i].bytes >= 0x50000);
}

static void ranges_that_wrap_are_passed_over(void **state)
{
    (void)state;
    make_version1();
    add_place1(UINT64_MAX - 0x1000, 0x2000, 1);
    add_place1(0x200000000, UINT64_MAX, 1);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    check_common();
}

static void a_long_command_line_is_cut(void **state)
{
    (void)state;
    make_version1();
    memset(&loader[ROOM - 600], 'x', 600); /* up to the last byte: it does not end at all */
    put(BASE + 16, BASE + ROOM - 600, 4);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    assert_int_equal(strlen(info.bootargs), MULTIBOOT_LINE_MAX - 1);
}

static void a_map_that_lies_about_its_size_ends_the_reading(void **state)
{
    (void)state;
    make_version1();
    put(BASE + 44, 0xffffffff, 4);
    assert_int_equal(read_info(MULTIBOOT1), ERR_NOT_FOUND);
    make_version1();
    put(MAP + 24, 0xfffffff0, 4);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    assert_int_equal(info.bank_count, 1);
    make_version1();
    put(MAP, 0, 4);
    assert_int_equal(read_info(MULTIBOOT1), OK); /* and it ends */
}

/* As both versions have it: from `at` on, the colours at `colours`. */
static void put_screen(uint32_t at, uint32_t colours, uint8_t kind, uint8_t bits)
{
    put(at, 0xc0000000, 8);
    put(at + 8, 4096, 4);
    put(at + 12, 1024, 4);
    put(at + 16, 768, 4);
    put(at + 20, bits, 1);
    put(at + 21, kind, 1);
    put(colours, 0x080008080810, 6); /* eight bits each: from 16, 8 and 0 on */
}

static void check_screen(enum host_screen_kind kind)
{
    assert_int_equal(info.screen.kind, kind);
    assert_int_equal(info.screen.base.raw, 0xc0000000);
    assert_int_equal(info.screen.pitch, 4096);
    assert_int_equal(info.screen.width, 1024);
    assert_int_equal(info.screen.height, 768);
}

#define SCREEN1 (BASE + 88)

static void version_1_tells_a_screen_or_leaves_the_bioss(void **state)
{
    (void)state;
    make_version1();
    put_screen(SCREEN1, SCREEN1 + 22, 1, 32);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    assert_int_equal(info.screen.kind, HOST_SCREEN_TEXT);
    assert_int_equal(info.screen.base.raw, 0xb8000);
    assert_int_equal(info.screen.width * 2, info.screen.pitch);
    put(BASE, BIT(6) | BIT(12), 4);
    assert_int_equal(read_info(MULTIBOOT1), OK);
    check_screen(HOST_SCREEN_PIXELS);
    assert_int_equal(info.screen.bytes_per_pixel, 4);
    assert_int_equal(info.screen.white, 0xffffff);
}

static void screens_that_cannot_be_are_none(void **state)
{
    static const struct {
        uint32_t at, bytes;
        uint64_t value;
    } wrong[] = {
        { 8, 4, 4095 },       /* less than a row */
        { 8, 4, 0xffffffff }, /* or far more */
        { 12, 4, 0 },         { 12, 4, 0x80000000 }, { 16, 4, 0 },
        { 16, 4, 0x10000 },   { 20, 1, 8 }, /* bits a pixel: a palette's */
        { 20, 1, 64 },        { 21, 1, 0 }, /* kind: indexed */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        make_version1();
        put(BASE, BIT(6) | BIT(12), 4);
        put_screen(SCREEN1, SCREEN1 + 22, 1, 32);
        put(SCREEN1 + wrong[i].at, wrong[i].value, wrong[i].bytes);
        assert_int_equal(read_info(MULTIBOOT1), OK);
        assert_int_equal(info.screen.kind, HOST_SCREEN_NONE);
    }
}

/* --- version 2 --- */

static uint32_t tags_end;

static uint32_t add_tag(uint32_t kind, uint32_t bytes)
{
    const uint32_t at = tags_end;

    put(at, kind, 4);
    put(at + 4, bytes, 4);
    tags_end = ALIGN_UP(at + bytes, 8u);
    put(BASE, tags_end - BASE, 4);
    return at;
}

static void make_version2(void)
{
    static const struct {
        uint64_t base, bytes;
        uint32_t type;
    } places[] = {
        { 0, 0x9fc00, 1 },
        { 0x9fc00, 0x400, 2 },
        { 0x100000, 0x3fef0000, 1 },
        { 0x100000000, 0x40000000, 1 },
    };

    memset(loader, 0, sizeof(loader));
    tags_end = BASE + 8;
    strcpy((char *)&loader[add_tag(1, 8 + 11) + 8 - BASE], "debug-exit");
    uint32_t module = add_tag(3, 17);
    put(module + 8, 0x400000, 4);
    put(module + 12, 0x480123, 4);
    uint32_t map = add_tag(6, 16 + 24 * ARRAY_SIZE(places));
    put(map + 8, 24, 4);
    for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
        put(map + 16 + 24 * i, places[i].base, 8);
        put(map + 24 + 24 * i, places[i].bytes, 8);
        put(map + 32 + 24 * i, places[i].type, 4);
    }
    add_tag(14, 28);
    add_tag(15, 44);
    add_tag(0, 8);
}

static void version_2_is_read(void **state)
{
    (void)state;
    make_version2();
    assert_int_equal(read_info(MULTIBOOT2), OK);
    check_common();
    assert_int_equal(facts.rsdp, tags_end - 8 - ALIGN_UP(44, 8) + 8); /* the newer RSDP */
}

static void version_2_tells_a_screen(void **state)
{
    (void)state;
    make_version2();
    assert_int_equal(read_info(MULTIBOOT2), OK);
    assert_int_equal(info.screen.kind, HOST_SCREEN_NONE);
    tags_end -= 8;

    const uint32_t tag = add_tag(8, 38);

    put_screen(tag + 8, tag + 32, 1, 24);
    assert_int_equal(read_info(MULTIBOOT2), OK);
    check_screen(HOST_SCREEN_PIXELS);
    assert_int_equal(info.screen.bytes_per_pixel, 3);
    assert_int_equal(info.screen.white, 0xffffff);
    put(tag + 29, 2, 1);
    put(tag + 4, 30, 4);
    put(BASE, tag + 32 - BASE, 4);
    assert_int_equal(read_info(MULTIBOOT2), OK);
    check_screen(HOST_SCREEN_TEXT);
}

static void another_loader_is_refused_in_words(void **state)
{
    (void)state;
    make_version2();
    assert_int_equal(read_info(0), ERR_INVALID_ARGS);
    assert_non_null(strstr(why, "Multiboot"));
    put(BASE, 0xfffffff0, 4);
    assert_int_equal(read_info(MULTIBOOT2), ERR_INVALID_ARGS);
    put(BASE, 4, 4);
    assert_int_equal(read_info(MULTIBOOT2), ERR_INVALID_ARGS);
}

static void truncated_and_flipped_information_is_survived(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (uint32_t bytes = 0; bytes <= tags_end - BASE; bytes++) {
        make_version2();
        put(BASE, bytes, 4);
        read_info(MULTIBOOT2);
    }
    for (unsigned round = 0; round < 40000; round++) {
        if (round % 2 == 0)
            make_version1();
        else
            make_version2();
        for (unsigned flips = 1 + round % 4; flips > 0; flips--) {
            const uint64_t at = random_next(&seed);

            loader[at / 8 % 0x380] ^= (uint8_t)(1u << at % 8);
        }
        if (round % 16 == 0)
            put(BASE + 8 * (uint32_t)random_below(&seed, 64), random_next(&seed), 8);
        read_info(round % 2 == 0 ? MULTIBOOT1 : MULTIBOOT2);
        assert_true(info.bank_count <= HOST_MAX_BANKS);
        assert_true(strnlen(facts.line, MULTIBOOT_LINE_MAX) < MULTIBOOT_LINE_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_is_read),
        cmocka_unit_test(fields_without_their_flag_are_not_read),
        cmocka_unit_test(neighbours_are_one_bank_and_1_mib_divides),
        cmocka_unit_test(of_too_many_banks_the_largest_are_kept),
        cmocka_unit_test(ranges_that_wrap_are_passed_over),
        cmocka_unit_test(a_long_command_line_is_cut),
        cmocka_unit_test(a_map_that_lies_about_its_size_ends_the_reading),
        cmocka_unit_test(version_1_tells_a_screen_or_leaves_the_bioss),
        cmocka_unit_test(screens_that_cannot_be_are_none),
        cmocka_unit_test(version_2_is_read),
        cmocka_unit_test(version_2_tells_a_screen),
        cmocka_unit_test(another_loader_is_refused_in_words),
        cmocka_unit_test(truncated_and_flipped_information_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
