/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of device models share: a guest's accesses, a wire, a terminal that remembers. */
#pragma once

#include "vm/console.h"
#include "vm/vdev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A guest's access to one of a device's ranges. */
static inline uint64_t range_read(struct vdev *dev, uint8_t range, uint64_t offset, uint8_t size)
{
    const struct vdev_access access = { .offset = offset, .size = size, .range = range };

    return low_bytes(vdev_read(dev, access), size);
}

static inline void range_write(struct vdev *dev, uint8_t range, uint64_t offset, uint8_t size,
                               uint64_t value)
{
    const struct vdev_access access = { .offset = offset, .size = size, .range = range };

    vdev_write(dev, access, value);
}

static inline uint64_t dev_read(struct vdev *dev, uint64_t offset, uint8_t size)
{
    return range_read(dev, 0, offset, size);
}

static inline void dev_write(struct vdev *dev, uint64_t offset, uint8_t size, uint64_t value)
{
    range_write(dev, 0, offset, size, value);
}

static inline uint32_t rd(struct vdev *dev, uint64_t offset)
{
    return (uint32_t)dev_read(dev, offset, 4);
}

static inline void wr(struct vdev *dev, uint64_t offset, uint32_t value)
{
    dev_write(dev, offset, 4, value);
}

struct wire {
    bool level;
    unsigned changes;
};

static inline void wire_set(void *controller, uint32_t irq, bool level)
{
    struct wire *wire = controller;

    assert_int_equal(irq, 33);
    assert_int_not_equal(level, wire->level); /* a model tells changes only */
    wire->level = level;
    wire->changes++;
}

static inline struct irq_line wire_line(struct wire *wire)
{
    return (struct irq_line){ .set = wire_set, .controller = wire, .irq = 33 };
}

/* What came out of the host's UART. */
static char terminal_text[65536];
static unsigned terminal_length;

static inline void terminal_write(const char *text, unsigned length)
{
    assert_true(terminal_length + length < sizeof(terminal_text));
    memcpy(&terminal_text[terminal_length], text, length);
    terminal_length += length;
    terminal_text[terminal_length] = '\0';
}

static inline void terminal_clear(void)
{
    terminal_length = 0;
    terminal_text[0] = '\0';
}

/* The first VM's: its terminal is empty, and nothing has been typed. */
static inline void attach_console(struct console *console)
{
    uint8_t byte;

    console_init(terminal_write);
    terminal_clear();
    assert_int_equal(console_attach(console, "vm"), OK);
    while (console_get(console, &byte))
        ;
}

static inline void typed(const char *text)
{
    console_typed((const uint8_t *)text, (unsigned)strlen(text));
}

static inline void put_string(struct console *console, const char *text)
{
    while (*text != '\0')
        console_put(console, (uint8_t)*text++);
}
