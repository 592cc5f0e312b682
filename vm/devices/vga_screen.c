/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changed on a screen, as lines.
 *
 *     shown      now                 console
 *     one        two                 (scrolled by one: nothing)
 *     two        three               three
 *     $ ls_      $ ls -l_            " -l", as long as the cursor is at its end
 */

#include "vm/devices/vga_screen.h"

#include "kernel/lib/string.h"

static void end_line(struct vga_screen *screen, struct console *console)
{
    if (screen->open_row == VGA_ROWS)
        return;
    console_put(console, '\r');
    console_put(console, '\n');
    screen->open_row = VGA_ROWS;
}

void vga_screen_clear(struct vga_screen *screen, struct console *console)
{
    end_line(screen, console);
    memset(screen->now, ' ', sizeof(screen->now));
    memset(screen->shown, ' ', sizeof(screen->shown));
}

static unsigned text_length(const uint8_t *row)
{
    unsigned length = VGA_COLUMNS;

    while (length > 0 && row[length - 1] == ' ')
        length--;
    return length;
}

/* By how many rows the screen scrolled up; 0: it did not. What moved must have been text. */
static unsigned find_scroll(const struct vga_screen *screen)
{
    unsigned rows = 1, last = VGA_ROWS;

    while (last > 0 && text_length(screen->shown[last - 1]) == 0)
        last--;
    while (rows < last &&
           memcmp(screen->now, screen->shown[rows], (VGA_ROWS - rows) * VGA_COLUMNS) != 0)
        rows++;
    return rows < last ? rows : 0;
}

static void scroll(struct vga_screen *screen, unsigned rows, struct console *console)
{
    if (rows > screen->open_row)
        end_line(screen, console);
    if (screen->open_row != VGA_ROWS)
        screen->open_row -= rows;
    memmove(screen->shown, screen->shown[rows], (VGA_ROWS - rows) * VGA_COLUMNS);
    memset(screen->shown[VGA_ROWS - rows], ' ', rows * VGA_COLUMNS);
}

/* Prints a row that has changed: the whole, or how it goes on. With the cursor behind its
 * text, it may go on later. */
static void show_row(struct vga_screen *screen, unsigned row, unsigned cursor,
                     struct console *console)
{
    const uint8_t *text = screen->now[row];
    const bool open = cursor / VGA_COLUMNS == row && cursor % VGA_COLUMNS >= text_length(text);
    const unsigned length = open ? cursor % VGA_COLUMNS : text_length(text);
    unsigned from = 0;

    if (screen->open_row == row && length >= screen->open_length &&
        memcmp(text, screen->shown[row], screen->open_length) == 0)
        from = screen->open_length;
    else
        end_line(screen, console);
    for (unsigned i = from; i < length; i++)
        console_put(console, text[i]);
    if (length != 0) {
        screen->open_row = row;
        screen->open_length = length;
    }
    if (!open)
        end_line(screen, console);
}

void vga_screen_show(struct vga_screen *screen, unsigned cursor, struct console *console)
{
    if (memcmp(screen->now, screen->shown, sizeof(screen->now)) != 0) {
        const unsigned scrolled = find_scroll(screen);

        if (scrolled != 0)
            scroll(screen, scrolled, console);
        for (unsigned row = 0; row < VGA_ROWS; row++)
            if (memcmp(screen->now[row], screen->shown[row], VGA_COLUMNS) != 0)
                show_row(screen, row, cursor, console);
        memcpy(screen->shown, screen->now, sizeof(screen->shown));
    }
    if (screen->open_row != cursor / VGA_COLUMNS)
        end_line(screen, console);
}
