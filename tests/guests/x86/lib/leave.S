/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of long mode and back: see modes.h. Between any two modes stands 32-bit protected mode
 * without paging, flat ("the hub").
 *
 *     64-bit -> compatibility -> hub -> real, virtual-8086, protected
 *     exception -> mode_vectors16 or mode_vectors32 -> hub -> enter_long_mode -> 64-bit
 */
#define EAX 0
#define ECX 4
#define EDX 8
#define EBX 12
#define ESP 16
#define EBP 20
#define ESI 24
#define EDI 28
#define EIP 32
#define EFLAGS 36
#define CS 40
#define SS 44
#define DS 48
#define ES 52
#define FS 56
#define GS 60
#define CR0 64
#define CR3 68
#define CR4 72
#define UNREAL 76
#define VECTOR 80
#define ERROR 84
#define CR2 88
#define STATE_BYTES 92

#define FLAT_DATA 0x10
#define FLAT_CODE 0x18
#define TSS 0x20
#define LOW_CODE 0x28
#define LOW_DATA 0x30
#define LOW_BASE 0x1000
#define LOW_SEGMENT 0x100
#define EFLAGS_VM_BYTE 2                /* of EFLAGS: bit 17 */
#define MSR_EFER 0xc0000080
#define ERROR_CODES 0x60227d00

/* ---- out ---- */

    .text
    .code64
    .global mode_run
mode_run:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    pushfq
    cli
    mov     %rsp, saved_stack
    str     saved_task
    lgdt    gdt_64
    push    $FLAT_CODE
    push    $1f
    lretq
    .code32
1:  mov     $FLAT_DATA, %eax
    mov     %eax, %ss
    mov     %eax, %ds
    mov     %eax, %es
    mov     $mode_stack_top, %esp
    mov     %cr0, %eax
    and     $0x7fffffff, %eax
    mov     %eax, %cr0
    mov     $MSR_EFER, %ecx
    xor     %eax, %eax
    xor     %edx, %edx
    wrmsr
    mov     mode_state + CR4, %eax
    mov     %eax, %cr4
    mov     mode_state + CR3, %eax
    mov     %eax, %cr3
    mov     mode_state + CR0, %eax
    test    $1, %al
    jz      to_real
    lidt    idt_32
    andb    $~2, mode_gdt + TSS + 5     /* not busy */
    mov     $TSS, %ecx
    ltr     %cx
    mov     %eax, %cr0
    jmp     1f
1:  testb   $2, mode_state + EFLAGS + EFLAGS_VM_BYTE
    jnz     to_v86
    mov     mode_state + CS, %eax
    and     $3, %eax
    jnz     to_ring3
    mov     mode_state + SS, %eax
    mov     %eax, %ss
    mov     mode_state + ESP, %esp
    jmp     2f
to_v86:
    pushl   mode_state + GS
    pushl   mode_state + FS
    pushl   mode_state + DS
    pushl   mode_state + ES
to_ring3:
    pushl   mode_state + SS
    pushl   mode_state + ESP
2:  pushl   mode_state + EFLAGS
    pushl   mode_state + CS
    pushl   mode_state + EIP
    testb   $2, mode_state + EFLAGS + EFLAGS_VM_BYTE
    jnz     3f
    mov     mode_state + ES, %es
    mov     mode_state + FS, %fs
    mov     mode_state + GS, %gs
    mov     mode_state + DS, %ds
3:  mov     %cs:mode_state + EAX, %eax
    mov     %cs:mode_state + ECX, %ecx
    mov     %cs:mode_state + EDX, %edx
    mov     %cs:mode_state + EBX, %ebx
    mov     %cs:mode_state + EBP, %ebp
    mov     %cs:mode_state + ESI, %esi
    mov     %cs:mode_state + EDI, %edi
    iret

/* The state goes to low memory first, where real mode finds it. */
to_real:
    mov     $mode_state, %esi
    mov     $LOW_BASE + (low_state - mode_low), %edi
    mov     $STATE_BYTES / 4, %ecx
    cld
    rep movsl
    lidt    idt_real
    mov     $LOW_DATA, %edx             /* limits that stay behind */
    mov     %edx, %ss
    cmpl    $0, mode_state + UNREAL
    je      1f
    mov     $FLAT_DATA, %edx
1:  mov     %edx, %ds
    mov     %edx, %es
    mov     %edx, %fs
    mov     %edx, %gs
    ljmp    $LOW_CODE, $(low_enter - mode_low)

/* ---- what is copied to LOW_BASE ---- */

#define LOW(label) ((label) - mode_low)

    .section .rodata
    .balign 16
    .global mode_low, mode_low_end, mode_vectors16
    .code16
mode_low:
    .balign 8
mode_vectors16:
    .set    vector, 0
    .rept   256
    .balign 8
    pushw   $vector
    jmp     low_common
    .set    vector, vector + 1
    .endr

low_enter:
    mov     %eax, %cr0
    ljmp    $LOW_SEGMENT, $LOW(1f)
