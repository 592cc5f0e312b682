/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formatter behind the log. One conversion is
 *
 *     % flags(- 0 #) width precision length(l ll z j) type
 *
 * parsed into a struct spec, then printed: digits are made backwards in a small array, and
 * the field around them is the same for numbers and text.
 */

#include "kernel/lib/format.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
    char *buf;
    size_t size;
    size_t length; /* of the whole text, whether or not it fits */
    va_list args;
};

struct spec {
    bool left;      /* - */
    bool zeros;     /* 0 */
    bool alternate; /* # */
    bool wide;      /* l, ll, z, j: 64 bits, on every architecture that there is */
    size_t width;
    bool has_precision;
    size_t precision;
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buf[out->length] = c;
    out->length++;
}

static void put_repeated(struct output *out, char c, size_t count)
{
    while (count-- > 0)
        put(out, c);
}

static void put_text(struct output *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

/* prefix, zeros up to the precision, then the text, in a field of the width. */
static void put_field(struct output *out, const struct spec *spec, const char *prefix, size_t zeros,
                      const char *text, size_t length)
{
    size_t prefix_length = 0;
    while (prefix[prefix_length] != '\0')
        prefix_length++;

    size_t used = prefix_length + zeros + length;
    size_t padding = spec->width > used ? spec->width - used : 0;

    if (!spec->left)
        put_repeated(out, ' ', padding);
    put_text(out, prefix, prefix_length);
    put_repeated(out, '0', zeros);
    put_text(out, text, length);
    if (spec->left)
        put_repeated(out, ' ', padding);
}

static void put_number(struct output *out, const struct spec *spec, const char *prefix,
                       uint64_t value, unsigned base, const char *digits)
{
    char text[20]; /* 2^64 in decimal */
    size_t at = sizeof(text);

    for (; value != 0; value /= base)
        text[--at] = digits[value % base];

    size_t length = sizeof(text) - at;
    size_t wanted = spec->has_precision ? spec->precision : 1;
    if (spec->zeros && !spec->left && !spec->has_precision) {
        size_t prefix_length = prefix[0] == '\0' ? 0 : prefix[1] == '\0' ? 1 : 2;
        if (spec->width > prefix_length)
            wanted = spec->width - prefix_length;
        wanted = wanted > 0 ? wanted : 1;
    }
    put_field(out, spec, prefix, wanted > length ? wanted - length : 0, text + at, length);
}

static void put_signed(struct output *out, const struct spec *spec)
{
    int64_t value = spec->wide ? va_arg(out->args, int64_t) : va_arg(out->args, int);
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

    put_number(out, spec, value < 0 ? "-" : "", magnitude, 10, "0123456789");
}

static void put_unsigned(struct output *out, const struct spec *spec, char type)
{
    uint64_t value = spec->wide ? va_arg(out->args, uint64_t) : va_arg(out->args, unsigned);
    bool prefixed = spec->alternate && value != 0;

    if (type == 'u')
        put_number(out, spec, "", value, 10, "0123456789");
    else if (type == 'x')
        put_number(out, spec, prefixed ? "0x" : "", value, 16, "0123456789abcdef");
    else
        put_number(out, spec, prefixed ? "0X" : "", value, 16, "0123456789ABCDEF");
}

static void put_string(struct output *out, const struct spec *spec)
{
    const char *text = va_arg(out->args, const char *);
    size_t limit = spec->has_precision ? spec->precision : SIZE_MAX;
    size_t length = 0;

    if (!text)
        text = "(null)";
    while (length < limit && text[length] != '\0')
        length++;
    put_field(out, spec, "", 0, text, length);
}

static void put_char(struct output *out, const struct spec *spec)
{
    char c = (char)va_arg(out->args, int);

    put_field(out, spec, "", 0, &c, 1);
}

static void put_pointer(struct output *out, const struct spec *spec)
{
    put_number(out, spec, "0x", (uintptr_t)va_arg(out->args, void *), 16, "0123456789abcdef");
}

/* False: no such type; nothing printed. */
static bool put_conversion(struct output *out, const struct spec *spec, char type)
{
    switch (type) {
    case 'd':
    case 'i': put_signed(out, spec); return true;
    case 'u':
    case 'x':
    case 'X': put_unsigned(out, spec, type); return true;
    case 'c': put_char(out, spec); return true;
    case 's': put_string(out, spec); return true;
    case 'p': put_pointer(out, spec); return true;
    case '%': put(out, '%'); return true;
    default: return false;
    }
}

/* A decimal number, or * and the next argument; false for a negative argument. */
static bool parse_count(struct output *out, const char **at, size_t *count)
{
    if (**at == '*') {
        int value = va_arg(out->args, int);
        (*at)++;
        *count = value < 0 ? -(size_t)value : (size_t)value;
        return value >= 0;
    }
    *count = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        *count = *count * 10 + (size_t)(**at - '0');
    return true;
}

/* From behind the % to the type. */
static const char *parse_spec(struct output *out, const char *at, struct spec *spec)
{
    for (;; at++) {
        if (*at == '-')
            spec->left = true;
        else if (*at == '0')
            spec->zeros = true;
        else if (*at == '#')
            spec->alternate = true;
        else
            break;
    }
    if (!parse_count(out, &at, &spec->width))
        spec->left = true;
    if (*at == '.') {
        at++;
        spec->has_precision = parse_count(out, &at, &spec->precision);
    }
    while (*at == 'l' || *at == 'z' || *at == 'j') {
        spec->wide = true;
        at++;
    }
    return at;
}

unsigned format_text(char *buf, size_t size, const char *format, va_list args)
{
    struct output out = { .buf = buf, .size = size };

    va_copy(out.args, args);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%') {
            put(&out, *at);
            continue;
        }
        struct spec spec = { 0 };
        const char *type = parse_spec(&out, at + 1, &spec);
        if (put_conversion(&out, &spec, *type)) {
            at = type;
        } else {
            put(&out, '%');
        }
    }
    va_end(out.args);

    if (size != 0)
        buf[out.length < size ? out.length : size - 1] = '\0';
    return (unsigned)out.length;
}

unsigned format_string(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    unsigned length = format_text(buf, size, format, args);
    va_end(args);
    return length;
}
