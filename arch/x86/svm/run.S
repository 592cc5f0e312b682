/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch, APM 2 15.5 and 15.6.
 *
 *     void svm_enter(struct hv_vcpu *, uint64_t vmcb, uint64_t host);   physical addresses
 *
 *     stack while the guest runs:   rsp -> | vcpu | host | rbx rbp r12-r15 of the host |
 *
 * With GIF clear nothing interrupts. IF is set only so that VMRUN takes it as the mask of
 * host interrupts while the guest runs; one that is pending then ends the entry, and stays
 * pending behind STGI, where IF is clear again. VMRUN moves RAX, RSP and RIP; VMLOAD and
 * VMSAVE FS, GS, TR and the system-call MSRs, of which the host's GS and TR must be back
 * before STGI.
 */
#include "asm_offsets.h"

#define GPR(number) (VCPU_GPR + 8 * (number))

    .text
    .global svm_enter
    .balign 64
svm_enter:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    push    %rdx
    push    %rdi
    clgi
    sti
    mov     %rsi, %rax /* also ends the shadow of STI, which would become the guest's */
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
    vmload  %rax
    vmrun   %rax
    vmsave  %rax
    mov     8(%rsp), %rax
    vmload  %rax
    mov     (%rsp), %rax
    mov     %rcx, GPR(1)(%rax)
    mov     %rdx, GPR(2)(%rax)
    mov     %rbx, GPR(3)(%rax)
    mov     %rbp, GPR(5)(%rax)
    mov     %rsi, GPR(6)(%rax)
    mov     %rdi, GPR(7)(%rax)
    mov     %r8, GPR(8)(%rax)
    mov     %r9, GPR(9)(%rax)
    mov     %r10, GPR(10)(%rax)
    mov     %r11, GPR(11)(%rax)
    mov     %r12, GPR(12)(%rax)
    mov     %r13, GPR(13)(%rax)
    mov     %r14, GPR(14)(%rax)
    mov     %r15, GPR(15)(%rax)
    cli
    stgi
    add     $16, %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret
