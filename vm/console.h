/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests' consoles on the one host UART. One VM owns the terminal: its bytes go straight out,
 * and what the user types goes to it. What the others print is kept until a line is whole,
 * then shown behind their name when the owner is at the start of a line.
 *
 *     [hello] Hi
 *
 * Kept memory is bounded: a line that grows to CONSOLE_LINE is taken for whole, and when the
 * ring is full its lines are shown even in the middle of the owner's. Behind a name, control
 * characters show as '?': only the owner may move the cursor or ask the terminal questions.
 *
 * Ctrl-] is the escape: Ctrl-] n gives the terminal to the next VM, Ctrl-] 1…9 to the n-th,
 * Ctrl-] Ctrl-] types one. Ctrl-] m is where the management shell will be.
 *
 * Locks: the terminal's is the innermost of all, inside the log's too, so any of these may be
 * called with a device's lock held but console_detach and console_set_reader; those wait for
 * an on_input that is running, which takes its device's lock.
 */
#pragma once

#include "arch/status.h"

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_KEEP 4096 /* bytes kept of a VM that does not own the terminal */
#define CONSOLE_LINE 512  /* of them at most without an end of line */
#define CONSOLE_INPUT 256 /* typed bytes not yet taken by the device */

struct console {
    const char *name;
    struct console *next;
    char *kept; /* ring of CONSOLE_KEEP; NULL: not attached */
    uint32_t kept_head, kept_tail;
    uint32_t kept_whole;          /* from kept_tail up to here: whole lines */
    uint8_t input[CONSOLE_INPUT]; /* ring */
    uint32_t input_head, input_tail;
    /* Called when input has come; takes the device's lock and reads it. */
    void (*on_input)(void *device);
    void *device;
};

/* Where bytes go and how they are shown; `write` sends all, polled. Once, at boot. */
void console_init(void (*write)(const char *text, unsigned length));

/*
 * What Ctrl-] s does with the owner of the terminal, which does not detach meanwhile. May take
 * any lock but a console's. Once, at boot.
 */
void console_set_shutdown(void (*shut_down)(struct console *console));

/*
 * `name` lives as long as the console. The first one attached owns the terminal. A reader
 * set before stays. ERR_NO_MEMORY.
 */
status_t console_attach(struct console *console, const char *name);
/* Shows what is kept, and passes the terminal on if this one owned it. */
void console_detach(struct console *console);

/* A byte from the guest. */
void console_put(struct console *console, uint8_t byte);

/* Has what was put begun a line, and not ended it? */
bool console_is_within_line(struct console *console);

/* The next typed byte; false when there is none. */
bool console_get(struct console *console, uint8_t *byte);
bool console_has_input(struct console *console);

/*
 * The device that takes input; NULL: nobody. When this returns, the reader before is not
 * running and will not be called again.
 */
void console_set_reader(struct console *console, void (*on_input)(void *device), void *device);

/* Bytes typed on the host, from the UART's interrupt; no lock held. */
void console_typed(const uint8_t *bytes, unsigned count);

/* A line of the hypervisor's log: on a line of its own, whatever the owner was printing. */
void console_log_line(const char *text, unsigned length);
