/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA as it is in text mode 3: 80 columns, 25 rows, 32 KiB of memory, two bytes for each
 * character. Registers are those of IBM's Personal System/2 Technical Reference, "Video
 * subsystem"; but for the screen's start and the cursor they are only remembered.
 *
 *     memory  character, attribute, character, attribute, ...
 *     ports   00 attributes: index and data in turn     0e graphics index, 0f data
 *             04 sequencer index, 05 data               14 CRTC index, 15 data
 *             02, 0c miscellaneous output               1a status
 *
 * What the guest writes is shown when it has come to rest, and before it goes away: when the
 * guest moves the start, or begins again at the screen's first place, as for scrolling. One that
 * wrote no farther than the first row does not scroll: it may be trying whether there is memory.
 */

#include "vm/devices/vga_text.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "kernel/pmm.h"
#include "vm/devices/vdev_timer.h"
#include "vm/devices/vga_screen.h"
#include "vm/state.h"

enum {
    ATTRIBUTE = 0x00,
    ATTRIBUTE_READ = 0x01,
    MISC_WRITE = 0x02,
    SEQUENCER = 0x04,
    MISC_READ = 0x0c,
    GRAPHICS = 0x0e,
    CRTC = 0x14,
    STATUS = 0x1a,
};

#define CRTC_START 0x0c  /* high byte, then low */
#define CRTC_CURSOR 0x0e /* the same */
#define CRTC_REGISTERS 25
#define ATTRIBUTES 21
#define ATTRIBUTE_INDEX 0x1f
#define STATUS_RETRACE 0x09 /* vertical, and either */
#define CHARACTERS (VGA_TEXT_MEMORY_BYTES / 2)

/* Bytes alone, so that they are their own record. */
struct vga_registers {
    uint8_t misc;
    uint8_t status;         /* STATUS_RETRACE or 0: every read sees the beam elsewhere */
    uint8_t attribute_data; /* 0 or 1: the next write is data */
    uint8_t attribute_index, attribute[ATTRIBUTES];
    uint8_t sequencer_index, sequencer[5];
    uint8_t graphics_index, graphics[9];
    uint8_t crtc_index, crtc[CRTC_REGISTERS];
};

/* Of mode 3 on a colour monitor. */
static const struct vga_registers mode_3 = {
    .misc = 0x67,
    .attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
                   0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00 },
    .sequencer = { 0x03, 0x00, 0x03, 0x00, 0x02 },
    .graphics = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff },
    .crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
              0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
};

struct vga_text {
    struct vdev dev;
    struct console *console;
    uint8_t *memory;
    struct vga_registers reg;
    struct vga_screen screen;
    bool unshown;      /* memory was written since the screen was shown */
    bool beyond;       /* below the first row, too */
    bool touched;      /* something was, since the timer was armed */
    bool waits;        /* the timer is armed */
    unsigned patience; /* how often it may be put off */
    struct vdev_timer timer;
};

static struct vga_text *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct vga_text, dev);
}

/* --- what is shown --- */

/* A place in memory, counted in characters, that two CRTC registers hold. */
static unsigned crtc_place(const struct vga_text *vga, unsigned high)
{
    return ((unsigned)vga->reg.crtc[high] << 8 | vga->reg.crtc[high + 1]) % CHARACTERS;
}

static uint8_t printable(uint8_t character)
{
    if (character == 0 || character == 0xff)
        return ' ';
    return character >= ' ' && character < 0x7f ? character : '?';
}

static void show(struct vga_text *vga)
{
    const unsigned start = crtc_place(vga, CRTC_START);
    const unsigned cursor = (crtc_place(vga, CRTC_CURSOR) + CHARACTERS - start) % CHARACTERS;
    uint8_t *to = vga->screen.now[0];

    for (unsigned i = 0; i < VGA_ROWS * VGA_COLUMNS; i++)
        to[i] = printable(vga->memory[(start + i) % CHARACTERS * 2]);
    vga->unshown = vga->beyond = false;
    vga_screen_show(&vga->screen, cursor, vga->console);
}

