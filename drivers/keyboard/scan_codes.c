/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Set 1: a byte for each key, with bit 7 when it is let go; behind E0 the keys that the first
 * PC did not have.
 */
#include "drivers/keyboard/scan_codes.h"

#include "arch/bits.h"
#include "drivers/keyboard/us_layout.h"
#include "kernel/lib/string.h"

#define RELEASED BIT(7)
#define EXTENDED 0xe0
#define CTRL 0x1d
#define LEFT_SHIFT 0x2a
#define RIGHT_SHIFT 0x36
#define CAPS_LOCK 0x3a

/* Behind E0, as ECMA-48 and the VT220 have them. */
static const struct {
    uint8_t code;
    char text[KEY_TEXT_MAX + 1];
} extended_keys[] = {
    { 0x48, "\033[A" },  { 0x50, "\033[B" }, { 0x4d, "\033[C" },
    { 0x4b, "\033[D" },  { 0x47, "\033[H" }, { 0x4f, "\033[F" },
    { 0x53, "\033[3~" }, { 0x1c, "\r" },     { 0x35, "/" },
};

static unsigned extended(uint8_t code, uint8_t text[KEY_TEXT_MAX])
{
    for (unsigned i = 0; i < ARRAY_SIZE(extended_keys); i++) {
        const size_t length = strlen(extended_keys[i].text);

        if (extended_keys[i].code != code)
            continue;
        memcpy(text, extended_keys[i].text, length);
        return (unsigned)length;
    }
    return 0;
}

static unsigned plain(const struct scan_codes *keys, uint8_t code, uint8_t text[KEY_TEXT_MAX])
{
    const struct us_key *const key = us_key_of_set_1(code);

    if (key == NULL)
        return 0;

    const bool letter = key->plain >= 'a' && key->plain <= 'z';
    const bool shifted = keys->shift != (keys->caps && letter);

    text[0] = (uint8_t)(shifted ? key->shifted : key->plain);
    if (keys->ctrl && text[0] >= '@' && text[0] < 0x7f)
        text[0] &= 0x1f;
    return 1;
}

/* Of the keys that only change what others mean. */
static bool modify(struct scan_codes *keys, uint8_t code, bool pressed, bool behind_e0)
{
    if (code == CTRL)
        keys->ctrl = pressed;
    else if (code == LEFT_SHIFT || code == RIGHT_SHIFT)
        keys->shift = behind_e0 ? keys->shift : pressed; /* E0: around other keys, means nothing */
    else if (code == CAPS_LOCK)
        keys->caps ^= pressed;
    else
        return false;
    return true;
}

unsigned scan_code_read(struct scan_codes *keys, uint8_t code, uint8_t text[KEY_TEXT_MAX])
{
    const bool behind_e0 = keys->extended, pressed = !(code & RELEASED);

    keys->extended = code == EXTENDED;
    if (keys->extended || modify(keys, code & (uint8_t)~RELEASED, pressed, behind_e0) || !pressed)
        return 0;
    return behind_e0 ? extended(code, text) : plain(keys, code, text);
}
