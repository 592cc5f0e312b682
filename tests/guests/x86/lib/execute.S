/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void execute(uint64_t mode): to the code at 12 MiB, in 64, 32 or 16-bit mode; it never
 * returns but by a fault. Registers point into the scratch memory behind it.
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
    ja      16f
    push    $0x08
    push    $CODE
    lretq
32: push    $0x18
    push    $CODE
    lretq
16: push    $0x20                       /* a segment of 64 KiB from CODE on */
    push    $0
    lretq
