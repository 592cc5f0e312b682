/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text memory of a VGA: a character and its colours for each cell, the cursor the CRT
 * controller's.
 */
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/screen/screen.h"
#include "kernel/hypspace.h"

#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CURSOR_HIGH 0x0e /* place in cells */
#define CURSOR_LOW 0x0f

#define LIGHT_GREY 0x0700

static struct {
    volatile uint8_t *memory;
    uint32_t pitch, width;
} text;

static void text_put(unsigned column, unsigned row, char c)
{
    io_write16(text.memory + row * text.pitch + column * 2, (uint16_t)(LIGHT_GREY | (uint8_t)c));
}

static void text_show_cursor(unsigned column, unsigned row)
{
    const unsigned place = row * text.width + column;

    port_write8(CRTC_INDEX, CURSOR_HIGH);
    port_write8(CRTC_DATA, (uint8_t)(place >> 8));
    port_write8(CRTC_INDEX, CURSOR_LOW);
    port_write8(CRTC_DATA, (uint8_t)place);
}

static status_t text_attach(const struct host_screen *screen, unsigned *columns, unsigned *rows)
{
    text.memory = hyp_map_device(screen->base, (size_t)screen->pitch * screen->height);
    if (text.memory == NULL)
        return ERR_NO_MEMORY;
    text.pitch = screen->pitch;
    text.width = *columns = screen->width;
    *rows = screen->height;
    for (unsigned row = 0; row < *rows; row++)
        for (unsigned column = 0; column < *columns; column++)
            text_put(column, row, ' ');
    return OK;
}

const struct screen_ops text_screen_ops = {
    .attach = text_attach,
    .put = text_put,
    .show_cursor = text_show_cursor,
};