1:  mov     %cs:LOW(low_state) + SS, %ss
    mov     %cs:LOW(low_state) + ESP, %esp
    mov     %cs:LOW(low_state) + DS, %ds
    mov     %cs:LOW(low_state) + ES, %es
    mov     %cs:LOW(low_state) + FS, %fs
    mov     %cs:LOW(low_state) + GS, %gs
    pushl   %cs:LOW(low_state) + EFLAGS
    pushl   %cs:LOW(low_state) + CS
    pushl   %cs:LOW(low_state) + EIP
    mov     %cs:LOW(low_state) + EAX, %eax
    mov     %cs:LOW(low_state) + ECX, %ecx
    mov     %cs:LOW(low_state) + EDX, %edx
    mov     %cs:LOW(low_state) + EBX, %ebx
    mov     %cs:LOW(low_state) + EBP, %ebp
    mov     %cs:LOW(low_state) + ESI, %esi
    mov     %cs:LOW(low_state) + EDI, %edi
    iretl

low_common:
    popw    %cs:LOW(low_state) + VECTOR
    mov     %eax, %cs:LOW(low_state) + EAX
    xor     %eax, %eax
    pop     %ax
    mov     %eax, %cs:LOW(low_state) + EIP
    pop     %ax
    mov     %eax, %cs:LOW(low_state) + CS
    pop     %ax
    mov     %eax, %cs:LOW(low_state) + EFLAGS
    mov     %ss, %cs:LOW(low_state) + SS
    mov     %esp, %cs:LOW(low_state) + ESP
    mov     %ds, %cs:LOW(low_state) + DS
    mov     %es, %cs:LOW(low_state) + ES
    mov     %fs, %cs:LOW(low_state) + FS
    mov     %gs, %cs:LOW(low_state) + GS
    movl    $0, %cs:LOW(low_state) + ERROR
    lgdtl   %cs:LOW(low_gdt)
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmpl   $FLAT_CODE, $from_real

low_gdt:
    .word   64 * 8 - 1
    .long   mode_gdt
    .balign 4
low_state:
    .fill   STATE_BYTES, 1, 0
mode_low_end:

/* ---- back ---- */

    .text
    .code32
    .balign 16
    .global mode_vectors32
mode_vectors32:
    .set    vector, 0
    .rept   256
    .balign 16
    .if     vector >= 32 || !(ERROR_CODES >> (vector & 31) & 1)
    push    $0
    .endif
    push    $vector
    jmp     from_protected
    .set    vector, vector + 1
    .endr

from_protected:
    push    %ds
    push    %eax
    mov     $FLAT_DATA, %eax
    mov     %eax, %ds
    pop     mode_state + EAX
    pop     mode_state + DS
    pop     mode_state + VECTOR
    pop     mode_state + ERROR
    pop     mode_state + EIP
    pop     mode_state + CS
    pop     mode_state + EFLAGS
    mov     %esp, mode_state + ESP
    movzwl  mode_state + CS, %eax
    mov     %eax, mode_state + CS
    testb   $2, mode_state + EFLAGS + EFLAGS_VM_BYTE
    jnz     1f
    mov     %ss, mode_state + SS
    mov     %es, mode_state + ES
    mov     %fs, mode_state + FS
    mov     %gs, mode_state + GS
    test    $3, %al
    jz      2f
    pop     mode_state + ESP
    pop     mode_state + SS
    jmp     2f
1:  pop     mode_state + ESP
    pop     mode_state + SS
    pop     mode_state + ES
    pop     mode_state + DS
    pop     mode_state + FS
    pop     mode_state + GS
2:  call    to_hub
    jmp     leave

from_real:
    mov     $FLAT_DATA, %eax
    mov     %eax, %ds
    call    to_hub
    mov     $LOW_BASE + LOW(low_state), %esi
    movl    EAX(%esi), %eax
    mov     %eax, mode_state + EAX
    lea     EIP(%esi), %esi
    mov     $mode_state + EIP, %edi
    mov     $(CR0 - EIP) / 4, %ecx
    cld
    rep movsl
    mov     LOW_BASE + LOW(low_state) + VECTOR, %eax
    movzwl  %ax, %eax
    mov     %eax, mode_state + VECTOR
    movl    $0, mode_state + ERROR
    mov     LOW_BASE + LOW(low_state) + ESP, %eax
    mov     %eax, mode_state + ESP

leave:
    mov     $returned, %esi
    jmp     enter_long_mode

/* The registers that are still the code's; then a stack and flat segments, no paging. */
to_hub:
    mov     %ecx, mode_state + ECX
    pop     %ecx                        /* on whose stack this was */
    mov     %edx, mode_state + EDX
    mov     %ebx, mode_state + EBX
    mov     %ebp, mode_state + EBP
    mov     %esi, mode_state + ESI
    mov     %edi, mode_state + EDI
    mov     $FLAT_DATA, %eax
    mov     %eax, %ss
    mov     $mode_stack_top, %esp
    mov     %eax, %es
    mov     %cr2, %eax
    mov     %eax, mode_state + CR2
    mov     $0x31, %eax
    mov     %eax, %cr0
    jmp     *%ecx

    .code64
returned:
    mov     saved_stack, %rsp
    lidt    idt_64
    movzwl  saved_task, %eax
    andb    $~2, gdt + 5(%rax)          /* not busy */
    ltr     %ax
    popfq
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret

    .section .rodata
gdt_64:
    .word   64 * 8 - 1
    .quad   mode_gdt
idt_32:
    .word   256 * 8 - 1
    .long   mode_idt
idt_64:
    .word   256 * 16 - 1
    .quad   idt
idt_real:
    .word   256 * 4 - 1
    .long   0

    .bss
    .balign 16
saved_stack:
    .skip   8
saved_task:
    .skip   8
    .skip   4096
    .global mode_stack_top
mode_stack_top:
