/* SPDX-License-Identifier: BSD-2-Clause */
/* Scan codes of set 1, decoded into what a terminal sends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEY_TEXT_MAX 4 /* bytes that a key sends */

/* All zero: nothing is pressed. */
struct scan_codes {
    bool shift, ctrl, caps;
    bool extended; /* E0 came */
};

/* A byte that the keyboard sent: how many bytes that makes in `text`. */
unsigned scan_code_read(struct scan_codes *keys, uint8_t code, uint8_t text[KEY_TEXT_MAX]);
