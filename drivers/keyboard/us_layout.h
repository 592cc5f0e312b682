/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of a US keyboard (IBM's Technical Reference): what a host's sends, and what a
 * guest's is made to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Scan code of set 2, and the characters without and with Shift. */
struct us_key {
    uint8_t code;
    char plain, shifted;
};

/* NULL: no key types it. */
const struct us_key *us_key_for(char c);

/* The key that sends this code of set 1. NULL: none that types a character. */
const struct us_key *us_key_of_set_1(uint8_t code);

/* What the controller makes of a byte of set 2. */
uint8_t us_set_1(uint8_t byte);
