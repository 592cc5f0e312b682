/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encodings that end QEMU 7.2 itself, on which it trips while it translates them. Random code
 * is to test Socle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define QEMU_PREFIXES 6 /* bytes before an opcode that are looked at */

/* Would byte `at` be the opcode of one? */
static inline bool ends_qemu(const uint8_t *code, unsigned at)
{
    const uint8_t opcode = code[at], before = at > 0 ? code[at - 1] : 0;
    const bool bit_test = (opcode & 0xe7) == 0xa3 || opcode == 0xba;
    bool lock = false, vex = false;

    for (unsigned i = 1; i <= QEMU_PREFIXES && i <= at; i++) {
        lock |= code[at - i] == 0xf0;
        vex |= i <= 3 && (code[at - i] & 0xfe) == 0xc4;
    }
    if (opcode == 0x0c && (vex || before == 0x38)) /* VPERMILPS without 66 */
        return true;
    if (vex &&
        (opcode == 0xc4 || opcode == 0x0a || opcode == 0x0b)) /* VPINSRW, VROUNDSS, VROUNDSD */
        return true;
    return lock && bit_test && before == 0x0f; /* BT to BTC of a register */
}
