/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors for measuring: an IRQ's first instruction reads the counter.
 *
 * Who waits lets x0..x4 change at any time, and gets
 *
 *     x0  counter at the vector
 *     x1  its next value, and
 *     x2  how many times it was read, 4 instructions apart, until that came
 *     x3  the interrupt; acknowledged and ended, the virtual timer switched off
 */
    .text
    .balign 0x800
    .global bench_vectors
bench_vectors:
    .rept   5
    .balign 0x80
    b       .
    .endr
    .balign 0x80
    mrs     x0, cntvct_el0
    mov     x2, #0
1:  add     x2, x2, #1
    mrs     x1, cntvct_el0
    cmp     x1, x0
    b.eq    1b
    mrs     x3, s3_0_c12_c12_0      /* ICC_IAR1_EL1 */
    msr     cntv_ctl_el0, xzr
    isb
    msr     s3_0_c12_c12_1, x3      /* ICC_EOIR1_EL1 */
    isb
    eret
    .rept   10
    .balign 0x80
    b       .
    .endr
