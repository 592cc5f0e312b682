/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader to C, on the boot CPU and on the others.
 *
 * Multiboot 1 and 2 loaders enter at _start: 32-bit protected mode, paging off, EAX = which
 * Multiboot, EBX = what it tells. Their headers give addresses, so that the loader copies the
 * file as it is: QEMU takes no 64-bit ELF otherwise, and takes us as we are this way.
 *
 * The boot tables map only what is needed to reach the final ones, and already W^X:
 *
 *     L4 [0]          -> L3_id  -> L2_id  --+
 *     L4 [IMAGE]      -> L3_img -> L2_img --+-> L1_img: text RX, rodata R, the rest RW
 *     L4 [DIRECT_MAP] -> L3_dm  -> L2_dm: the low 4 GiB; more RAM is added in C (boot.c)
 */
#include "asm_offsets.h"

#define LOAD_BASE 0x200000
#define IMAGE_BASE 0xffffffff80000000
#define PHYS(symbol) ((symbol) - IMAGE_BASE + LOAD_BASE)

#define ENTRY_PRESENT 0x001
#define ENTRY_TABLE 0x003      /* present, writable */
#define ENTRY_ACCESSED 0x060   /* and dirty: the walker need not write them */
#define ENTRY_LARGE 0x080
#define ENTRY_NX_HIGH 0x80000000

#define PAGE_TEXT (ENTRY_PRESENT | ENTRY_ACCESSED)
#define PAGE_RODATA (ENTRY_PRESENT | ENTRY_ACCESSED)
#define PAGE_DATA (ENTRY_TABLE | ENTRY_ACCESSED)
#define BLOCK_DATA (PAGE_DATA | ENTRY_LARGE)

#define L4_INDEX_DIRECT_MAP 256
#define L4_INDEX_IMAGE 511
#define L3_INDEX_IMAGE 510
#define DIRECT_MAP_TABLES 4    /* boot.c: BOOT_L2_USED */

#define MULTIBOOT1_HEADER 0x1badb002
#define MULTIBOOT1_FLAGS 0x00010003 /* modules on pages; memory map; our addresses below */
#define MULTIBOOT2_HEADER 0xe85250d6

#define CR0_PE 0x1
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME 0x100
#define EFER_NXE 0x800

#define CODE32 0x08
#define CODE64 0x10
#define DATA 0x18

    .section .text.header, "ax"
    .balign 8
multiboot1:
    .long   MULTIBOOT1_HEADER
    .long   MULTIBOOT1_FLAGS
    .long   -(MULTIBOOT1_HEADER + MULTIBOOT1_FLAGS)
    .long   PHYS(multiboot1)             /* header_addr */
    .long   LOAD_BASE                    /* load_addr */
    .long   PHYS(__load_end)             /* load_end_addr */
    .long   LOAD_BASE + 0x200000         /* bss_end_addr: modules do not share our 2 MiB */
    .long   PHYS(_start)                 /* entry_addr */

    .balign 8
multiboot2:
    .long   MULTIBOOT2_HEADER
    .long   0                            /* architecture: i386 */
    .long   multiboot2_end - multiboot2
    .long   -(MULTIBOOT2_HEADER + multiboot2_end - multiboot2)
    .short  2, 0                         /* addresses */
    .long   24
    .long   PHYS(multiboot2), LOAD_BASE, PHYS(__load_end), LOAD_BASE + 0x200000
    .short  3, 0                         /* entry address */
    .long   12
    .long   PHYS(_start), 0
    .short  6, 0                         /* modules on pages */
    .long   8
    .short  0, 0
    .long   8
multiboot2_end:

    .code32
    .global _start
_start:
    cli
    cld
    movl    $PHYS(__boot_stack_top), %esp
    movl    %eax, %ebp                   /* which Multiboot; EBX: what it tells */

    pushl   %ebx
    movl    $0x80000000, %eax
    cpuid
    movl    $PHYS(msg_no_long_mode), %esi
    cmpl    $0x80000001, %eax
    jb      early_stop
    movl    $0x80000001, %eax
    cpuid
    popl    %ebx
    btl     $29, %edx                    /* LM */
    jnc     early_stop
    movl    $PHYS(msg_no_nx), %esi
    btl     $20, %edx                    /* NX */
    jnc     early_stop

    call    make_boot_tables
    lgdtl   PHYS(boot_gdt_pointer)
    movl    $(boot_virtual - IMAGE_BASE), %esi
    jmp     enter_long_mode

/* Another CPU, from the trampoline: flat 32-bit code, our GDT, data segments still old. */
secondary_32:
    movl    $(secondary_virtual - IMAGE_BASE), %esi

/* Paging on with the boot tables; continues ESI bytes into the image. */
enter_long_mode:
    movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    xorl    %eax, %eax
    movl    %eax, %fs
    movl    %eax, %gs
    movl    $CR4_PAE, %eax
    movl    %eax, %cr4
    movl    $PHYS(boot_l4), %eax
    movl    %eax, %cr3
    movl    $EFER, %ecx
    rdmsr
    orl     $(EFER_LME | EFER_NXE), %eax
    wrmsr
    movl    $(CR0_PG | CR0_WP | CR0_NE | CR0_PE), %eax
    movl    %eax, %cr0
    ljmp    $CODE64, $PHYS(1f)
    .code64
1:  addq    $IMAGE_BASE, %rsi
    jmp     *%rsi

    .code32
