/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own terminal: the host's UART; or the screen and the keyboard of a PC that
 * has no serial port, or whose command line says `console=screen`.
 */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

#include <stdint.h>

/* Shows text as it is. Callers serialize. */
typedef void (*terminal_write)(const char *text, unsigned length);

/* Bytes typed; from the interrupt's handler, with no lock held. */
typedef void (*terminal_typed)(const uint8_t *bytes, unsigned count);

/* Takes it over. Where there is none, what is written is dropped. */
terminal_write terminal_attach(const struct host_info *host);

/*
 * Before the power goes: until what was written can be seen. A UART has sent it; a screen that
 * shows a failure stays until a key is pressed.
 */
void terminal_finish(bool failed);

/* From here on `typed` gets what is typed. ERR_*: it has no input that can be used. */
status_t terminal_listen(const struct host_info *host, terminal_typed typed);
