/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that waits for its power key, and then powers off. */
#include "tests/guests/lib/gic.h"

#define GPIO_BASE 0x09030000UL
#define GPIO_SPI 39
#define POWER_KEY (1u << 3)

enum { GPIODATA = 0x3fc, GPIOIS = 0x404, GPIOIEV = 0x40c, GPIOIE = 0x410, GPIOIC = 0x41c };

static volatile bool pressed;

static void on_key(void)
{
    unsigned irq = gic_ack();

    pressed = irq == GPIO_SPI && (mmio_read32(GPIO_BASE + GPIODATA) & POWER_KEY) != 0;
    mmio_write32(GPIO_BASE + GPIOIC, POWER_KEY);
    gic_eoi(irq);
}

void guest_main(void)
{
    gic_init();
    gic_set_priority(GPIO_SPI, 0xa0);
    gic_enable(GPIO_SPI);
    mmio_write32(GPIO_BASE + GPIOIS, 0);
    mmio_write32(GPIO_BASE + GPIOIEV, POWER_KEY);
    mmio_write32(GPIO_BASE + GPIOIE, POWER_KEY);
    irq_handler = on_key;
    print("powerkey: waiting\n");
    while (!pressed) {
        wfi();
        irq_unmask();
        irq_mask();
    }
    print("powerkey: pressed\n");
}
