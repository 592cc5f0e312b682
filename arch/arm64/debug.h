/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware breakpoints and watchpoints of guests: DBGBVR, DBGBCR, DBGWVR and DBGWCR<n>_EL1,
 * trapped by MDCR_EL2.TDA. What a guest wrote is kept with its vCPU; the CPU's own registers
 * hold it only while the guest has breakpoints on (MDSCR_EL1.MDE), without which they do
 * nothing. So a guest that does not debug pays for none of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MDSCR_SS (1ULL << 0)
#define MDSCR_TDCC (1ULL << 12)
#define MDSCR_KDE (1ULL << 13)
#define MDSCR_MDE (1ULL << 15)

struct hv_vcpu;

/* In the order of their encodings' op2, from 4 on. */
enum arm64_debug { DEBUG_BVR, DEBUG_BCR, DEBUG_WVR, DEBUG_WCR, DEBUG_KINDS };
#define DEBUG_REGISTERS 16 /* of each kind, at most */

/* Register `n` of the loaded vCPU. False: the guest's CPU has no such register. */
bool arm64_debug_read(const struct hv_vcpu *vcpu, enum arm64_debug kind, unsigned n,
                      uint64_t *value);
bool arm64_debug_write(struct hv_vcpu *vcpu, enum arm64_debug kind, unsigned n, uint64_t value);

/* All of the vCPU's into the CPU: it is loaded, or turns MDE on. */
void arm64_debug_load(const struct hv_vcpu *vcpu);
