/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's wall clock. Seconds wrap in 2106, as the PL031's own do. */

#include "drivers/rtc/rtc.h"

#include <arch/io.h>

#include "arch/timer.h"

#define RTCDR 0x000 /* data register: seconds (PL031 TRM 3.3.1) */

static uint32_t base; /* wall clock when the counter was 0 */

static uint32_t uptime(void)
{
    return (uint32_t)(arch_counter() / arch_counter_hz());
}

uint32_t rtc_read_pl031(const void *regs)
{
    return io_read32((const char *)regs + RTCDR);
}

void rtc_start(uint32_t seconds)
{
    base = seconds - uptime();
}

uint32_t rtc_now(void)
{
    return base + uptime();
}
