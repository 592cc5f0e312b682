/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own string functions against the C library's. They are compiled here under
 * other names, so that both are there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bits.h"
#include "tests/unit/random.h"

#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#define memcmp own_memcmp
#define memchr own_memchr
#define strlen own_strlen
#define strnlen own_strnlen
#define strcmp own_strcmp
#define strncmp own_strncmp
#define strchr own_strchr
#define strrchr own_strrchr
#define strtoul own_strtoul
#include "kernel/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strtoul

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void memory_functions_agree_with_the_c_library(void **state)
{
    uint8_t a[96], b[96];
    uint64_t seed = 5;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        size_t to = random_below(&seed, 48), from = random_below(&seed, 48);
        size_t bytes = random_below(&seed, 49);
        int byte = (int)random_below(&seed, 512) - 256;

        for (size_t n = 0; n < sizeof(a); n++)
            a[n] = b[n] = (uint8_t)random_below(&seed, 4);
        assert_ptr_equal(own_memmove(a + to, a + from, bytes), a + to);
        memmove(b + to, b + from, bytes);
        assert_memory_equal(a, b, sizeof(a));
        assert_int_equal(sign(own_memcmp(a + to, a + from, bytes)),
                         sign(memcmp(a + to, a + from, bytes)));
        assert_ptr_equal(own_memchr(a + from, byte, bytes), memchr(a + from, byte, bytes));
        assert_ptr_equal(own_memset(a + to, byte, bytes), a + to);
        memset(b + to, byte, bytes);
        assert_memory_equal(a, b, sizeof(a));
        assert_ptr_equal(own_memcpy(a + 48, b, bytes), a + 48);
        assert_memory_equal(a + 48, b, bytes);
    }
}

static void string_functions_agree_with_the_c_library(void **state)
{
    uint64_t seed = 6;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char a[9] = { 0 }, b[9] = { 0 };
        size_t most = random_below(&seed, 10);
        int c = (int)random_below(&seed, 4) == 0 ? 0 : 'a' + (int)random_below(&seed, 4) + 256;

        for (size_t n = random_below(&seed, 9); n-- > 0;) {
            a[n] = (char)('a' + random_below(&seed, 3) - (random_below(&seed, 9) == 0 ? 128 : 0));
            b[n] = random_below(&seed, 4) ? a[n] : 'c';
        }
        assert_int_equal(own_strlen(a), strlen(a));
        assert_int_equal(own_strnlen(a, most), strnlen(a, most));
        assert_int_equal(sign(own_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(own_strncmp(a, b, most)), sign(strncmp(a, b, most)));
        assert_ptr_equal(own_strchr(a, c), strchr(a, c));
        assert_ptr_equal(own_strrchr(a, c), strrchr(a, c));
    }
}

static void strtoul_agrees_with_the_c_library(void **state)
{
    static const char *const texts[] = {
        "",
        "0",
        "42",
        "  \t7z",
        "-1",
        "+5",
        "0x",
        "0x1F",
        "0xg",
        "077",
        "08",
        "ffff",
        "zz",
        "- 1",
        "0X10 ",
        "-0x2",
        "9999999",
        "-",
        "\n12.",
        "0xfffffffffffffff",
        "0x0",
        "1_0",
        " 0x 1",
        "z",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999",
    };
    static const int bases[] = { 0, 2, 8, 10, 16, 36 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t b = 0; b < ARRAY_SIZE(bases); b++) {
            char *own_end, *end;

            assert_int_equal(own_strtoul(texts[i], &own_end, bases[b]),
                             strtoul(texts[i], &end, bases[b]));
            assert_ptr_equal(own_end, end);
            assert_int_equal(own_strtoul(texts[i], NULL, bases[b]),
                             strtoul(texts[i], NULL, bases[b]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_functions_agree_with_the_c_library),
        cmocka_unit_test(string_functions_agree_with_the_c_library),
        cmocka_unit_test(strtoul_agrees_with_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
