/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's RTC (MC146818): ports 0x70 and 0x71. */

#include <arch/io.h>

#include "arch/bits.h"
#include "drivers/rtc/rtc.h"

enum { PORT_INDEX = 0x70, PORT_DATA = 0x71 };
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, STATUS_A = 10, STATUS_B };

#define STATUS_A_UIP BIT(7) /* an update is in progress */
#define STATUS_B_24H BIT(1)
#define STATUS_B_BINARY BIT(2) /* rather than BCD */
#define HOURS_PM BIT(7)
#define UIP_TRIES 100000u /* a chip that is always updating is none */

static uint8_t cmos_read(uint8_t index)
{
    port_write8(PORT_INDEX, index);
    return port_read8(PORT_DATA);
}

static unsigned from_bcd(uint8_t value, uint8_t status_b)
{
    return status_b & STATUS_B_BINARY ? value : (value >> 4) * 10u + (value & 0xfu);
}

static unsigned hours(uint8_t status_b)
{
    const uint8_t raw = cmos_read(HOURS);
    const unsigned value = from_bcd((uint8_t)(raw & ~HOURS_PM), status_b);

    if (status_b & STATUS_B_24H)
        return value;
    return value % 12 + (raw & HOURS_PM ? 12 : 0);
}

/* Days since 1970 of a day in this century: months are counted from March, years end in February.
 */
static uint32_t days(unsigned year, unsigned month, unsigned day)
{
    const unsigned march = (month + 9) % 12;
    const unsigned y = 2000 + year - (march >= 10);

    return 365 * y + y / 4 - y / 100 + y / 400 + (march * 306 + 5) / 10 + day - 1 - 719468;
}

void rtc_init(const struct host_info *host)
{
    const uint8_t status_b = cmos_read(STATUS_B);
    unsigned tries = UIP_TRIES;

    (void)host;
    while ((cmos_read(STATUS_A) & STATUS_A_UIP) && tries > 0)
        tries--;
    const uint32_t date =
        days(from_bcd(cmos_read(YEAR), status_b), from_bcd(cmos_read(MONTH), status_b),
             from_bcd(cmos_read(DAY), status_b));

    rtc_start(date * 86400 + hours(status_b) * 3600 + from_bcd(cmos_read(MINUTES), status_b) * 60 +
              from_bcd(cmos_read(SECONDS), status_b));
}
