/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long this guest was kept from its CPU at most, in microseconds of its counter, in
 * `ms=` milliseconds.
 */
#include "tests/guests/lib/guest.h"

void guest_main(void)
{
    uint64_t second = sysreg_read(cntfrq_el0);
    uint64_t end = counter() + option("ms", 1000) * second / 1000;
    uint64_t longest = 0, last = counter();

    while (last < end) {
        uint64_t now = counter();

        if (now - last > longest)
            longest = now - last;
        last = now;
    }
    print("lag: at most %lu us\n", longest * 1000000 / second);
}
