/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard of a PC (8042 and PS/2), as what a terminal with a US layout would send. */
#pragma once

#include "arch/status.h"

#include <stdint.h>

/* Characters typed; from the interrupt's handler, with no lock held. */
typedef void (*keyboard_typed)(const uint8_t *bytes, unsigned count);

/*
 * What is typed goes to `typed`, by host interrupt `irq`.
 * ERR_NOT_FOUND: no keyboard controller answers. Errors of irq_register.
 */
status_t keyboard_listen(uint32_t irq, keyboard_typed typed);

/* Until a key is pressed; for ever where there is no keyboard. Polls. */
void keyboard_wait(void);
