/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from a printf-like format, without a C library. kernel/log.h lists what it knows. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * As vsnprintf: writes at most `size` bytes including the final NUL, and returns the length
 * that the whole text has. A conversion it does not know appears as it was written.
 */
unsigned format_text(char *buf, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

unsigned format_string(char *buf, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
