/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch, SDM 3C chapters 26 and 27.
 *
 *     bool vmx_enter(struct hv_vcpu *, bool launched);
 *
 *     stack while the guest runs:   rsp -> | vcpu | rbx rbp r12-r15 of the host |
 *
 * The CPU moves RSP, RIP, RFLAGS, control and segment registers, and starts the host with
 * interrupts masked. An entry that fails goes on behind VMLAUNCH or VMRESUME: no guest ran, so
 * the vCPU's registers are as they were.
 */
#include "arch/x86/vmx/vmcs.h"
#include "asm_offsets.h"

#define GPR(number) (VCPU_GPR + 8 * (number))

    .text
    .global vmx_enter
    .balign 64
vmx_enter:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    push    %rdi
    mov     $VMCS_HOST_RSP, %eax
    vmwrite %rsp, %rax
    mov     VCPU_CR2(%rdi), %rax
    mov     %cr2, %rdx
    cmp     %rax, %rdx
    je      1f
    mov     %rax, %cr2 /* slow, and seldom needed */
1:  test    %sil, %sil
    mov     GPR(0)(%rdi), %rax
    mov     GPR(1)(%rdi), %rcx
    mov     GPR(2)(%rdi), %rdx
    mov     GPR(3)(%rdi), %rbx
    mov     GPR(5)(%rdi), %rbp
    mov     GPR(6)(%rdi), %rsi
    mov     GPR(8)(%rdi), %r8
    mov     GPR(9)(%rdi), %r9
    mov     GPR(10)(%rdi), %r10
    mov     GPR(11)(%rdi), %r11
    mov     GPR(12)(%rdi), %r12
    mov     GPR(13)(%rdi), %r13
    mov     GPR(14)(%rdi), %r14
    mov     GPR(15)(%rdi), %r15
    mov     GPR(7)(%rdi), %rdi
    jz      2f
    vmresume
    jmp     3f
2:  vmlaunch
3:  xor     %eax, %eax
    jmp     4f

    .global vmx_exited
    .balign 16
vmx_exited:
    push    %rdi
    mov     8(%rsp), %rdi
    mov     %rax, GPR(0)(%rdi)
    mov     %rcx, GPR(1)(%rdi)
    mov     %rdx, GPR(2)(%rdi)
    mov     %rbx, GPR(3)(%rdi)
    mov     %rbp, GPR(5)(%rdi)
    mov     %rsi, GPR(6)(%rdi)
    pop     GPR(7)(%rdi)
    mov     %r8, GPR(8)(%rdi)
    mov     %r9, GPR(9)(%rdi)
    mov     %r10, GPR(10)(%rdi)
    mov     %r11, GPR(11)(%rdi)
    mov     %r12, GPR(12)(%rdi)
    mov     %r13, GPR(13)(%rdi)
    mov     %r14, GPR(14)(%rdi)
    mov     %r15, GPR(15)(%rdi)
    mov     %cr2, %rax
    mov     %rax, VCPU_CR2(%rdi)
    mov     $1, %eax
4:  add     $8, %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret
