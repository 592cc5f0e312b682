/* SPDX-License-Identifier: BSD-2-Clause */
/* The font: made of Debian's by tools/socle-font. */
    .section .rodata.font, "a"
    .balign 16
    .global font
font:
    .incbin "font.bin"
