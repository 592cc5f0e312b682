/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest guest: machine `bare`, debug console at 0x90000000, entered at its first byte
 * wherever that is. Prints a line, then waits for an interrupt that never comes.
 */
    .section .head, "ax"
    .global _start
_start:
    movz    x1, #0x9000, lsl #16
    adr     x2, text
1:  ldrb    w0, [x2], #1
    cbz     w0, 2f
    strb    w0, [x1]
    b       1b
2:  wfi
    b       2b

text:
    .asciz  "Hi\n"
