/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EL2's exception vectors and the world switch.
 *
 *     arm64_enter:  host x19-x30 -> stack, guest x0-x30, PC, PSTATE <- struct hv_vcpu, ERET
 *     vector:       the reverse; arm64_enter then returns how the guest was left
 *
 *     stack while the guest runs:   sp -> | vcpu | 0 | x19 … x30 of the host |
 *
 * EL1's system registers and SIMD registers are not touched: they change with the vCPU only
 * (hv.c: vcpu_load, vcpu_put).
 */
#include "asm_offsets.h"

#define FRAME (12 * 8 + 16)

    .text
    .global arm64_enter
    .balign 64
arm64_enter:
    stp     x29, x30, [sp, #-FRAME]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x0, [sp, #96]
    ldp     x1, x2, [x0, #VCPU_PC]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    ldp     x2, x3, [x0, #VCPU_X + 16]
    ldp     x4, x5, [x0, #VCPU_X + 32]
    ldp     x6, x7, [x0, #VCPU_X + 48]
    ldp     x8, x9, [x0, #VCPU_X + 64]
    ldp     x10, x11, [x0, #VCPU_X + 80]
    ldp     x12, x13, [x0, #VCPU_X + 96]
    ldp     x14, x15, [x0, #VCPU_X + 112]
    ldp     x16, x17, [x0, #VCPU_X + 128]
    ldp     x18, x19, [x0, #VCPU_X + 144]
    ldp     x20, x21, [x0, #VCPU_X + 160]
    ldp     x22, x23, [x0, #VCPU_X + 176]
    ldp     x24, x25, [x0, #VCPU_X + 192]
    ldp     x26, x27, [x0, #VCPU_X + 208]
    ldp     x28, x29, [x0, #VCPU_X + 224]
    ldr     x30, [x0, #VCPU_X + 240]
    ldp     x0, x1, [x0, #VCPU_X]
    eret
    dsb     nsh /* no speculation past ERET */
    isb

/* The guest was left: x0, x1 are on the stack, x1 is now the kind of exit. */
    .balign 64
guest_exit:
    ldr     x0, [sp, #16 + 96]
    stp     x2, x3, [x0, #VCPU_X + 16]
    stp     x4, x5, [x0, #VCPU_X + 32]
    stp     x6, x7, [x0, #VCPU_X + 48]
    stp     x8, x9, [x0, #VCPU_X + 64]
    stp     x10, x11, [x0, #VCPU_X + 80]
    stp     x12, x13, [x0, #VCPU_X + 96]
    stp     x14, x15, [x0, #VCPU_X + 112]
    stp     x16, x17, [x0, #VCPU_X + 128]
    stp     x18, x19, [x0, #VCPU_X + 144]
    stp     x20, x21, [x0, #VCPU_X + 160]
    stp     x22, x23, [x0, #VCPU_X + 176]
    stp     x24, x25, [x0, #VCPU_X + 192]
    stp     x26, x27, [x0, #VCPU_X + 208]
    stp     x28, x29, [x0, #VCPU_X + 224]
    str     x30, [x0, #VCPU_X + 240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0, #VCPU_X]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x0, #VCPU_PC]
    mrs     x2, esr_el2
    str     x2, [x0, #VCPU_ESR]
    mov     w0, w1
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #FRAME
    ret

/* An exception in the hypervisor itself: our bug. */
.macro from_hypervisor what
    .balign 128
    mov     x0, #\what
    mrs     x1, esr_el2
    mrs     x2, elr_el2
    mrs     x3, far_el2
    b       arm64_own_exception
.endm

.macro from_guest kind
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     w1, #\kind
    b       guest_exit
.endm

    .balign 2048
    .global vectors
vectors:
    from_hypervisor 0  /* current EL, SP_EL0: never in use */
    from_hypervisor 1
    from_hypervisor 2
    from_hypervisor 3
    from_hypervisor 0  /* current EL, SP_EL2 */
    from_hypervisor 1
    from_hypervisor 2
    from_hypervisor 3
    from_guest      0  /* lower EL, AArch64; numbers: enum arm64_exit */
    from_guest      1
    from_guest      1  /* FIQ: as IRQ, the acknowledge register tells */
    from_guest      2
    from_guest      0  /* lower EL, AArch32: EL0 only */
    from_guest      1
    from_guest      1
    from_guest      2
    .balign 128
