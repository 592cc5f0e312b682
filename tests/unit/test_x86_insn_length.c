/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder on random code of every opcode map: its lengths are those of binutils'
 * disassembler, and it reads nothing behind them.
 */
#include "arch/x86/emulate/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/random.h"

/* Random code in which every map is common. */
static void random_code(uint64_t *seed, uint8_t *to, size_t bytes)
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x48, 0x44 };
    static const uint8_t evex_maps[] = { 1, 2, 3, 5, 6 };
    static const uint8_t starts[][2] = { { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a }, { 0xc4 },
                                         { 0x62 }, { 0x8f },       { 0xc5 } };
    size_t at = 0;

    while (at + 24 <= bytes) {
        const uint64_t pick = random_below(seed, 2 * ARRAY_SIZE(starts));
        const size_t rest = 3 + random_below(seed, 10);

        if (random_below(seed, 4) == 0)
            to[at++] = prefixes[random_below(seed, sizeof(prefixes))];
        for (size_t i = 0; i < 2 && pick < ARRAY_SIZE(starts) && starts[pick][i] != 0; i++)
            to[at++] = starts[pick][i];
        for (size_t i = 0; i < rest; i++)
            to[at + i] = (uint8_t)random_next(seed);
        if (pick == 3)
            to[at] = (uint8_t)((to[at] & 0xe0) | 0xc0 | (1 + random_below(seed, 3)));
        else if (pick == 4)
            to[at] = (uint8_t)(0xf0 | evex_maps[random_below(seed, sizeof(evex_maps))]);
        else if (pick == 5)
            to[at] = (uint8_t)(0xe0 | (8 + random_below(seed, 3)));
        at += rest;
    }
    memset(to + at, 0x90, bytes - at);
}

/*
 * Where the disassembler does not show an instruction of the CPU's:
 *     a REX that another prefix follows stands by itself
 *     FWAIT is taken for a prefix of the instruction behind it
 *     moves from and to test registers, which ended with the 486
 */
static bool is_an_oddity(const char *text, const uint8_t *bytes)
{
    const char *last = strrchr(text, ' ');

    if (strstr(text, "(bad)") != NULL || strstr(text, ".byte") != NULL ||
        strstr(text, "%tr") != NULL)
        return true;
    if (strncmp(last == NULL ? text : last + 1, "rex", 3) == 0)
        return true;
    while (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", *bytes, 11) != NULL)
        bytes++;
    return *bytes == 0x9b;
}

struct line {
    size_t at;
    char text[120];
};

/* One line of a listing: "   1a:\tmov %eax,(%rbx)". */
static bool read_line(FILE *listing, struct line *line)
{
    char buffer[256], *end;

    while (fgets(buffer, sizeof(buffer), listing) != NULL) {
        line->at = strtoul(buffer, &end, 16);
        if (end == buffer || end[0] != ':' || end[1] != '\t')
            continue;
        end[strcspn(end, "\n")] = '\0';
        for (size_t length = strlen(end); length > 0 && isspace((unsigned char)end[length - 1]);)
            end[--length] = '\0';
        snprintf(line->text, sizeof(line->text), "%.100s", end + 2);
        return true;
    }
    return false;
}

static unsigned compare_lengths(FILE *listing, const uint8_t *code, size_t bytes,
                                enum insn_mode mode)
{
    struct line line, following;
    unsigned compared = 0;
    bool more = read_line(listing, &line);

    for (; more; line = following) {
        struct insn insn;
        size_t length;

        more = read_line(listing, &following);
        length = (more ? following.at : bytes) - line.at;
        if (is_an_oddity(line.text, code + line.at))
            continue;
        if (insn_decode(code + line.at, bytes - line.at, mode, &insn) != OK ||
            insn.length != length)
            fail_msg("%s at 0x%zx: %u bytes, not %zu", line.text, line.at, insn.length, length);
        compared++;
    }
    return compared;
}

static void check_lengths(enum insn_mode mode, const char *machine)
{
    enum { BYTES = 400000, WANTED = 100000 };
    char path[] = "/tmp/x86-code-XXXXXX", command[160];
    uint64_t seed = 20 + mode;
    uint8_t *code = malloc(BYTES);
    const int file = mkstemp(path);
    FILE *listing;
    unsigned compared;

    assert_true(code != NULL && file >= 0);
    random_code(&seed, code, BYTES);
    assert_int_equal(write(file, code, BYTES), BYTES);
    close(file);
    snprintf(command, sizeof(command),
             "objdump -D -z -b binary -m %s -M intel64 --no-show-raw-insn %s", machine, path);
    listing = popen(command, "r");
    assert_non_null(listing);
    compared = compare_lengths(listing, code, BYTES, mode);
    pclose(listing);
    unlink(path);
    free(code);
    assert_true(compared >= WANTED);
}

static void lengths_in_16_bit_mode_are_binutils(void **state)
{
    (void)state;
    check_lengths(INSN_MODE_16, "i8086");
}

static void lengths_in_32_bit_mode_are_binutils(void **state)
{
    (void)state;
    check_lengths(INSN_MODE_32, "i386");
}

static void lengths_in_64_bit_mode_are_binutils(void **state)
{
    (void)state;
    check_lengths(INSN_MODE_64, "i386:x86-64");
}

/* Each in a block of its own size, so that the sanitizer sees a byte too many. */
static void nothing_is_read_behind_the_bytes_there_are(void **state)
{
    static const enum insn_mode modes[] = { INSN_MODE_16, INSN_MODE_32, INSN_MODE_64 };
    uint64_t seed = 7;

    (void)state;
    for (unsigned round = 0; round < 30000; round++) {
        const enum insn_mode mode = modes[round % 3];
        uint8_t code[48];
        struct insn whole, part;

        random_code(&seed, code, sizeof(code));
        if (insn_decode(code, INSN_MAX_BYTES, mode, &whole) != OK)
            continue;
        for (size_t bytes = 0; bytes <= whole.length; bytes++) {
            uint8_t *exact = malloc(bytes);

            assert_true(exact != NULL || bytes == 0);
            if (bytes > 0)
                memcpy(exact, code, bytes);
            assert_int_equal(insn_decode(exact, bytes, mode, &part),
                             bytes < whole.length ? ERR_NOT_FOUND : OK);
            free(exact);
        }
        assert_memory_equal(&whole, &part, sizeof(whole));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_in_16_bit_mode_are_binutils),
        cmocka_unit_test(lengths_in_32_bit_mode_are_binutils),
        cmocka_unit_test(lengths_in_64_bit_mode_are_binutils),
        cmocka_unit_test(nothing_is_read_behind_the_bytes_there_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
