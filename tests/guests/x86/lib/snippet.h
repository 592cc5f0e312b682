/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code for modes.h, the same text assembled for 16-bit and 32-bit segments. It ends in INT3,
 * which is how it comes back when nothing else happens.
 */
#pragma once

#include "tests/guests/x86/lib/modes.h"

struct snippet {
    const uint8_t *code[2], *end[2]; /* of 16 and 32 bits */
};

#define SNIPPET(name, text)                                                          \
    asm(".pushsection .rodata\n"                                                     \
        ".code16\n" #name "_16:\n" text "\nint3\n" #name "_16_end:\n"                \
        ".code32\n" #name "_32:\n" text "\nint3\n" #name "_32_end:\n"                \
        ".code64\n.popsection");                                                     \
    extern const uint8_t name##_16[], name##_16_end[], name##_32[], name##_32_end[]; \
    static const struct snippet name = { { name##_16, name##_32 },                   \
                                         { name##_16_end, name##_32_end } }

static inline void snippet_load(const struct snippet *snippet, unsigned bits)
{
    volatile uint8_t *to = (volatile uint8_t *)(uint64_t)MODE_CODE;
    const unsigned which = bits == 32;

    for (const uint8_t *from = snippet->code[which]; from < snippet->end[which]; from++)
        *to++ = *from;
}
