/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keyboard controller, as in IBM's Personal System/2 Technical Reference, "Keyboard and
 * auxiliary device controller". There is a keyboard, and no second port for a mouse.
 *
 *     console --> keyboard --set 2--> translation --set 1--> output buffer --> port 0x60, IRQ 1
 *     port 0x64, commands --replies, before anything typed-----^
 *     port 0x60 --> keyboard, or the parameter of a command
 *
 * As there is no firmware, reset leaves what firmware does: keyboard on, translated, its
 * interrupt enabled. Address line 20 is always there: its bit is only remembered.
 */

#include "vm/devices/i8042.h"

#include "arch/bits.h"
#include "drivers/keyboard/us_layout.h"
#include "kernel/pmm.h"
#include "vm/devices/i8042_keyboard.h"
#include "vm/devices/i8042_keys.h"
#include "vm/devices/vdev_timer.h"
#include "vm/state.h"

enum {
    CMD_READ_RAM = 0x20,  /* to 0x3f; the first one is the command byte */
    CMD_WRITE_RAM = 0x60, /* to 0x7f; parameter */
    CMD_HAS_PASSWORD = 0xa4,
    CMD_TEST_AUX = 0xa9,
    CMD_SELF_TEST = 0xaa,
    CMD_TEST_KEYBOARD = 0xab,
    CMD_DISABLE_KEYBOARD = 0xad,
    CMD_ENABLE_KEYBOARD = 0xae,
    CMD_READ_INPUT = 0xc0,
    CMD_READ_OUTPUT = 0xd0,
    CMD_WRITE_OUTPUT = 0xd1, /* parameter, and the next three */
    CMD_AS_KEYBOARD = 0xd2,
    CMD_AS_AUX = 0xd3,
    CMD_TO_AUX = 0xd4,
    CMD_PULSE = 0xf0, /* to 0xff: the output port's bits that are 0 here */
};

#define STATUS_FULL BIT(0)
#define STATUS_SYSTEM BIT(2)
#define STATUS_COMMAND BIT(3) /* the last write was one */
#define STATUS_UNLOCKED BIT(4)
#define STATUS_AUX BIT(5)
#define STATUS_TIMEOUT BIT(6)
#define CTR_INTERRUPT BIT(0)
#define CTR_SYSTEM BIT(2)
#define CTR_KEYBOARD_OFF BIT(4)
#define CTR_AUX_OFF BIT(5) /* stuck: how a guest sees that there is no second port */
#define CTR_TRANSLATE BIT(6)
#define CTR_RESET (CTR_INTERRUPT | CTR_SYSTEM | CTR_AUX_OFF | CTR_TRANSLATE)
#define INPUT_UNLOCKED 0x80
#define OUTPUT_RUNS BIT(0) /* 0 resets */
#define OUTPUT_A20 BIT(1)
#define OUTPUT_FULL BIT(4)
#define RAM_BYTES 32
#define AUX_RESEND 0xfe

/* Commands that only answer. */
static const struct {
    uint8_t command, reply;
} answers[] = {
    { CMD_HAS_PASSWORD, 0xf1 }, /* none */
    { CMD_TEST_AUX, 0x01 },     /* its clock line is stuck: nothing there */
    { CMD_SELF_TEST, 0x55 },    { CMD_TEST_KEYBOARD, 0x00 }, { CMD_READ_INPUT, INPUT_UNLOCKED },
};

/* Bytes alone, so that it is its own record. */
struct i8042_state {
    uint8_t ram[RAM_BYTES];      /* the first one is the command byte */
    uint8_t expects;             /* the command whose parameter comes next; 0: none */
    uint8_t commanded;           /* 0 or STATUS_COMMAND */
    uint8_t a20;                 /* 0 or OUTPUT_A20 */
    uint8_t broken;              /* 0, or 0x80 where translation has seen KEY_BREAK */
    uint8_t out, out_status;     /* what port 0x60 gives; STATUS_FULL and of which kind */
    uint8_t reply, reply_status; /* the controller's next, as long as `out` is full */
    struct i8042_keyboard keyboard;
};

struct i8042 {
    struct vdev dev;
    struct console *console;
    struct irq_line line;
    struct pc_events events;
    bool level; /* of the line, as last set */
    bool waits; /* for the typing timer */
    struct i8042_state state;
    struct vdev_timer typing;
};

static struct i8042 *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct i8042, dev);
}

static uint8_t *ctr(struct i8042_state *state)
{
    return &state->ram[0];
}

/* IRQ 1 follows the output buffer, but for a byte that is not the keyboard's. */
static void update_line(struct i8042 *pc)
{
    const bool level = (pc->state.out_status & (STATUS_FULL | STATUS_AUX)) == STATUS_FULL &&
                       (*ctr(&pc->state) & CTR_INTERRUPT);

    if (level != pc->level) {
        pc->level = level;
        irq_line_set(&pc->line, level);
    }
}

