/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arithmetic instructions compute: result and flags. Pure: no host state.
 */
#pragma once

#include "arch/x86/emulate/insn.h"

/*
 * `op` is one of INSN_ADD to INSN_IMUL. Operands are of `size` bytes (1, 2, 4, 8), anything above
 * is ignored; of BT and its kin, `b` counts bits modulo the size, of shifts and rotations
 * modulo 32, or 64 where the size is 8. The result is cut to the size;
 * of CMP, TEST and BT it is `a`. *rflags changes where the instruction defines a flag, and AF
 * becomes 0 where AND, OR, XOR and TEST leave it undefined.
 */
uint64_t x86_alu(enum insn_op op, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags);
