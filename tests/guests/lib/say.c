/* SPDX-License-Identifier: BSD-2-Clause */
/* See say.h. */
#include "tests/guests/lib/say.h"

#include <stdarg.h>

const char *command_line = "";

static unsigned passed, failed;

static void puts(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            put_char('\r');
        put_char(*text);
    }
}

static void put_number(uint64_t value, unsigned base)
{
    char text[24];
    char *at = text + sizeof(text) - 1;

    *at = '\0';
    do
        *--at = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    puts(at);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            puts((char[]){ *format, '\0' });
            continue;
        }
        bool wide = *++format == 'l';

        if (wide)
            format++;
        if (*format == 's')
            puts(va_arg(args, const char *));
        else if (*format == 'c')
            put_char((char)va_arg(args, int));
        else
            put_number(wide ? va_arg(args, uint64_t) : va_arg(args, unsigned),
                       *format == 'x' ? 16 : 10);
    }
    va_end(args);
}

void check(bool ok, const char *name)
{
    ok ? passed++ : failed++;
    print("%s %s\n", ok ? "PASS" : "FAIL", name);
}

void check_equal(const char *name, uint64_t got, uint64_t want)
{
    if (got == want) {
        check(true, name);
        return;
    }
    failed++;
    print("FAIL %s: got 0x%lx, want 0x%lx\n", name, got, want);
}

void finish(void)
{
    print("guest: done, %u passed, %u failed\n", passed, failed);
    power_off();
}

/* ---- the command line ---- */

/* What follows `name` where it is a word's start; NULL: nowhere. */
static const char *find(const char *name)
{
    for (const char *word = command_line; *word != '\0';) {
        const char *at = word;
        const char *want = name;

        while (*want != '\0' && *at == *want)
            at++, want++;
        if (*want == '\0' && (*at == '=' || *at == ' ' || *at == '\0'))
            return at;
        while (*word != '\0' && *word != ' ')
            word++;
        while (*word == ' ')
            word++;
    }
    return NULL;
}

bool option_given(const char *name)
{
    return find(name) != NULL;
}

uint64_t option(const char *name, uint64_t otherwise)
{
    const char *at = find(name);
    uint64_t value = 0;

    if (at == NULL || *at != '=')
        return otherwise;
    for (at++; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}