/* The keyboard's next byte, translated; false where there is none. */
static bool take_from_keyboard(struct i8042_state *state)
{
    while (!(*ctr(state) & CTR_KEYBOARD_OFF) && state->keyboard.count != 0) {
        const uint8_t byte = keyboard_send(&state->keyboard);

        if (!(*ctr(state) & CTR_TRANSLATE)) {
            state->out = byte;
            return true;
        }
        if (byte == KEY_BREAK) {
            state->broken = 0x80;
            continue;
        }
        state->out = us_set_1(byte) | state->broken;
        state->broken = 0;
        return true;
    }
    return false;
}

/* Fills the output buffer if there is something for it. */
static void pump(struct i8042 *pc)
{
    struct i8042_state *state = &pc->state;

    if (!(state->out_status & STATUS_FULL)) {
        if (state->reply_status != 0) {
            state->out = state->reply;
            state->out_status = state->reply_status;
            state->reply_status = 0;
        } else if (take_from_keyboard(state)) {
            state->out_status = STATUS_FULL;
        }
    }
    update_line(pc);
}

static bool can_type(const struct i8042_state *state)
{
    return state->keyboard.scanning && state->keyboard.count == 0 &&
           !(state->out_status & STATUS_FULL);
}

/* The console's next character, when it is time and the guest has taken the one before. */
static void type_next(struct i8042 *pc)
{
    uint8_t byte;

    if (pc->console == NULL || pc->waits || !can_type(&pc->state) ||
        !console_get(pc->console, &byte))
        return;
    keyboard_type(&pc->state.keyboard, byte);
    pc->waits = true;
    vdev_timer_arm(&pc->typing, arch_counter() + ns_to_ticks(I8042_TYPING_NS));
    pump(pc);
}

static void typing_due(struct vdev *dev)
{
    struct i8042 *pc = from_vdev(dev);

    pc->waits = false;
    type_next(pc);
}

static void reply(struct i8042 *pc, uint8_t byte, uint8_t status)
{
    pc->state.reply = byte;
    pc->state.reply_status = status;
}

static void reset_line(struct i8042 *pc)
{
    pc->events.reset(pc->events.context);
}

static uint8_t output_port(const struct i8042_state *state)
{
    return OUTPUT_RUNS | state->a20 | (state->out_status & STATUS_FULL ? OUTPUT_FULL : 0);
}

static bool takes_parameter(uint8_t command)
{
    return (command >= CMD_WRITE_RAM && command < CMD_WRITE_RAM + RAM_BYTES) ||
           (command >= CMD_WRITE_OUTPUT && command <= CMD_TO_AUX);
}

static void do_command(struct i8042 *pc, uint8_t byte)
{
    struct i8042_state *state = &pc->state;

    for (unsigned i = 0; i < ARRAY_SIZE(answers); i++)
        if (byte == answers[i].command)
            reply(pc, answers[i].reply, STATUS_FULL);

    if (byte >= CMD_READ_RAM && byte < CMD_READ_RAM + RAM_BYTES)
        reply(pc, state->ram[byte - CMD_READ_RAM], STATUS_FULL);
    else if (takes_parameter(byte))
        state->expects = byte;
    else if (byte == CMD_SELF_TEST)
        *ctr(state) |= CTR_SYSTEM;
    else if (byte == CMD_DISABLE_KEYBOARD)
        *ctr(state) |= CTR_KEYBOARD_OFF;
    else if (byte == CMD_ENABLE_KEYBOARD)
        *ctr(state) &= (uint8_t)~CTR_KEYBOARD_OFF;
    else if (byte == CMD_READ_OUTPUT)
        reply(pc, output_port(state), STATUS_FULL);
    else if (byte >= CMD_PULSE && !(byte & OUTPUT_RUNS))
        reset_line(pc);
}

/* The parameter of a command to the controller. */
static void do_parameter(struct i8042 *pc, uint8_t command, uint8_t byte)
{
    struct i8042_state *state = &pc->state;

    switch (command) {
    case CMD_WRITE_OUTPUT:
        state->a20 = byte & OUTPUT_A20;
        if (!(byte & OUTPUT_RUNS))
            reset_line(pc);
        break;
    case CMD_AS_KEYBOARD:
    case CMD_AS_AUX: /* comes back as the keyboard's, since there is no second port */
        reply(pc, byte, STATUS_FULL);
        break;
    case CMD_TO_AUX: reply(pc, AUX_RESEND, STATUS_FULL | STATUS_AUX | STATUS_TIMEOUT); break;
    default:
        state->ram[command - CMD_WRITE_RAM] = byte;
        *ctr(state) |= CTR_AUX_OFF;
        break;
    }
}

