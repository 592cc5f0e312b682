/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void execute(uint64_t mode): to the code at 12 MiB, in 64, 32 or 16-bit mode (0, 1, 2), or in
 * ring 3 in 64 or 32-bit mode (3, 4); it never returns but by a fault. Registers point into the
 * scratch memory behind it.
 */
#define CODE 0xc00000
#define SCRATCH 0xd08000

    .text
    .global execute
execute:
    mov     $SCRATCH, %eax
    mov     $64, %ecx                   /* repetitions */
    mov     %rax, %rdx
    mov     %rax, %rbx
    mov     %rax, %rbp
    mov     %rax, %rsi
    mov     %edi, %r8d
    mov     %rax, %rdi
    mov     %rax, %rsp
    cmp     $1, %r8d
    je      32f
    jb      64f
    cmp     $3, %r8d
    jb      16f
    mov     $0x33, %r8d                 /* ring 3: 64-bit code, or 32-bit */
    je      3f
    mov     $0x3b, %r8d
3:  push    $0x2b
    push    %rax
    push    $0x2
    push    %r8
    push    $CODE
    iretq
64:
    push    $0x08
    push    $CODE
    lretq
32: push    $0x18
    push    $CODE
    lretq
16: push    $0x20                       /* a segment of 64 KiB from CODE on */
    push    $0
    lretq
