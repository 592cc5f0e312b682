/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal and its owner.
 *
 *     owner's device  --put--> UART
 *     another's device --put--> kept ring --whole lines--> UART, when the owner's line is done
 *     UART --typed--> escape? --> owner's input ring --on_input--> owner's device --get-->
 *
 * The host's terminal is raw: a line ends with CR LF. What guests send goes out as it is, so
 * the last two bytes tell where the cursor is, also behind guests that end lines with LF alone.
 */

#include "vm/console.h"

#include "arch/bits.h"
#include "arch/spinlock.h"
#include "kernel/lib/string.h"
#include "kernel/pmm.h"

#define ESCAPE 0x1d /* Ctrl-] */

/* Tries before a log line goes out without the lock: a CPU that died holding it must not
 * silence the panic. Longer than any ring takes at 115200 baud. */
#define PATIENCE (1u << 26)

#define TWO_BYTES(before, last) ((uint16_t)((before) << 8 | (last)))

static void discard(const char *text, unsigned length)
{
    (void)text;
    (void)length;
}

static struct {
    spinlock_t lock;    /* all that is here and every console's rings; innermost of all */
    spinlock_t readers; /* on_input of every console; outside the devices' locks */
    void (*write)(const char *text, unsigned length);
    struct console *first, *owner;
    uint16_t last_two; /* bytes on the terminal, the last one low */
    bool waiting;      /* whole lines are kept, until the owner's line ends */
    bool escape;       /* Ctrl-] was typed */
    void (*shut_down)(struct console *console);
} terminal = { .write = discard, .last_two = TWO_BYTES('\r', '\n') };

static void emit(const char *text, unsigned length)
{
    if (length == 0)
        return;
    terminal.write(text, length);
    terminal.last_two = TWO_BYTES(length > 1 ? (uint8_t)text[length - 2] : terminal.last_two & 0xff,
                                  (uint8_t)text[length - 1]);
}

static void emit_string(const char *text)
{
    emit(text, (unsigned)strlen(text));
}

static bool at_line_start(void)
{
    return (terminal.last_two & 0xff) == '\n' || terminal.last_two == TWO_BYTES('\n', '\r');
}

/* Ends the owner's line if it has begun; the cursor stands in the first column. */
static void start_line(void)
{
    if (!at_line_start())
        emit_string("\r\n");
    else if ((terminal.last_two & 0xff) == '\n' && terminal.last_two >> 8 != '\r')
        emit_string("\r");
}

static char kept_next(struct console *console)
{
    return console->kept[console->kept_tail++ % CONSOLE_KEEP];
}

static void kept_append(struct console *console, char byte)
{
    console->kept[console->kept_head++ % CONSOLE_KEEP] = byte;
}

/* One line behind the console's name: up to LF, or to `end`. */
static void show_line(struct console *console, uint32_t end)
{
    start_line();
    emit_string("[");
    emit_string(console->name);
    emit_string("] ");
    while (console->kept_tail != end) {
        char byte = kept_next(console);
        bool control = ((uint8_t)byte < 0x20 && byte != '\t') || byte == 0x7f;

        if (byte == '\n')
            break;
        if (byte != '\r')
            emit(control ? "?" : &byte, 1);
    }
    emit_string("\r\n");
}

static void show_lines(struct console *console, uint32_t end)
{
    while (console->kept_tail != end)
        show_line(console, end);
}

static void show_all_waiting(void)
{
    for (struct console *c = terminal.first; c != NULL; c = c->next)
        show_lines(c, c->kept_whole);
    terminal.waiting = false;
}

static void keep(struct console *console, char byte)
{
    if (console->kept_head - console->kept_tail > CONSOLE_KEEP - 2)
        show_lines(console, console->kept_whole);
    kept_append(console, byte);

    bool long_enough = console->kept_head - console->kept_whole == CONSOLE_LINE;

    if (byte != '\n' && long_enough)
        kept_append(console, '\n');
    if (byte != '\n' && !long_enough)
        return;
    console->kept_whole = console->kept_head;
    if (at_line_start())
        show_all_waiting();
    else
        terminal.waiting = true;
}

/* The new owner's begun line, a prompt perhaps, goes out as it would have if it had owned. */
static void give_terminal(struct console *console)
{
    start_line();
    show_all_waiting();
    terminal.owner = console;
    if (console == NULL)
        return;
    emit_string("socle: terminal: ");
    emit_string(console->name);
    emit_string(" (Ctrl-] n for the next)\r\n");
    while (console->kept_tail != console->kept_head) {
        char byte = kept_next(console);

        emit(&byte, 1);
    }
    console->kept_whole = console->kept_tail;
}

static struct console *next_of(const struct console *console)
{
    return console != NULL && console->next != NULL ? console->next : terminal.first;
}

static struct console *nth(unsigned n)
{
    struct console *console = terminal.first;

    while (console != NULL && n-- > 0)
        console = console->next;
    return console;
}

void console_init(void (*write)(const char *text, unsigned length))
{
    terminal.write = write;
}

void console_set_shutdown(void (*shut_down)(struct console *console))
{
    terminal.shut_down = shut_down;
}

