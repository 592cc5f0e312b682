/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void execute(uint32_t instruction, uint64_t x[18])
 *
 * Executes one instruction with x0..x17 from and to `x`. It may write any register but SP;
 * a fault that skips it is as good as its execution.
 */
    .section .execute, "awx"
    .balign 4096                    /* a page of its own: it changes all the time */
    .global execute
execute:
    sub     sp, sp, #112
    stp     x19, x20, [sp]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    str     x1, [sp, #96]
    adr     x2, slot
    str     w0, [x2]
    dc      cvau, x2
    dsb     ish
    ic      ivau, x2
    dsb     ish
    isb
    mov     x18, x1
    ldp     x0, x1, [x18]
    ldp     x2, x3, [x18, #16]
    ldp     x4, x5, [x18, #32]
    ldp     x6, x7, [x18, #48]
    ldp     x8, x9, [x18, #64]
    ldp     x10, x11, [x18, #80]
    ldp     x12, x13, [x18, #96]
    ldp     x14, x15, [x18, #112]
    ldp     x16, x17, [x18, #128]
slot:
    .word   0
    ldr     x18, [sp, #96]
    stp     x0, x1, [x18]
    stp     x2, x3, [x18, #16]
    stp     x4, x5, [x18, #32]
    stp     x6, x7, [x18, #48]
    stp     x8, x9, [x18, #64]
    stp     x10, x11, [x18, #80]
    stp     x12, x13, [x18, #96]
    stp     x14, x15, [x18, #112]
    stp     x16, x17, [x18, #128]
    ldp     x19, x20, [sp]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    add     sp, sp, #112
    ret

/* A CPU that was turned on turns itself off; no stack. */
    .global turn_off
turn_off:
    movz    w0, #0x8400, lsl #16
    movk    w0, #2
    hvc     #0
    b       turn_off