static void write_data(struct i8042 *pc, uint8_t byte)
{
    struct i8042_state *state = &pc->state;
    const uint8_t command = state->expects;

    state->expects = 0;
    if (command != 0) {
        do_parameter(pc, command, byte);
    } else {
        *ctr(state) &= (uint8_t)~CTR_KEYBOARD_OFF; /* to talk to it is to enable it */
        keyboard_command(&state->keyboard, byte);
    }
}

static uint8_t read_data(struct i8042 *pc)
{
    const uint8_t byte = pc->state.out;

    pc->state.out_status = 0;
    update_line(pc); /* an edge for each byte */
    pump(pc);
    type_next(pc);
    return byte;
}

static uint64_t i8042_read(struct vdev *dev, struct vdev_access access)
{
    struct i8042 *pc = from_vdev(dev);
    struct i8042_state *state = &pc->state;

    if (access.range == I8042_RANGE_DATA)
        return read_data(pc);
    return state->out_status | state->commanded | STATUS_UNLOCKED | (*ctr(state) & CTR_SYSTEM);
}

static void i8042_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct i8042 *pc = from_vdev(dev);

    if (access.range == I8042_RANGE_DATA) {
        pc->state.commanded = 0;
        write_data(pc, (uint8_t)value);
    } else {
        pc->state.commanded = STATUS_COMMAND;
        pc->state.expects = 0;
        do_command(pc, (uint8_t)value);
    }
    pump(pc);
    type_next(pc);
}

bool i8042_type(struct vdev *dev, uint8_t byte)
{
    struct i8042 *pc = from_vdev(dev);
    bool can;

    spin_lock(&dev->lock);
    can = can_type(&pc->state);
    if (can) {
        keyboard_type(&pc->state.keyboard, byte);
        pump(pc);
    }
    spin_unlock(&dev->lock);
    return can;
}

/* Typed bytes have come. */
static void on_input(void *device)
{
    struct i8042 *pc = device;

    spin_lock(&pc->dev.lock);
    type_next(pc);
    spin_unlock(&pc->dev.lock);
}

static void i8042_reset(struct vdev *dev)
{
    struct i8042 *pc = from_vdev(dev);

    vdev_timer_disarm(&pc->typing);
    pc->waits = false;
    pc->state = (struct i8042_state){ .ram = { CTR_RESET }, .a20 = OUTPUT_A20 };
    keyboard_reset(&pc->state.keyboard);
    update_line(pc);
    type_next(pc); /* typed ahead */
}

static void i8042_save(const struct vdev *dev, struct state_writer *out)
{
    state_put_bytes(out, &from_vdev(dev)->state, sizeof(struct i8042_state));
}

static bool is_possible(const struct i8042_state *state)
{
    const uint8_t kinds = STATUS_FULL | STATUS_AUX | STATUS_TIMEOUT;

    return (state->ram[0] & CTR_AUX_OFF) && !(state->commanded & ~STATUS_COMMAND) &&
           !(state->a20 & ~OUTPUT_A20) && !(state->broken & ~0x80) &&
           !((state->out_status | state->reply_status) & ~kinds) &&
           (state->expects == 0 || takes_parameter(state->expects)) &&
           keyboard_is_possible(&state->keyboard);
}

static status_t i8042_restore(struct vdev *dev, struct state_reader *in)
{
    struct i8042 *pc = from_vdev(dev);
    struct i8042_state state;

    state_get_bytes(in, &state, sizeof(state));
    if (state_status(in) != OK || !is_possible(&state))
        return ERR_INVALID_ARGS;
    pc->state = state;
    update_line(pc);
    return OK;
}

static void i8042_destroy(struct vdev *dev)
{
    struct i8042 *pc = from_vdev(dev);

    if (pc->console != NULL)
        console_set_reader(pc->console, NULL, NULL);
    vdev_timer_put_away(&pc->typing);
    pmm_free_wired(pc);
}

const struct vdev_ops i8042_ops = {
    .name = "i8042",
    .byte_ports = true,
    .read = i8042_read,
    .write = i8042_write,
    .reset = i8042_reset,
    .save = i8042_save,
    .restore = i8042_restore,
    .destroy = i8042_destroy,
};

status_t i8042_create(struct vdev **out, struct console *console, struct irq_line line,
                      const struct pc_events *events)
{
    struct i8042 *pc = pmm_alloc_wired(sizeof(*pc));

    if (pc == NULL)
        return ERR_NO_MEMORY;
    pc->dev.ops = &i8042_ops;
    pc->console = console;
    pc->line = line;
    pc->events = *events;
    vdev_timer_init(&pc->typing, &pc->dev, typing_due);
    i8042_reset(&pc->dev);
    if (console != NULL)
        console_set_reader(console, on_input, pc);
    *out = &pc->dev;
    return OK;
}