status_t console_attach(struct console *console, const char *name)
{
    char *kept = pmm_alloc_wired(CONSOLE_KEEP);

    if (kept == NULL)
        return ERR_NO_MEMORY;

    spin_lock(&terminal.lock);
    struct console **link = &terminal.first;

    while (*link != NULL)
        link = &(*link)->next;
    *link = console;
    console->name = name;
    console->next = NULL;
    console->kept = kept;
    console->kept_head = console->kept_tail = console->kept_whole = 0;
    console->input_head = console->input_tail = 0;
    if (terminal.owner == NULL)
        terminal.owner = console;
    spin_unlock(&terminal.lock);
    return OK;
}

void console_detach(struct console *console)
{
    spin_lock(&terminal.readers);
    spin_lock(&terminal.lock);
    char *kept = console->kept;

    if (kept != NULL) {
        struct console **link = &terminal.first;

        show_lines(console, console->kept_head);
        while (*link != console)
            link = &(*link)->next;
        *link = console->next;
        if (terminal.owner == console)
            give_terminal(next_of(console));
        console->kept = NULL;
        console->kept_whole = console->kept_tail;
    }
    console->on_input = NULL;
    spin_unlock(&terminal.lock);
    spin_unlock(&terminal.readers);
    pmm_free_wired(kept);
}

void console_put(struct console *console, uint8_t byte)
{
    char c = (char)byte;

    spin_lock(&terminal.lock);
    if (likely(console == terminal.owner)) {
        terminal.write(&c, 1);
        terminal.last_two = TWO_BYTES(terminal.last_two & 0xff, byte);
        if (unlikely(terminal.waiting) && at_line_start())
            show_all_waiting();
    } else if (console->kept != NULL) {
        keep(console, c);
    }
    spin_unlock(&terminal.lock);
}

bool console_get(struct console *console, uint8_t *byte)
{
    bool got;

    if (!console_has_input(console))
        return false;
    spin_lock(&terminal.lock);
    got = console->input_head != console->input_tail;
    if (got)
        *byte = console->input[console->input_tail++ % CONSOLE_INPUT];
    spin_unlock(&terminal.lock);
    return got;
}

bool console_is_within_line(struct console *console)
{
    bool within;

    spin_lock(&terminal.lock);
    within =
        console == terminal.owner ? !at_line_start() : console->kept_head != console->kept_whole;
    spin_unlock(&terminal.lock);
    return within;
}

bool console_has_input(struct console *console)
{
    return __atomic_load_n(&console->input_head, __ATOMIC_RELAXED) !=
           __atomic_load_n(&console->input_tail, __ATOMIC_RELAXED);
}

void console_set_reader(struct console *console, void (*on_input)(void *device), void *device)
{
    spin_lock(&terminal.readers);
    console->on_input = on_input;
    console->device = device;
    spin_unlock(&terminal.readers);
}

/* What follows Ctrl-]. True: the owner is to be shut down, without the lock. */
static bool command(uint8_t key)
{
    struct console *to = NULL;

    if (key == 'n')
        to = next_of(terminal.owner);
    else if (key >= '1' && key <= '9')
        to = nth(key - '1');

    if (key == 's' && terminal.owner != NULL)
        return true;
    if (to != NULL) {
        give_terminal(to);
    } else {
        start_line();
        emit_string("socle: Ctrl-] n: next VM, Ctrl-] 1 to 9: that VM, Ctrl-] s: shut it down, "
                    "Ctrl-] Ctrl-]: types it\r\n");
    }
    return false;
}

/* The console that the byte is for; NULL where it was the escape's, or nobody listens. */
static struct console *route(uint8_t byte, struct console **shut_down)
{
    bool escaped = terminal.escape;

    terminal.escape = byte == ESCAPE && !escaped;
    if (terminal.escape)
        return NULL;
    if (escaped && byte != ESCAPE) {
        *shut_down = command(byte) ? terminal.owner : NULL;
        return NULL;
    }

    struct console *to = terminal.owner;

    if (to != NULL && to->input_head - to->input_tail < CONSOLE_INPUT)
        to->input[to->input_head++ % CONSOLE_INPUT] = byte;
    return to;
}

static void notify(const struct console *console)
{
    if (console != NULL && console->on_input != NULL)
        console->on_input(console->device);
}

void console_typed(const uint8_t *bytes, unsigned count)
{
    struct console *told = NULL;

    spin_lock(&terminal.readers); /* so nobody detaches */
    for (unsigned i = 0; i < count; i++) {
        struct console *shut_down = NULL;

        spin_lock(&terminal.lock);
        struct console *to = route(bytes[i], &shut_down);
        spin_unlock(&terminal.lock);

        if (shut_down != NULL && terminal.shut_down != NULL)
            terminal.shut_down(shut_down);
        if (to == NULL)
            continue;
        if (to != told)
            notify(told);
        told = to;
    }
    notify(told);
    spin_unlock(&terminal.readers);
}

static bool lock_patiently(void)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (spin_trylock(&terminal.lock))
            return true;
        cpu_relax();
    }
    return false;
}

void console_log_line(const char *text, unsigned length)
{
    bool locked = lock_patiently();

    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    start_line();
    emit(text, length);
    emit_string("\r\n");
    if (terminal.waiting)
        show_all_waiting();
    if (locked)
        spin_unlock(&terminal.lock);
}
