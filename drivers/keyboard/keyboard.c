/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's keyboard controller: the Intel 8042's interface, and its translation to set 1. */

#include "drivers/keyboard/keyboard.h"

#include <arch/cpu.h>
#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/keyboard/scan_codes.h"
#include "kernel/irq.h"

#define PORT_DATA 0x60
#define PORT_STATUS 0x64 /* read */
#define PORT_COMMAND 0x64

#define STATUS_OUTPUT BIT(0) /* a byte is there to be read */
#define STATUS_INPUT BIT(1)  /* the last byte is not taken yet */
#define STATUS_MOUSE BIT(5)  /* that byte is the other port's */
#define STATUS_NOBODY 0xff

#define COMMAND_READ_CONFIG 0x20
#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_ENABLE_KEYBOARD 0xae

#define CONFIG_INTERRUPT BIT(0)
#define CONFIG_MOUSE_INTERRUPT BIT(1)
#define CONFIG_DISABLED BIT(4)
#define CONFIG_TRANSLATES BIT(6)

#define KEYBOARD_SCAN 0xf4
#define PATIENCE 100000u /* reads of the status, about a microsecond each */

static struct {
    struct scan_codes keys;
    keyboard_typed typed;
} keyboard;

static bool wait_for(uint8_t bit, bool set)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (((port_read8(PORT_STATUS) & bit) != 0) == set)
            return true;
        cpu_relax();
    }
    return false;
}

static bool send(uint16_t port, uint8_t byte)
{
    if (!wait_for(STATUS_INPUT, false))
        return false;
    port_write8(port, byte);
    return true;
}

static void forget_bytes(void)
{
    for (unsigned i = 0; i < PATIENCE && port_read8(PORT_STATUS) & STATUS_OUTPUT; i++)
        (void)port_read8(PORT_DATA);
}

/* Set 1, by interrupt, from the keyboard alone. */
static bool configure(void)
{
    uint8_t config;

    forget_bytes();
    if (!send(PORT_COMMAND, COMMAND_READ_CONFIG) || !wait_for(STATUS_OUTPUT, true))
        return false;
    config = port_read8(PORT_DATA);
    config &= (uint8_t) ~(CONFIG_DISABLED | CONFIG_MOUSE_INTERRUPT);
    config |= CONFIG_INTERRUPT | CONFIG_TRANSLATES;
    return send(PORT_COMMAND, COMMAND_WRITE_CONFIG) && send(PORT_DATA, config) &&
           send(PORT_COMMAND, COMMAND_ENABLE_KEYBOARD) && send(PORT_DATA, KEYBOARD_SCAN);
}

static enum irq_result handle_bytes(uint32_t irq, void *arg)
{
    uint8_t status;

    (void)irq;
    (void)arg;
    while ((status = port_read8(PORT_STATUS)) & STATUS_OUTPUT && status != STATUS_NOBODY) {
        uint8_t text[KEY_TEXT_MAX];
        const uint8_t code = port_read8(PORT_DATA);
        const unsigned count =
            status & STATUS_MOUSE ? 0 : scan_code_read(&keyboard.keys, code, text);

        if (count != 0)
            keyboard.typed(text, count);
    }
    return IRQ_DONE;
}

status_t keyboard_listen(uint32_t irq, keyboard_typed typed)
{
    if (port_read8(PORT_STATUS) == STATUS_NOBODY || !configure())
        return ERR_NOT_FOUND;

    const status_t status = irq_register(irq, handle_bytes, NULL);

    if (status != OK)
        return status;
    keyboard.typed = typed;
    irq_chip()->enable(irq, false);
    handle_bytes(irq, NULL); /* what came before tells no edge again */
    return OK;
}

void keyboard_wait(void)
{
    uint8_t text[KEY_TEXT_MAX];
    uint8_t status;

    (void)configure();
    for (;;) {
        status = port_read8(PORT_STATUS);
        if (status == STATUS_NOBODY || !(status & STATUS_OUTPUT))
            cpu_relax();
        else if (scan_code_read(&keyboard.keys, port_read8(PORT_DATA), text) != 0)
            return;
    }
}
