/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EL2's exception vectors and the world switch.
 *
 *     arm64_run   host x19-x30 -> stack
 *     enter       guest x0-x30, PC, PSTATE <- struct hv_vcpu, ERET
 *     vector      the reverse; then what exit.c has for it is called, on the host's stack as
 *                 arm64_run left it. True: enter. False: host x19-x30 <- stack, return.
 *
 *     stack while the guest runs:   sp -> | x29 … x28 of the host | vcpu | exit | answer |
 *
 * EL1's system registers and SIMD registers are not touched: they change with the vCPU only
 * (hv.c: vcpu_load, vcpu_put).
 */
#include "asm_offsets.h"

#define FRAME (12 * 8 + 4 * 8)
#define FRAME_VCPU 96
#define FRAME_EXIT 104 /* and the answer */

    .text
/* The guest was left: its x0, x1 are on the stack, x1 is now what to call. */
    .balign 64
guest_exit:
    ldr     x0, [sp, #16 + FRAME_VCPU]
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
    mov     x29, sp
    mov     x3, x1
    ldp     x1, x2, [sp, #FRAME_EXIT]
    blr     x3
    tbz     w0, #0, leave
    ldr     x0, [sp, #FRAME_VCPU]

enter:
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

    .global arm64_run
    .balign 64
arm64_run:
    stp     x29, x30, [sp, #-FRAME]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x0, [sp, #FRAME_VCPU]
    stp     x1, x2, [sp, #FRAME_EXIT]
    b       enter

leave:
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

.macro from_guest answer
    .balign 128
    stp     x0, x1, [sp, #-16]!
    adr     x1, \answer
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
    from_guest      arm64_exit_sync  /* lower EL, AArch64 */
    from_guest      arm64_exit_irq
    from_guest      arm64_exit_irq   /* FIQ: as IRQ, the acknowledge register tells */
    from_guest      arm64_exit_serror
    from_guest      arm64_exit_sync  /* lower EL, AArch32: EL0 only */
    from_guest      arm64_exit_irq
    from_guest      arm64_exit_irq
    from_guest      arm64_exit_serror
    .balign 128
