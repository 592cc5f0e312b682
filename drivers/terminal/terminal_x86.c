/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC: its serial port, or its screen and keyboard. */

#include "drivers/keyboard/keyboard.h"
#include "drivers/screen/screen.h"
#include "drivers/terminal/terminal.h"
#include "drivers/uart/uart.h"
#include "kernel/log.h"

static bool on_screen;

terminal_write terminal_attach(const struct host_info *host)
{
    const bool wants_screen = host_is_told(host, "console=screen");

    if (wants_screen || uart_attach(&host->uart) != OK)
        on_screen = screen_attach(&host->screen) == OK;
    if (wants_screen && !on_screen)
        (void)uart_attach(&host->uart);
    return on_screen ? screen_write : uart_write;
}

void terminal_finish(bool failed)
{
    if (!on_screen) {
        uart_drain();
    } else if (failed) {
        log_last_words("press a key");
        keyboard_wait();
    }
}

status_t terminal_listen(const struct host_info *host, terminal_typed typed)
{
    return on_screen ? keyboard_listen(host->keyboard_irq, typed)
                     : uart_listen(host->uart.irq, typed);
}
