/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log. A line is formatted on the caller's stack, so that only the sink is under the
 * lock, and lines of different CPUs never mix.
 */

#include "kernel/log.h"

#include "arch/spinlock.h"
#include "kernel/lib/format.h"

#include <stdarg.h>

#define PREFIX "socle: "
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)

#define LAST_WORDS_SPINS 1000000u /* long enough for anybody's line to be out */

static spinlock_t log_lock = SPINLOCK_INIT; /* innermost of all */
static log_sink current_sink;
static enum log_level current_level = LOG_INFO;

void log_set_sink(log_sink sink)
{
    spin_lock(&log_lock);
    current_sink = sink;
    spin_unlock(&log_lock);
}

void log_set_level(enum log_level level)
{
    __atomic_store_n(&current_level, level, __ATOMIC_RELAXED);
}

/* The whole line in `line`, newline included and no NUL; its length. */
static unsigned make_line(char line[LOG_LINE_MAX], const char *format, va_list args)
{
    char *text = line + PREFIX_LENGTH;
    size_t room = LOG_LINE_MAX - PREFIX_LENGTH;

    __builtin_memcpy(line, PREFIX, PREFIX_LENGTH);
    size_t length = format_text(text, room, format, args);
    if (length >= room) {
        length = room - 1;
        __builtin_memcpy(text + length - 3, "...", 3);
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == 0x7f) /* a name from outside must not move the cursor */
            text[i] = '?';
    }
    text[length] = '\n';
    return (unsigned)(PREFIX_LENGTH + length + 1);
}

void log_print(enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list args;

    if (level > __atomic_load_n(&current_level, __ATOMIC_RELAXED))
        return;
    va_start(args, format);
    unsigned length = make_line(line, format, args);
    va_end(args);

    spin_lock(&log_lock);
    if (current_sink)
        current_sink(line, length);
    spin_unlock(&log_lock);
}

void log_last_words(const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list args;

    va_start(args, format);
    unsigned length = make_line(line, format, args);
    va_end(args);

    bool locked = spin_trylock(&log_lock);
    for (unsigned spins = 0; !locked && spins < LAST_WORDS_SPINS; spins++) {
        cpu_relax();
        locked = spin_trylock(&log_lock);
    }
    if (current_sink)
        current_sink(line, length);
    if (locked)
        spin_unlock(&log_lock);
}
