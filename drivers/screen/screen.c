/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grid of characters that a screen shows, and the terminal's language that fills it.
 *
 *     byte --> printable --> cell, cursor on --> past the last row: scroll
 *          --> control   --> cursor moves
 *          --> ESC [ 1 ; 2 H --> final byte's action, with its parameters
 */
#include "drivers/screen/screen.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"

#define COLUMNS_MAX 240 /* of 1920 pixels */
#define ROWS_MAX 67     /* of 1080 */
#define TAB 8
#define PARAMETERS 2
#define PARAMETER_MAX 9999u

enum reading { READING_TEXT, READING_ESCAPE, READING_SEQUENCE };

static struct {
    const struct screen_ops *ops;
    unsigned columns, rows;
    unsigned column, row; /* of the cursor; column == columns: the next character wraps */
    char cells[ROWS_MAX][COLUMNS_MAX];
    enum reading reading;
    unsigned parameters[PARAMETERS]; /* of a control sequence; 0: not given */
    unsigned parameter;              /* that is read */
} screen;

static void set_cell(unsigned column, unsigned row, char c)
{
    if (screen.cells[row][column] == c)
        return;
    screen.cells[row][column] = c;
    screen.ops->put(column, row, c);
}

static void blank(unsigned row, unsigned from, unsigned to)
{
    for (unsigned column = from; column < to; column++)
        set_cell(column, row, ' ');
}

static void scroll(void)
{
    for (unsigned row = 0; row + 1 < screen.rows; row++)
        for (unsigned column = 0; column < screen.columns; column++)
            set_cell(column, row, screen.cells[row + 1][column]);
    blank(screen.rows - 1, 0, screen.columns);
}

static void line_feed(void)
{
    if (screen.row + 1 < screen.rows)
        screen.row++;
    else
        scroll();
}

static void print(char c)
{
    if (screen.column == screen.columns) {
        screen.column = 0;
        line_feed();
    }
    set_cell(screen.column++, screen.row, c);
}

/* The cursor's column as one of the grid: behind the last it stands on the last. */
static unsigned cursor_column(void)
{
    return MIN(screen.column, screen.columns - 1);
}

/* --- control sequences --- */

static void move_to(unsigned column, unsigned row)
{
    screen.column = MIN(column, screen.columns - 1);
    screen.row = MIN(row, screen.rows - 1);
}

static void cursor_up(unsigned count)
{
    move_to(cursor_column(), screen.row - MIN(count, screen.row));
}

static void cursor_down(unsigned count)
{
    move_to(cursor_column(), screen.row + count);
}

static void cursor_forward(unsigned count)
{
    move_to(cursor_column() + count, screen.row);
}

static void cursor_back(unsigned count)
{
    move_to(cursor_column() - MIN(count, cursor_column()), screen.row);
}

static void cursor_column_absolute(unsigned column)
{
    move_to(column - 1, screen.row);
}

static void cursor_position(unsigned row)
{
    move_to(MAX(screen.parameters[1], 1u) - 1, row - 1);
}

enum { ERASE_BEHIND, ERASE_BEFORE, ERASE_ALL };

static void erase_in_line(unsigned what)
{
    blank(screen.row, what == ERASE_BEHIND ? cursor_column() : 0,
          what == ERASE_BEFORE ? cursor_column() + 1 : screen.columns);
}

static void erase_in_screen(unsigned what)
{
    const unsigned first = what == ERASE_BEHIND ? screen.row + 1 : 0;
    const unsigned end = what == ERASE_BEFORE ? screen.row : screen.rows;

    for (unsigned row = first; row < end; row++)
        blank(row, 0, screen.columns);
    if (what != ERASE_ALL)
        erase_in_line(what);
}

/* ECMA-48 8.3, by the final byte; `absent` is what the first parameter is if not given or 0. */
static const struct sequence {
    char final;
    uint8_t absent;
    void (*act)(unsigned parameter);
} sequences[] = {
    { 'A', 1, cursor_up },
    { 'B', 1, cursor_down },
    { 'C', 1, cursor_forward },
    { 'D', 1, cursor_back },
    { 'G', 1, cursor_column_absolute },
    { 'H', 1, cursor_position },
    { 'f', 1, cursor_position },
    { 'J', ERASE_BEHIND, erase_in_screen },
    { 'K', ERASE_BEHIND, erase_in_line },
};

static void end_sequence(char final)
{
    const unsigned first = screen.parameters[0];

    for (unsigned i = 0; i < ARRAY_SIZE(sequences); i++)
        if (sequences[i].final == final)
            sequences[i].act(first != 0 ? first : sequences[i].absent);
    screen.reading = READING_TEXT;
}

static void read_sequence(char c)
{
    if (c >= '@' && c <= '~') {
        end_sequence(c);
    } else if (c == ';') {
        screen.parameter++;
    } else if (c >= '0' && c <= '9' && screen.parameter < PARAMETERS) {
        unsigned *const value = &screen.parameters[screen.parameter];

        *value = MIN(*value * 10 + (unsigned)(c - '0'), PARAMETER_MAX);
    }
}

static void read_escape(char c)
{
    screen.reading = c == '[' ? READING_SEQUENCE : READING_TEXT;
    screen.parameter = 0;
    memset(screen.parameters, 0, sizeof(screen.parameters));
}

/* --- bytes --- */

static bool control(char c)
{
    switch (c) {
    case '\r': screen.column = 0; return true;
    case '\n': line_feed(); return true;
    case '\b': cursor_back(1); return true;
    case '\t': move_to(ALIGN_DOWN(cursor_column(), TAB) + TAB, screen.row); return true;
    case 0x1b: screen.reading = READING_ESCAPE; return true;
    default: return (uint8_t)c < ' ' || c == 0x7f;
    }
}

/* Of a character in UTF-8, the first byte stands for the whole. */
static void read_text(char c)
{
    const uint8_t byte = (uint8_t)c;

    if (byte < 0x80)
        print(c);
    else if (byte >= 0xc0)
        print('?');
}

void screen_write(const char *text, unsigned length)
{
    screen.ops->put(cursor_column(), screen.row, screen.cells[screen.row][cursor_column()]);
    for (unsigned i = 0; i < length; i++) {
        if (control(text[i]))
            continue;
        if (screen.reading == READING_ESCAPE)
            read_escape(text[i]);
        else if (screen.reading == READING_SEQUENCE)
            read_sequence(text[i]);
        else
            read_text(text[i]);
    }
    screen.ops->show_cursor(cursor_column(), screen.row);
}

status_t screen_attach(const struct host_screen *host)
{
    static const struct screen_ops *const kinds[HOST_SCREEN_KINDS] = {
        [HOST_SCREEN_TEXT] = &text_screen_ops,
        [HOST_SCREEN_PIXELS] = &pixel_screen_ops,
    };
    const struct screen_ops *const ops = kinds[host->kind];
    unsigned columns, rows;

    if (ops == NULL)
        return ERR_NOT_FOUND;

    const status_t status = ops->attach(host, &columns, &rows);

    if (status != OK)
        return status;
    screen.ops = ops;
    screen.columns = MIN(columns, COLUMNS_MAX);
    screen.rows = MIN(rows, ROWS_MAX);
    screen.column = screen.row = 0;
    screen.reading = READING_TEXT;
    memset(screen.cells, ' ', sizeof(screen.cells));
    return OK;
}
