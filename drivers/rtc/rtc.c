/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock. Seconds wrap in 2106, as those of most RTCs do. */

#include "drivers/rtc/rtc.h"

#include "arch/timer.h"

static uint32_t base; /* wall clock when the counter was 0 */

static uint32_t uptime(void)
{
    return (uint32_t)(arch_counter() / arch_counter_hz());
}

void rtc_start(uint32_t seconds)
{
    base = seconds - uptime();
}

uint32_t rtc_now(void)
{
    return base + uptime();
}
