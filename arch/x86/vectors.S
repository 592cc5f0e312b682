/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the IDT leads. Both tables have an entry for each vector, 16 bytes apart.
 *
 *     0..31     our own exceptions: bugs, told in words by x86_own_exception; but for #DB,
 *               which ends here: we set no breakpoints, and a guest's step is not to be our end
 *     192..254  host interrupts: the vector's bit is set in this CPU's word, no more
 *     others    ignored: the spurious vector, and what should not come
 */
#include <arch/vectors.h>

#include "asm_offsets.h"

/* Exceptions that push an error code: 8, 10 to 14, 17, 21, 29, 30 (SDM 3A 6.15, APM 2 8.2). */
#define WITH_ERROR_CODE 0x60227d00

#define RFLAGS_TF 0x100

    .text
    .balign 16
    .global exception_entries
exception_entries:
.set vector, 0
.rept 32
    .balign 16
    .if !((WITH_ERROR_CODE >> vector) & 1)
    pushq   $0
    .endif
    pushq   $vector
    jmp     own_exception
.set vector, vector + 1
.endr

/*     RSP -> | vector | error code | RIP | CS | RFLAGS | RSP | SS | */
own_exception:
    movq    (%rsp), %rdi
    movq    8(%rsp), %rsi
    movq    16(%rsp), %rdx
    movq    %cr2, %rcx
    andq    $-16, %rsp
    call    x86_own_exception

/*
 * An emulated SVM (Bochs 2.7) delivers the trap of a guest that single-steps behind #VMEXIT.
 *
 *     RSP -> | RIP | CS | RFLAGS | RSP | SS |
 */
    .balign 16
    .global debug_exception
debug_exception:
    andq    $~RFLAGS_TF, 16(%rsp)
    iretq

    .balign 16
    .global interrupt_entries
interrupt_entries:
.set vector, VECTOR_FIRST
.rept 63
    .balign 16
    btsq    $(vector - VECTOR_FIRST), %gs:CPU_ARRIVED
    iretq
.set vector, vector + 1
.endr

    .balign 16
    .global ignored_interrupt
ignored_interrupt:
    iretq
