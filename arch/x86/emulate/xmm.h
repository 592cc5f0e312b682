/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XMM registers of the vCPU that is loaded on the calling CPU: they are in the CPU (switch.h).
 * n: 0 to 15. Bits above them (YMM, ZMM) stay as they are.
 */
#pragma once

#include "arch/bits.h"

void x86_xmm_read(unsigned n, uint64_t value[2]);
void x86_xmm_write(unsigned n, const uint64_t value[2]);
