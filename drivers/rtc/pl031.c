/* SPDX-License-Identifier: BSD-2-Clause */
/* Arm PrimeCell RTC (PL031). */

#include <arch/io.h>

#include "drivers/rtc/rtc.h"
#include "kernel/hypspace.h"

#define RTCDR 0x000 /* data register: seconds (PL031 TRM 3.3.1) */

void rtc_init(const struct host_info *host)
{
    const void *const regs =
        host->rtc.bytes != 0 ? hyp_map_device(host->rtc.base, host->rtc.bytes) : NULL;

    if (regs != NULL)
        rtc_start(io_read32((const char *)regs + RTCDR));
}
