/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard at a PC's keyboard controller. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEYBOARD_QUEUE 16

/* Bytes alone, so that it is its own record. */
struct i8042_keyboard {
    uint8_t set;      /* of scan codes: 1 or 2 */
    uint8_t scanning; /* 0 or 1: keys are sent */
    uint8_t expects;  /* the command whose parameter comes next; 0: none */
    uint8_t leds, rate;
    uint8_t last; /* byte sent */
    uint8_t first, count;
    uint8_t queue[KEYBOARD_QUEUE]; /* ring */
};

/* After its self test. */
void keyboard_reset(struct i8042_keyboard *keyboard);

/* A byte from the controller; the answer is queued. */
void keyboard_command(struct i8042_keyboard *keyboard, uint8_t byte);

/* Presses and releases the keys for a character; nothing for one that no key types. The queue
 * is empty. */
void keyboard_type(struct i8042_keyboard *keyboard, uint8_t ascii);

/* The next byte that it sends; the queue is not empty. */
uint8_t keyboard_send(struct i8042_keyboard *keyboard);

/* Is this a state that it can be in? */
bool keyboard_is_possible(const struct i8042_keyboard *keyboard);