/* EDX: CPUID's extended features. EBX, EBP are kept. Our bss the loader has zeroed. */
make_boot_tables:
    call    map_low_memory
    movl    $PHYS(boot_l1_img), %edi
    movl    $LOAD_BASE, %eax
    movl    $PHYS(__text_end), %ecx
    movl    $PAGE_TEXT, %edx
    xorl    %esi, %esi
    call    map_pages
    movl    $PHYS(__rodata_end), %ecx
    movl    $PAGE_RODATA, %edx
    movl    $ENTRY_NX_HIGH, %esi
    call    map_pages
    movl    $PHYS(__image_end), %ecx
    movl    $PAGE_DATA, %edx
    call    map_pages

    movl    $(PHYS(boot_l1_img) + ENTRY_TABLE), PHYS(boot_l2_id) + (LOAD_BASE >> 21) * 8
    movl    $(PHYS(boot_l1_img) + ENTRY_TABLE), PHYS(boot_l2_img)
    movl    $(PHYS(boot_l2_id) + ENTRY_TABLE), PHYS(boot_l3_id)
    movl    $(PHYS(boot_l2_img) + ENTRY_TABLE), PHYS(boot_l3_img) + L3_INDEX_IMAGE * 8
    movl    $(PHYS(boot_l3_id) + ENTRY_TABLE), PHYS(boot_l4)
    movl    $(PHYS(boot_l3_dm) + ENTRY_TABLE), PHYS(boot_l4) + L4_INDEX_DIRECT_MAP * 8
    movl    $(PHYS(boot_l3_img) + ENTRY_TABLE), PHYS(boot_l4) + L4_INDEX_IMAGE * 8

    ret

/* The low 4 GiB: what the loader and the firmware tell may be anywhere in them. */
map_low_memory:
    movl    $PHYS(boot_l3_dm), %edi
    movl    $BLOCK_DATA, %eax
    movl    $0x40000000, %ecx
    btl     $26, %edx                    /* 1 GiB pages */
    jc      2f
    movl    $(PHYS(boot_l2_dm) + ENTRY_TABLE), %eax
1:  movl    %eax, (%edi)
    addl    $4096, %eax
    addl    $8, %edi
    cmpl    $(PHYS(boot_l3_dm) + 8 * DIRECT_MAP_TABLES), %edi
    jb      1b
    movl    $BLOCK_DATA, %eax
    movl    $0x200000, %ecx
    movl    $PHYS(boot_l2_dm), %edi
2:  movl    %eax, (%edi)                 /* blocks of ECX bytes */
    movl    $ENTRY_NX_HIGH, 4(%edi)
    addl    $8, %edi
    addl    %ecx, %eax
    jnc     2b
    ret

/* Pages [EAX, ECX) with the attributes EDX and, high half, ESI at EDI; EAX and EDI move on. */
map_pages:
1:  orl     %edx, %eax
    movl    %eax, (%edi)
    movl    %esi, 4(%edi)
    xorl    %edx, %eax
    addl    $8, %edi
    addl    $4096, %eax
    cmpl    %ecx, %eax
    jb      1b
    ret

/* Prints the string at ESI on the early UART and stops. */
early_stop:
    movw    $(EARLY_UART + 5), %dx
1:  inb     %dx, %al
    testb   $0x20, %al                   /* THRE */
    jz      1b
    lodsb
    testb   %al, %al
    jz      2f
    movw    $EARLY_UART, %dx
    outb    %al, %dx
    jmp     early_stop
2:  hlt
    jmp     2b

    .code64
    .text
boot_virtual:
    leaq    __boot_stack_top(%rip), %rsp
    movl    %ebp, %edi
    movl    %ebx, %esi
    xorl    %ebp, %ebp
    call    x86_boot

secondary_virtual:
    movq    x86_cpu_start + CPU_START_ROOT(%rip), %rax
    movq    %rax, %cr3
    xorl    %esp, %esp
    xchgq   %rsp, x86_cpu_start + CPU_START_STACK(%rip)
    testq   %rsp, %rsp                   /* taken: this CPU was given up on and comes too late */
    jz      2f
    xorl    %ebp, %ebp
    call    x86_secondary
2:  cli
    hlt
    jmp     2b

/* Copied to a page below 1 MiB, where another CPU starts in real mode with CS = page << 8. */
    .section .rodata
    .global trampoline_start, trampoline_end
    .code16
trampoline_start:
    cli
    lgdtl   %cs:(boot_gdt_here - trampoline_start)
    movl    %cr0, %eax
    orl     $CR0_PE, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $PHYS(secondary_32)
    .balign 4
boot_gdt_here:
    .short  boot_gdt_end - boot_gdt - 1
    .long   PHYS(boot_gdt)
trampoline_end:
    .code64

    .balign 8
boot_gdt:
    .quad   0
    .quad   0x00cf9b000000ffff           /* CODE32: flat */
    .quad   0x00af9b000000ffff           /* CODE64 */
    .quad   0x00cf93000000ffff           /* DATA */
boot_gdt_end:
boot_gdt_pointer:
    .short  boot_gdt_end - boot_gdt - 1
    .long   PHYS(boot_gdt)

msg_no_long_mode:
    .asciz "socle: this CPU has no 64-bit mode\r\n"
msg_no_nx:
    .asciz "socle: this CPU has no NX, or the firmware turned it off (Execute Disable)\r\n"

    .section .boot_tables, "aw", %nobits
    .balign 4096
    .global boot_l4, boot_l3_dm, boot_l2_dm
boot_l4:     .skip 4096
boot_l3_id:  .skip 4096
boot_l2_id:  .skip 4096
boot_l3_img: .skip 4096
boot_l2_img: .skip 4096
boot_l1_img: .skip 4096
boot_l3_dm:  .skip 4096
boot_l2_dm:  .skip 4096 * 8
