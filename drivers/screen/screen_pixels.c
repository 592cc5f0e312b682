/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A linear frame buffer: characters drawn white on black. It is written only, eight pixels of
 * a row at a time, which are as many 64-bit words as a pixel has bytes.
 */
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/screen/font.h"
#include "drivers/screen/screen.h"
#include "kernel/hypspace.h"
#include "kernel/lib/string.h"

#define BYTES_PER_PIXEL_MAX 4
#define CURSOR_ROWS 2 /* at a cell's foot */

static struct {
    volatile uint8_t *memory;
    uint32_t pitch, white;
    unsigned bytes_per_pixel;
} pixels;

static void draw_row(volatile uint8_t *at, uint8_t bits)
{
    const unsigned bytes = pixels.bytes_per_pixel;
    uint64_t words[BYTES_PER_PIXEL_MAX] = { 0 };

    for (unsigned x = 0; x < FONT_WIDTH; x++)
        if (bits & 0x80 >> x)
            memcpy((uint8_t *)words + x * bytes, &pixels.white, bytes);
    for (unsigned i = 0; i < bytes; i++)
        io_write64(at + i * sizeof(words[0]), words[i]);
}

static volatile uint8_t *cell(unsigned column, unsigned row, unsigned y)
{
    return pixels.memory + (size_t)(row * FONT_HEIGHT + y) * pixels.pitch +
           (size_t)column * FONT_WIDTH * pixels.bytes_per_pixel;
}

static void pixels_put(unsigned column, unsigned row, char c)
{
    for (unsigned y = 0; y < FONT_HEIGHT; y++)
        draw_row(cell(column, row, y), font[c - FONT_FIRST][y]);
}

static void pixels_show_cursor(unsigned column, unsigned row)
{
    for (unsigned y = FONT_HEIGHT - CURSOR_ROWS; y < FONT_HEIGHT; y++)
        draw_row(cell(column, row, y), 0xff);
}

static status_t pixels_attach(const struct host_screen *screen, unsigned *columns, unsigned *rows)
{
    const size_t bytes = (size_t)screen->pitch * screen->height;

    pixels.memory = hyp_map_frame_buffer(screen->base, bytes);
    if (pixels.memory == NULL)
        return ERR_NO_MEMORY;
    pixels.pitch = screen->pitch;
    pixels.white = screen->white;
    pixels.bytes_per_pixel = screen->bytes_per_pixel;
    *columns = screen->width / FONT_WIDTH;
    *rows = screen->height / FONT_HEIGHT;
    for (size_t at = 0; at < ALIGN_DOWN(bytes, 8u); at += 8)
        io_write64(pixels.memory + at, 0);
    return OK;
}

const struct screen_ops pixel_screen_ops = {
    .attach = pixels_attach,
    .put = pixels_put,
    .show_cursor = pixels_show_cursor,
};