static void wait_for_rest(struct vga_text *vga)
{
    vga->touched = false;
    vga->waits = true;
    vdev_timer_arm(&vga->timer, arch_counter() + ns_to_ticks(VGA_TEXT_QUIET_NS));
}

/* A line that another device of the guest's has begun is not cut in two. */
static bool would_cut_a_line(const struct vga_text *vga)
{
    return vga->screen.open_row == VGA_ROWS && console_is_within_line(vga->console);
}

static void rest(struct vdev *dev)
{
    struct vga_text *vga = from_vdev(dev);

    if ((vga->touched || would_cut_a_line(vga)) && --vga->patience != 0) {
        wait_for_rest(vga);
        return;
    }
    vga->waits = false;
    show(vga);
}

static void touch(struct vga_text *vga)
{
    vga->touched = true;
    if (likely(vga->waits))
        return;
    vga->patience = VGA_TEXT_PATIENCE;
    wait_for_rest(vga);
}

/* --- memory --- */

static uint64_t read_memory(const struct vga_text *vga, struct vdev_access access)
{
    uint64_t value = 0;

    if (access.offset >= VGA_TEXT_MEMORY_BYTES ||
        access.size > VGA_TEXT_MEMORY_BYTES - access.offset)
        return 0;
    memcpy(&value, &vga->memory[access.offset], access.size);
    return value;
}

static void write_memory(struct vga_text *vga, struct vdev_access access, uint64_t value)
{
    if (access.offset >= VGA_TEXT_MEMORY_BYTES ||
        access.size > VGA_TEXT_MEMORY_BYTES - access.offset)
        return;

    const unsigned start = crtc_place(vga, CRTC_START);
    const unsigned place = ((unsigned)access.offset / 2 + CHARACTERS - start) % CHARACTERS;

    if (vga->beyond && place == 0)
        show(vga);
    memcpy(&vga->memory[access.offset], &value, access.size);
    vga->unshown = true;
    vga->beyond |= place >= VGA_COLUMNS;
    touch(vga);
}

/* --- registers --- */

/* An index port and the data port behind it. */
static uint8_t *bank(struct vga_registers *reg, uint64_t port, uint8_t **index, unsigned *count)
{
    switch (port) {
    case SEQUENCER: *index = &reg->sequencer_index, *count = 5; return reg->sequencer;
    case GRAPHICS: *index = &reg->graphics_index, *count = 9; return reg->graphics;
    case CRTC: *index = &reg->crtc_index, *count = CRTC_REGISTERS; return reg->crtc;
    default: return NULL;
    }
}

/* The register that a port leads to; NULL: none that is remembered. */
static uint8_t *find_register(struct vga_registers *reg, uint64_t port)
{
    uint8_t *index, *data;
    unsigned count;

    if (port == ATTRIBUTE)
        return &reg->attribute_index;
    if (port == ATTRIBUTE_READ)
        return (reg->attribute_index & ATTRIBUTE_INDEX) < ATTRIBUTES
                   ? &reg->attribute[reg->attribute_index & ATTRIBUTE_INDEX]
                   : NULL;
    if (port == MISC_READ)
        return &reg->misc;
    data = bank(reg, port & ~1ull, &index, &count);
    if (data == NULL || port % 2 == 0)
        return data != NULL ? index : NULL;
    return *index < count ? &data[*index] : NULL;
}

static uint64_t read_port(struct vga_text *vga, uint64_t port)
{
    const uint8_t *reg;

    if (port == STATUS) {
        vga->reg.attribute_data = 0;
        vga->reg.status ^= STATUS_RETRACE;
        return vga->reg.status;
    }
    reg = find_register(&vga->reg, port);
    return reg != NULL ? *reg : 0;
}

static void write_crtc(struct vga_text *vga, uint8_t *to, uint8_t value)
{
    const unsigned index = (unsigned)(to - vga->reg.crtc);

    if (index < CRTC_START || index > CRTC_CURSOR + 1 || *to == value) {
        *to = value;
        return;
    }
    if (vga->unshown && index < CRTC_CURSOR)
        show(vga);
    *to = value;
    touch(vga);
}

