/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of the hypervisor to its console: one line each, "socle: " or a VM's name first.
 *
 *     log_info("%s: %zu MiB free", vm->name, free >> 20);   ->  socle: debian: 480 MiB free
 */
#pragma once

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define LOG_LINE_MAX 256 /* bytes of a line; a longer one ends in "..." */

/*
 * Where lines go: "socle: ..." with a final newline, no other control character, and no NUL
 * behind it. Called with the log's lock held (the innermost lock of all).
 */
typedef void (*log_sink)(const char *text, unsigned length);

/* Without a sink, lines are dropped. */
void log_set_sink(log_sink sink);
void log_set_level(enum log_level level); /* LOG_INFO at first */

/*
 * printf's d i u x X c s p %, with 0, -, #, width, precision (also as *), l, ll, z, j.
 * %p prints 0x and digits, for a null pointer too.
 */
void log_print(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * For the machine's last words: printed at any level, and even if the lock stays held by a
 * CPU that will never release it (perhaps this one).
 */
void log_last_words(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define log_error(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_print(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)
