/* SPDX-License-Identifier: BSD-2-Clause */
/* A jump into a table of 32 times two instructions, 8 bytes each. */
    .arch_extension fp
    .arch_extension simd

.macro each_register insn
    adr     x2, 1f
    add     x2, x2, w0, uxtw #3
    br      x2
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \insn   q\n, [x1]
    ret
    .endr
.endm

    .text
    .global arm64_fpreg_get
arm64_fpreg_get:
    each_register str

    .global arm64_fpreg_set
arm64_fpreg_set:
    each_register ldr
