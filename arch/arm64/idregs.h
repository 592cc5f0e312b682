/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ID registers that a guest sees: S3_0_C0_C1_0 to S3_0_C0_C7_7, trapped by HCR_EL2.TID3.
 */
#pragma once

#include <stdint.h>

/* Once, before the next. */
void arm64_idregs_init(void);

/* On each CPU before any guest runs: from then on guests see no more than it has, too. */
void arm64_idregs_note_cpu(void);

/*
 * The value of S3_0_C0_C<crm>_<op2>, crm 1..7, op2 0..7: what all CPUs have, but no field above
 * what a guest may use. Registers that are not allocated, or not known here, read as zero.
 */
uint64_t arm64_idreg(unsigned crm, unsigned op2);
