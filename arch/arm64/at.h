/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address translation by a guest's own stage 1: the AT instructions (Arm ARM D8.14), for the
 * vCPU that is loaded on the calling CPU. Its PAR_EL1 is left as it was.
 */
#pragma once

#include <stdint.h>

#include "arch/bits.h"

enum arm64_at { AT_EL1_READ, AT_EL1_WRITE, AT_EL0_READ, AT_EL0_WRITE };

#define PAR_F BIT(0)           /* it faults, and: */
#define PAR_FST GENMASK(6, 1)  /* fault status, as in ESR_ELx */
#define PAR_S BIT(9)           /* at stage 2, on the walk of stage 1's tables */
#define PAR_PA GENMASK(51, 12) /* if not: the page, guest-physical */

/* What PAR_EL1 reads after the translation of `va`. */
uint64_t arm64_at(enum arm64_at kind, uint64_t va);
