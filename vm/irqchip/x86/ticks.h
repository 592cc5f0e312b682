/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one clock's ticks to another's. Frequencies are below 2^33, so that a remainder times a
 * frequency fits. What ticks_up says has passed, ticks_down of it gives back.
 */
#pragma once

#include <stdint.h>

static inline uint64_t ticks_down(uint64_t ticks, uint64_t to_hz, uint64_t from_hz)
{
    return ticks / from_hz * to_hz + ticks % from_hz * to_hz / from_hz;
}

static inline uint64_t ticks_up(uint64_t ticks, uint64_t to_hz, uint64_t from_hz)
{
    return ticks / from_hz * to_hz + (ticks % from_hz * to_hz + from_hz - 1) / from_hz;
}
