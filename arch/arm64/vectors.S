/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EL2's exception vectors and the world switch.
 *
 *     arm64_run   host x19-x30 -> stack
 *     enter       guest x0-x30, PC, PSTATE <- struct hv_vcpu, ERET
 *     vector      the reverse; then what exit.c has for it is called, on the host's stack as
 *                 arm64_run left it. True: enter. False: host x19-x30 <- stack, return.
 *
 * A host interrupt is no business of the guest's, and nobody looks at its registers: only what C
 * may change is saved, and the rest once the guest is left for good.
 *
 *     stack while the guest runs:   sp -> | x29 … x28 of the host | vcpu | exit | answer |
 *
 * EL1's system registers and SIMD registers are not touched: they change with the vCPU only
 * (hv.c: vcpu_load, vcpu_put).
 */
#include "asm_offsets.h"

#define ESR_EC_SHIFT 26

#define FRAME (12 * 8 + 4 * 8)
#define FRAME_VCPU 96
#define FRAME_EXIT 104 /* and the answer */

/* \op is stp or ldp; x0 is the vCPU. x19 for its neighbour. */
.macro caller_saved op
    \op     x2, x3, [x0, #VCPU_X + 16]
    \op     x4, x5, [x0, #VCPU_X + 32]
    \op     x6, x7, [x0, #VCPU_X + 48]
    \op     x8, x9, [x0, #VCPU_X + 64]
    \op     x10, x11, [x0, #VCPU_X + 80]
    \op     x12, x13, [x0, #VCPU_X + 96]
    \op     x14, x15, [x0, #VCPU_X + 112]
    \op     x16, x17, [x0, #VCPU_X + 128]
    \op     x18, x19, [x0, #VCPU_X + 144]
.endm

.macro callee_saved op
    \op     x20, x21, [x0, #VCPU_X + 160]
    \op     x22, x23, [x0, #VCPU_X + 176]
    \op     x24, x25, [x0, #VCPU_X + 192]
    \op     x26, x27, [x0, #VCPU_X + 208]
    \op     x28, x29, [x0, #VCPU_X + 224]
.endm

/* x0 becomes the vCPU; its x0 and x1 are on the stack. */
.macro begin_save
    stp     x0, x1, [sp, #-16]!
    ldr     x0, [sp, #16 + FRAME_VCPU]
    caller_saved stp
.endm

/* Then the handler's arguments are in place: x0 vCPU, x1 exit, x2 answer. */
.macro end_save
    ldp     x4, x5, [sp], #16
    stp     x4, x5, [x0, #VCPU_X]
    ldp     x1, x2, [sp, #FRAME_EXIT]
.endm

    .text
    .balign 64
answered:
    tbz     w0, #0, leave
    ldr     x0, [sp, #FRAME_VCPU]
enter:
    ldp     x30, x1, [x0, #VCPU_X + 240] /* and PC */
    ldr     x2, [x0, #VCPU_PSTATE]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    caller_saved ldp
    callee_saved ldp
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

leave_after_irq:
    ldr     x0, [sp, #FRAME_VCPU]
    callee_saved stp
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x0, #VCPU_PC]
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

/* A vector's place is 32 instructions: .org complains about more. */
.macro save_all /* x3 becomes ESR_EL2 */
    begin_save
    callee_saved stp
    mrs     x4, elr_el2
    mrs     x5, spsr_el2
    mrs     x3, esr_el2
    stp     x30, x4, [x0, #VCPU_X + 240]
    stp     x5, x3, [x0, #VCPU_PSTATE]
    end_save
.endm

.macro sync_from_guest
    .balign 128
1:  save_all
    adr     x4, arm64_exits
    lsr     w5, w3, #ESR_EC_SHIFT
    ldr     x4, [x4, x5, lsl #3]
    blr     x4
    b       answered
    .org    1b + 128
.endm

.macro serror_from_guest
    .balign 128
1:  save_all
    bl      arm64_exit_serror
    b       answered
    .org    1b + 128
.endm

.macro irq_from_guest
    .balign 128
1:  begin_save
    str     x30, [x0, #VCPU_X + 240]
    end_save
    bl      arm64_exit_irq
    tbz     w0, #0, leave_after_irq
    ldr     x0, [sp, #FRAME_VCPU]
    caller_saved ldp
    ldr     x30, [x0, #VCPU_X + 240]
    ldp     x0, x1, [x0, #VCPU_X]
    eret
    dsb     nsh
    isb
    .org    1b + 128
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
    sync_from_guest    /* lower EL, AArch64 */
    irq_from_guest
    irq_from_guest     /* FIQ: as IRQ, the acknowledge register tells */
    serror_from_guest
    sync_from_guest    /* lower EL, AArch32: EL0 only */
    irq_from_guest
    irq_from_guest
    serror_from_guest
