/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt vectors, 16 bytes each, and what runs in spite of its faults. */
#define ERROR_CODES 0x60227d00          /* 8, 10 to 14, 17, 21, 29, 30 have one */

    .text
    .balign 16
    .global vectors
vectors:
    .set    vector, 0
    .rept   256
    .balign 16
    .if     vector >= 32 || !(ERROR_CODES >> (vector & 31) & 1)
    push    $0
    .endif
    push    $vector
    jmp     common
    .set    vector, vector + 1
    .endr

common:
    push    %rax
    push    %rcx
    push    %rdx
    push    %rbx
    push    %rbp
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     $0x10, %eax
    mov     %eax, %ds
    mov     %eax, %es
    cld
    mov     %rsp, %rdi
    call    exception
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rbp
    pop     %rbx
    pop     %rdx
    pop     %rcx
    pop     %rax
    add     $16, %rsp
    iretq

/* unsigned attempt(void (*run)(uint64_t), uint64_t argument) */
    .global attempt, attempt_resume
attempt:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    pushfq
    mov     %rsp, resume_stack
    mov     %rdi, %rax
    mov     %rsi, %rdi
    call    *%rax
    mov     $256, %eax
attempt_resume:                         /* eax: the vector */
    movq    $0, resume_stack
    popfq
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret

    .bss
    .balign 8
    .global resume_stack
resume_stack:
    .skip   8
