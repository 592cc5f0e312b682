/* SPDX-License-Identifier: BSD-2-Clause */
/* A US keyboard's keys: which one to press for a character, and what they send. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Scan codes of set 2. */
#define KEY_LEFT_SHIFT 0x12
#define KEY_LEFT_CTRL 0x14
#define KEY_BREAK 0xf0 /* before the code of a key that is released */

struct i8042_stroke {
    uint8_t code; /* set 2 */
    bool shift, ctrl;
};

/* What types an ASCII character. False: no key does. */
bool i8042_stroke_of(uint8_t ascii, struct i8042_stroke *out);
