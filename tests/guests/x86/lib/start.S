/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From Multiboot's 32-bit protected mode, or for the other CPUs from real mode, to long mode
 * with the first 4 GiB mapped to themselves.
 */
#define SELECTOR_CODE64 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE32 0x18
#define TRAMPOLINE 0x8000
#define LAPIC_ID 0xfee00020
#define STACK_SHIFT 14
#define MSR_EFER 0xc0000080

#define CR0_VALUE 0x80010033            /* PG WP NE ET MP PE */
#define CR4_VALUE 0x00000620            /* OSXMMEXCPT OSFXSR PAE */
#define EFER_VALUE 0x101                /* LME SCE */

    .section .multiboot, "a"
    .balign 4
    .long   0x1badb002, 2, -(0x1badb002 + 2)

    .text
    .code32
    .global start
start:
    cli
    mov     %ebx, multiboot_info
    rdtsc
    mov     %eax, start_ticks
    mov     %edx, start_ticks + 4

    movl    $page_directory_pointers + 7, page_map
    mov     $page_directories + 7, %eax
    xor     %ecx, %ecx
1:  mov     %eax, page_directory_pointers(, %ecx, 8)
    add     $4096, %eax
    inc     %ecx
    cmp     $4, %ecx
    jne     1b
    mov     $0x87, %eax                 /* present, writable, user, 2 MiB */
    xor     %ecx, %ecx
1:  mov     %eax, page_directories(, %ecx, 8)
    add     $0x200000, %eax
    inc     %ecx
    cmp     $2048, %ecx
    jne     1b
    mov     $start64, %esi

/* To esi in long mode, paging on. */
    .global enter_long_mode
enter_long_mode:
    mov     $SELECTOR_DATA, %edi
    mov     $CR4_VALUE, %eax
    mov     %eax, %cr4
    mov     $page_map, %eax
    mov     %eax, %cr3
    mov     $MSR_EFER, %ecx
    mov     $EFER_VALUE, %eax
    xor     %edx, %edx
    wrmsr
    mov     $CR0_VALUE, %eax
    mov     %eax, %cr0
    lgdt    gdt_register
    ljmp    $SELECTOR_CODE64, $1f
    .code64
1:  mov     %edi, %ds
    mov     %edi, %es
    mov     %edi, %ss
    mov     %esi, %esi
    jmp     *%rsi

start64:
    mov     $stacks + (1 << STACK_SHIFT), %rsp
    call    guest_start

secondary64:
    mov     $LAPIC_ID, %eax
    mov     (%rax), %edi
    shr     $24, %edi
    lea     1(%rdi), %eax
    shl     $STACK_SHIFT, %eax
    lea     stacks(%rax), %rsp
    call    cpu_start

/* Copied to TRAMPOLINE. */
    .global trampoline, trampoline_end
    .code16
trampoline:
    cli
    xor     %ax, %ax
    mov     %ax, %ds
    lgdtl   TRAMPOLINE + (trampoline_gdt_register - trampoline)
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmpl   $SELECTOR_CODE32, $1f
trampoline_gdt_register:
    .word   GDT_BYTES - 1
    .long   gdt
trampoline_end:
    .code32
1:  mov     $SELECTOR_DATA, %eax
    mov     %eax, %ds
    mov     $secondary64, %esi
    jmp     enter_long_mode

    .section .rodata
gdt_register:
    .word   GDT_BYTES - 1
    .quad   gdt

    .data
    .balign 8
    .global gdt
gdt:
    .quad   0
    .quad   0x00af9b000000ffff          /* 08 64-bit code */
    .quad   0x00cf93000000ffff          /* 10 data */
    .quad   0x00cf9b000000ffff          /* 18 32-bit code */
    .quad   0x00009bc00000ffff          /* 20 16-bit code, from 12 MiB on */
    .quad   0x00cff3000000ffff          /* 28 data for ring 3 */
    .quad   0x00affb000000ffff          /* 30 64-bit code for ring 3 */
    .quad   0x00cffb000000ffff          /* 38 32-bit code for ring 3 */
    .global gdt_tss
gdt_tss:                                /* 40 a TSS for each CPU */
    .fill   32, 8, 0
gdt_end:
    .set    GDT_BYTES, gdt_end - gdt

    .global multiboot_info, start_ticks
multiboot_info:
    .quad   0
start_ticks:
    .quad   0

    .bss
    .balign 4096
    .global page_map, page_directory_pointers, page_directories
page_map:                .skip 4096
page_directory_pointers: .skip 4096
page_directories:        .skip 4 * 4096
    .global stacks
stacks:                  .skip 16 << STACK_SHIFT
