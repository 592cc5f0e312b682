/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text screen shown on a console, which only grows: lines that are new or changed are
 * printed, those that scrolled away or stayed are not.
 */
#pragma once

#include "vm/console.h"

#define VGA_ROWS 25
#define VGA_COLUMNS 80

struct vga_screen {
    uint8_t now[VGA_ROWS][VGA_COLUMNS];   /* characters, printable ones only */
    uint8_t shown[VGA_ROWS][VGA_COLUMNS]; /* what the console has seen */
    unsigned open_row;    /* where the console's line goes on; VGA_ROWS: it is at a new line */
    unsigned open_length; /* columns of it that are printed */
};

/* Blank, and so is what was shown. Ends the console's line. */
void vga_screen_clear(struct vga_screen *screen, struct console *console);

/* Prints what has changed between `shown` and `now`; the cursor stands at `cursor`, counted in
 * characters, or anywhere else. */
void vga_screen_show(struct vga_screen *screen, unsigned cursor, struct console *console);
