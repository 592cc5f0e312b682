/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PS/2 keyboard, as in IBM's Personal System/2 Technical Reference, "Keyboard and auxiliary
 * device": commands with their answers, scan code sets 1 and 2.
 */

#include "vm/devices/i8042_keyboard.h"

#include "drivers/keyboard/us_layout.h"
#include "vm/devices/i8042_keys.h"

enum {
    CMD_LEDS = 0xed, /* parameter */
    CMD_ECHO = 0xee,
    CMD_SET = 0xf0, /* parameter; 0 asks */
    CMD_IDENTIFY = 0xf2,
    CMD_RATE = 0xf3, /* parameter */
    CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5,
    CMD_DEFAULTS = 0xf6,
    CMD_ALL_KEYS = 0xf7, /* to 0xfd: of set 3, which is not there */
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,

    REPLY_PASSED = 0xaa,
    REPLY_ACK = 0xfa,
    REPLY_RESEND = 0xfe,
};

#define RATE_DEFAULT 0x2b /* 10.9 a second, after half a second */
#define PARAMETER_MAX 0x7f

static void put(struct i8042_keyboard *keyboard, uint8_t byte)
{
    if (keyboard->count < KEYBOARD_QUEUE)
        keyboard->queue[(keyboard->first + keyboard->count++) % KEYBOARD_QUEUE] = byte;
}

uint8_t keyboard_send(struct i8042_keyboard *keyboard)
{
    keyboard->last = keyboard->queue[keyboard->first];
    keyboard->first = (uint8_t)((keyboard->first + 1) % KEYBOARD_QUEUE);
    keyboard->count--;
    return keyboard->last;
}

static void set_defaults(struct i8042_keyboard *keyboard)
{
    keyboard->set = 2;
    keyboard->rate = RATE_DEFAULT;
    keyboard->count = 0;
}

void keyboard_reset(struct i8042_keyboard *keyboard)
{
    *keyboard = (struct i8042_keyboard){ .scanning = 1 };
    set_defaults(keyboard);
}

/* The parameter of the command before. */
static void parameter(struct i8042_keyboard *keyboard, uint8_t byte)
{
    const uint8_t command = keyboard->expects;

    keyboard->expects = 0;
    if (command == CMD_SET && byte > 2) {
        put(keyboard, REPLY_RESEND);
        return;
    }
    put(keyboard, REPLY_ACK);
    if (command == CMD_LEDS)
        keyboard->leds = byte;
    else if (command == CMD_RATE)
        keyboard->rate = byte;
    else if (byte != 0)
        keyboard->set = byte;
    else
        put(keyboard, keyboard->set);
}

static void scan(struct i8042_keyboard *keyboard, uint8_t command)
{
    if (command != CMD_ENABLE)
        set_defaults(keyboard);
    keyboard->count = 0;
    if (command != CMD_DEFAULTS)
        keyboard->scanning = command == CMD_ENABLE;
    put(keyboard, REPLY_ACK);
}

static void command(struct i8042_keyboard *keyboard, uint8_t byte)
{
    switch (byte) {
    case CMD_LEDS:
    case CMD_RATE:
    case CMD_SET:
        keyboard->expects = byte;
        put(keyboard, REPLY_ACK);
        break;
    case CMD_ECHO: put(keyboard, CMD_ECHO); break;
    case CMD_IDENTIFY:
        put(keyboard, REPLY_ACK);
        put(keyboard, 0xab);
        put(keyboard, 0x83);
        break;
    case CMD_ENABLE:
    case CMD_DISABLE:
    case CMD_DEFAULTS: scan(keyboard, byte); break;
    case CMD_RESEND: put(keyboard, keyboard->last); break;
    case CMD_RESET:
        keyboard_reset(keyboard);
        put(keyboard, REPLY_ACK);
        put(keyboard, REPLY_PASSED);
        break;
    default: put(keyboard, byte >= CMD_ALL_KEYS ? REPLY_ACK : REPLY_RESEND); break;
    }
}

void keyboard_command(struct i8042_keyboard *keyboard, uint8_t byte)
{
    if (keyboard->expects != 0 && byte <= PARAMETER_MAX) {
        parameter(keyboard, byte);
        return;
    }
    keyboard->expects = 0; /* a command instead of the parameter cancels the one before */
    command(keyboard, byte);
}

static void press(struct i8042_keyboard *keyboard, uint8_t code)
{
    put(keyboard, keyboard->set == 1 ? us_set_1(code) : code);
}

static void release(struct i8042_keyboard *keyboard, uint8_t code)
{
    if (keyboard->set == 1) {
        put(keyboard, us_set_1(code) | 0x80);
    } else {
        put(keyboard, KEY_BREAK);
        put(keyboard, code);
    }
}

void keyboard_type(struct i8042_keyboard *keyboard, uint8_t ascii)
{
    struct i8042_stroke stroke;

    if (!i8042_stroke_of(ascii, &stroke))
        return;
    if (stroke.ctrl)
        press(keyboard, KEY_LEFT_CTRL);
    if (stroke.shift)
        press(keyboard, KEY_LEFT_SHIFT);
    press(keyboard, stroke.code);
    release(keyboard, stroke.code);
    if (stroke.shift)
        release(keyboard, KEY_LEFT_SHIFT);
    if (stroke.ctrl)
        release(keyboard, KEY_LEFT_CTRL);
}

bool keyboard_is_possible(const struct i8042_keyboard *keyboard)
{
    return (keyboard->set == 1 || keyboard->set == 2) && keyboard->scanning <= 1 &&
           keyboard->first < KEYBOARD_QUEUE && keyboard->count <= KEYBOARD_QUEUE;
}