static void write_port(struct vga_text *vga, uint64_t port, uint8_t value)
{
    struct vga_registers *reg = &vga->reg;
    uint8_t *to;

    if (port == ATTRIBUTE) {
        to = find_register(reg, reg->attribute_data ? ATTRIBUTE_READ : ATTRIBUTE);
        reg->attribute_data ^= 1;
    } else if (port == ATTRIBUTE_READ) {
        return;
    } else {
        to = find_register(reg, port == MISC_WRITE ? MISC_READ : port);
    }
    if (to != NULL && port == CRTC + 1)
        write_crtc(vga, to, value);
    else if (to != NULL)
        *to = value;
}

/* --- the device --- */

static uint64_t vga_text_read(struct vdev *dev, struct vdev_access access)
{
    struct vga_text *vga = from_vdev(dev);

    if (likely(access.range == VGA_TEXT_RANGE_MEMORY))
        return read_memory(vga, access);
    return read_port(vga, access.offset);
}

static void vga_text_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct vga_text *vga = from_vdev(dev);

    if (likely(access.range == VGA_TEXT_RANGE_MEMORY))
        write_memory(vga, access, value);
    else
        write_port(vga, access.offset, (uint8_t)value);
}

/* The screen as firmware leaves it: spaces, grey on black. What was on it is shown first. */
static void vga_text_reset(struct vdev *dev)
{
    struct vga_text *vga = from_vdev(dev);

    if (vga->unshown)
        show(vga);
    vdev_timer_disarm(&vga->timer);
    vga->waits = vga->unshown = vga->beyond = vga->touched = false;
    vga->reg = mode_3;
    for (unsigned i = 0; i < CHARACTERS; i++) {
        vga->memory[2 * i] = ' ';
        vga->memory[2 * i + 1] = 0x07;
    }
    vga_screen_clear(&vga->screen, vga->console);
}

static void vga_text_save(const struct vdev *dev, struct state_writer *out)
{
    const struct vga_text *vga = from_vdev(dev);

    state_put_bytes(out, &vga->reg, sizeof(vga->reg));
    state_put_bytes(out, vga->memory, VGA_TEXT_MEMORY_BYTES);
}

static status_t vga_text_restore(struct vdev *dev, struct state_reader *in)
{
    struct vga_text *vga = from_vdev(dev);
    struct vga_registers reg;

    state_get_bytes(in, &reg, sizeof(reg));
    if (reg.attribute_data > 1 || (reg.status & ~STATUS_RETRACE)) {
        state_reject(in);
        return ERR_INVALID_ARGS;
    }
    vga->reg = reg;
    state_get_bytes(in, vga->memory, VGA_TEXT_MEMORY_BYTES);
    touch(vga);
    return state_status(in);
}

static void vga_text_destroy(struct vdev *dev)
{
    struct vga_text *vga = from_vdev(dev);

    vdev_timer_put_away(&vga->timer);
    if (vga->unshown)
        show(vga);
    pmm_free_wired(vga->memory);
    pmm_free_wired(vga);
}

const struct vdev_ops vga_text_ops = {
    .name = "vga-text",
    .byte_ports = true,
    .read = vga_text_read,
    .write = vga_text_write,
    .reset = vga_text_reset,
    .save = vga_text_save,
    .restore = vga_text_restore,
    .destroy = vga_text_destroy,
};

status_t vga_text_create(struct vdev **out, struct console *console)
{
    struct vga_text *vga = pmm_alloc_wired(sizeof(*vga));

    if (vga == NULL)
        return ERR_NO_MEMORY;
    vga->memory = pmm_alloc_wired(VGA_TEXT_MEMORY_BYTES);
    if (vga->memory == NULL) {
        pmm_free_wired(vga);
        return ERR_NO_MEMORY;
    }
    vga->dev.ops = &vga_text_ops;
    vga->console = console;
    vga->screen.open_row = VGA_ROWS;
    vdev_timer_init(&vga->timer, &vga->dev, rest);
    vga_text_reset(&vga->dev);
    *out = &vga->dev;
    return OK;
}
