/* SPDX-License-Identifier: BSD-2-Clause */
/* Each SIMD register is the one that is asked for. Built without SIMD, to leave them alone. */
#include "arch/arm64/fpreg.h"

#include <stdio.h>

static uint8_t in[32][16], out[32][16];

int main(void)
{
    for (unsigned n = 0; n < 32; n++)
        for (unsigned i = 0; i < 16; i++)
            in[n][i] = (uint8_t)(n * 16 + i * 5);
    for (unsigned n = 0; n < 32; n++)
        arm64_fpreg_set(n, in[n]);
    for (unsigned n = 0; n < 32; n++)
        arm64_fpreg_get(n, out[n]);
    for (unsigned n = 0; n < 32; n++)
        for (unsigned i = 0; i < 16; i++)
            if (in[n][i] != out[n][i]) {
                fprintf(stderr, "fpreg: v%u is not what was set\n", n);
                return 1;
            }
    puts("fpreg: every register");
    return 0;
}
