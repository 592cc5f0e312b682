/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's screen as the hypervisor's terminal: characters on a grid that scrolls, in the VGA's
 * text memory or drawn in a frame buffer, as the firmware left the one or the other.
 *
 *     screen_write --> grid: cursor, wrap, scroll --> only cells that changed --> text | pixels
 */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/host_info.h"

/* How cells come to be seen. Called with positions on the grid alone. */
struct screen_ops {
    /* Takes over and blanks the screen: its columns and rows. ERR_NO_MEMORY: to map it. */
    status_t (*attach)(const struct host_screen *screen, unsigned *columns, unsigned *rows);
    void (*put)(unsigned column, unsigned row, char c); /* printable ASCII */
    void (*show_cursor)(unsigned column, unsigned row); /* until a put there */
};

extern const struct screen_ops text_screen_ops;  /* VGA text memory */
extern const struct screen_ops pixel_screen_ops; /* a linear frame buffer of RGB */

/*
 * Takes it over; it is blank then. A screen larger than the grid is used in part.
 * ERR_NOT_FOUND: there is none. ERR_NO_MEMORY: none to map it.
 */
status_t screen_attach(const struct host_screen *screen);

/*
 * As a terminal of ECMA-48 shows it, in one colour: CR, LF, BS, HT, and the control sequences
 * that move the cursor (CUU, CUD, CUF, CUB, CHA, CUP) and erase (ED, EL). Others are left out,
 * and characters beyond ASCII become '?'. Callers serialize. After screen_attach.
 */
void screen_write(const char *text, unsigned length);
