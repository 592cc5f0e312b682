/* SPDX-License-Identifier: BSD-2-Clause */
/* Which keys a US keyboard's user would press. */

#include "vm/devices/i8042_keys.h"

#include "drivers/keyboard/us_layout.h"

static bool find_key(char c, struct i8042_stroke *out)
{
    const struct us_key *const key = us_key_for(c);

    if (key == NULL)
        return false;
    out->code = key->code;
    out->shift = c != key->plain && c != '\b';
    return true;
}

bool i8042_stroke_of(uint8_t ascii, struct i8042_stroke *out)
{
    *out = (struct i8042_stroke){ 0 };
    if (ascii > 0x7f)
        return false;
    if (find_key((char)ascii, out))
        return true;

    /* What is left of the control characters: Ctrl with one of @ A…Z [ \ ] ^ _. */
    const char with = (char)(ascii | 0x40);

    out->ctrl = true;
    return find_key(with >= 'A' && with <= 'Z' ? (char)(with | 0x20) : with, out);
}
