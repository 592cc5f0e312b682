/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function identifiers of the SMC Calling Convention (Arm DEN0028), and the calls whose answer
 * never changes: the backend gives it at once.
 *
 *     W0  31 fast call  30 SMC64  29..24 owner  23..16 zero  15..0 number
 */
#pragma once

#include "arch/bits.h"

#define SMCCC_FAST BIT(31)
#define SMCCC_64 BIT(30)
#define SMCCC_OWNER GENMASK(29, 24)
#define SMCCC_NUMBER GENMASK(15, 0)

enum smccc_owner {
    SMCCC_ARCH = 0,
    SMCCC_STANDARD = 4, /* PSCI, TRNG */
    SMCCC_HYPERVISOR = 6,
};

#define SMCCC_ID(owner, number) (SMCCC_FAST | FIELD_PREP(SMCCC_OWNER, owner) | (number))

#define SMCCC_VERSION SMCCC_ID(SMCCC_ARCH, 0)
#define SMCCC_VERSION_1_2 0x10002
#define PSCI_VERSION SMCCC_ID(SMCCC_STANDARD, 0)
#define PSCI_VERSION_1_1 0x10001
