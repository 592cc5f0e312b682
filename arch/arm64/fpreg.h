/* SPDX-License-Identifier: BSD-2-Clause */
/* Single SIMD registers of the guest that is loaded on the calling CPU. */
#pragma once

#include <stdint.h>

/* V<n>, n 0 to 31, least significant byte first. */
void arm64_fpreg_get(unsigned n, uint8_t to[16]);
void arm64_fpreg_set(unsigned n, const uint8_t from[16]);
