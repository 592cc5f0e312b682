/* SPDX-License-Identifier: BSD-2-Clause */
/* The characters of ASCII that print, as a VGA draws them: a byte a row, left in bit 7. */
#pragma once

#include <stdint.h>

#define FONT_FIRST ' '
#define FONT_COUNT 95
#define FONT_WIDTH 8
#define FONT_HEIGHT 16

extern const uint8_t font[FONT_COUNT][FONT_HEIGHT];
