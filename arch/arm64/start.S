/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the firmware to C, on the boot CPU and on the others.
 *
 * The image starts with the header of an arm64 Linux `Image`, so that QEMU, U-Boot's booti
 * and GRUB load it at any 2 MiB-aligned address, at EL2 with the MMU off and x0 = device tree.
 *
 * The boot tables map only what is needed to reach the final ones, and already W^X:
 *
 *     L0 [image's PA]  -> L1_id  -> L2_id  --+
 *     L0 [IMAGE]       -> L1_img -> L2_img --+-> L3_img: text RX, rodata R, the rest RW
 *     L0 [DIRECT_MAP]  -> L1_dm  -> L2_dm: the device tree; RAM is added in C (boot_map.c)
 *     L0 [DYNAMIC]     -> L1_dev -> L2_dev: the board's early UART
 */
#include "asm_offsets.h"
#include "arch/arm64/regs.h"

#define BLOCK_NORMAL (DESC_VALID | DESC_AP1 | DESC_AF | DESC_SH_INNER | DESC_ATTR_NORMAL)
#define PAGE_DATA (BLOCK_NORMAL | DESC_PAGE | DESC_XN)
#define PAGE_RODATA (PAGE_DATA | DESC_RO)
#define PAGE_TEXT (BLOCK_NORMAL | DESC_PAGE | DESC_RO)
#define BLOCK_DATA (BLOCK_NORMAL | DESC_XN)
#define BLOCK_DEVICE (DESC_VALID | DESC_AP1 | DESC_AF | DESC_ATTR_DEVICE | DESC_XN)

    .section .text.header, "ax"
    .global _start
_start:
    b       boot_entry
    .long   0
    .quad   0                            /* text_offset: any 2 MiB boundary */
    .quad   __image_bytes                /* image_size, with bss */
    .quad   0xa                          /* flags: little-endian, 4 KiB pages, anywhere in RAM */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

    .text
/* Stores \value, a table or block descriptor, in entry \index of the table at symbol \table. */
.macro set_entry table, index, value
    adr_l   x9, \table
    str     \value, [x9, \index, lsl #3]
.endm

.macro adr_l reg, symbol
    adrp    \reg, \symbol
    add     \reg, \reg, :lo12:\symbol
.endm

.macro table_of reg, symbol
    adr_l   \reg, \symbol
    orr     \reg, \reg, #(DESC_VALID | DESC_TABLE)
.endm

boot_entry:
    msr     daifset, #0xf
    mov     x20, x0                      /* device tree */

    mrs     x0, CurrentEL
    lsr     x0, x0, #2
    cmp     x0, #2
    adr_l   x1, msg_not_el2
    b.ne    early_stop

    adr_l   x1, msg_no_fdt
    cbz     x20, early_stop
    tst     x20, #7
    b.ne    early_stop
    ldr     w0, [x20]
    rev     w0, w0
    movz    w2, #0xfeed
    movk    w2, #0xd00d, lsl #16
    cmp     w0, w2
    b.ne    early_stop

    /* Stale cache lines must not cover what is written with the caches off. */
    adr_l   x0, boot_tables
    adr_l   x1, boot_tables_end
    bl      invalidate_range
    bl      make_boot_tables
    adr_l   x0, boot_tables
    adr_l   x1, boot_tables_end
    bl      invalidate_range

    ldr     x21, =boot_virtual
    b       enable_mmu

/* Turns the MMU on with the boot tables and continues at virtual address x21. */
enable_mmu:
    ldr     x0, =HCR_BOOT
    msr     hcr_el2, x0
    ldr     x0, =MAIR_VALUE
    msr     mair_el2, x0
    ldr     x0, =TCR_VALUE
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #0xf                 /* PARange; 52 bits need another format: use 48 */
    mov     x2, #5
    cmp     x1, x2
    csel    x1, x2, x1, hi
    bfi     x0, x1, #16, #3              /* TCR_EL2.PS */
    msr     tcr_el2, x0
    adr_l   x0, boot_l0
    msr     ttbr0_el2, x0
    ldr     x0, =vectors
    msr     vbar_el2, x0
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    ldr     x0, =SCTLR_VALUE
    msr     sctlr_el2, x0
    isb
    br      x21

boot_virtual:
    ldr     x0, =__boot_stack_top
    mov     sp, x0
    ldr     x0, =__bss_start
    ldr     x1, =__bss_end
    sub     x1, x1, x0
    bl      asm_mem_zero

    mov     x29, xzr
    mov     x0, x20
    adrp    x1, _start                   /* virtual; C wants the physical address */
    at      s1e2r, x1
    isb
    mrs     x1, par_el1
    and     x1, x1, #0x0000fffffffff000
    bl      arm64_boot

/*
 * Builds the boot tables with the MMU off. x20: device tree; clobbers x0-x12, x15.
 */
make_boot_tables:
    mov     x15, x30
    adr_l   x0, boot_tables
    adr_l   x1, boot_tables_end
1:  .rept 8
    stp     xzr, xzr, [x0], #16
    .endr
    cmp     x0, x1
    b.lo    1b

    /* L3_img: one entry for each page of the image, by section. */
    adr_l   x0, _start
    adr_l   x1, __text_end
    adr_l   x2, boot_l3_img
    ldr     x3, =PAGE_TEXT
    bl      map_pages
    adr_l   x1, __rodata_end
    ldr     x3, =PAGE_RODATA
    bl      map_pages
    adr_l   x1, __image_end
    ldr     x3, =PAGE_DATA
    bl      map_pages

    table_of x10, boot_l3_img
    adr_l   x0, _start
    ubfx    x1, x0, #21, #9
    set_entry boot_l2_id, x1, x10
    set_entry boot_l2_img, xzr, x10
    table_of x10, boot_l2_id
    ubfx    x1, x0, #30, #9
    set_entry boot_l1_id, x1, x10
    table_of x10, boot_l1_id
    ubfx    x1, x0, #39, #9
    set_entry boot_l0, x1, x10
    table_of x10, boot_l2_img
    set_entry boot_l1_img, xzr, x10
    table_of x10, boot_l1_img
    mov     x1, #L0_INDEX_IMAGE
    set_entry boot_l0, x1, x10

    /* The device tree: at most 2 MiB, so two blocks; both in the first L2_dm where possible. */
    table_of x10, boot_l1_dm
    mov     x1, #L0_INDEX_DIRECT_MAP
    set_entry boot_l0, x1, x10
    mov     x0, x20
    adr_l   x2, boot_l2_dm
    bl      map_direct_block
    add     x0, x20, #0x200000
    adr_l   x2, boot_l2_dm
    add     x2, x2, #4096
    bl      map_direct_block

    ldr     x0, =EARLY_PL011
    and     x0, x0, #~0x1fffff
    ldr     x1, =BLOCK_DEVICE
    orr     x10, x0, x1
    set_entry boot_l2_dev, xzr, x10
    table_of x10, boot_l2_dev
    set_entry boot_l1_dev, xzr, x10
    table_of x10, boot_l1_dev
    mov     x1, #L0_INDEX_DYNAMIC
    set_entry boot_l0, x1, x10
    ret     x15

/* Pages [x0, x1) of the image with attributes x3 into the L3 table x2; x0 ends at x1. */
map_pages:
1:  orr     x4, x0, x3
    ubfx    x5, x0, #12, #9
    str     x4, [x2, x5, lsl #3]
    add     x0, x0, #4096
    cmp     x0, x1
    b.lo    1b
    ret

/* The 2 MiB block around x0 into the direct map; x2: an L2 table to use if one is needed. */
map_direct_block:
    adr_l   x9, boot_l1_dm
    ubfx    x3, x0, #30, #9
    ldr     x4, [x9, x3, lsl #3]
    cbnz    x4, 1f
    orr     x4, x2, #(DESC_VALID | DESC_TABLE)
    str     x4, [x9, x3, lsl #3]
1:  and     x4, x4, #~0xfff
    ubfx    x5, x0, #21, #9
    and     x0, x0, #~0x1fffff
    ldr     x6, =BLOCK_DATA
    orr     x0, x0, x6
    str     x0, [x4, x5, lsl #3]
    ret

/* Data cache lines of [x0, x1): invalidated to the point of coherency. */
invalidate_range:
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4              /* DminLine: log2 of words */
    mov     x3, #4
    lsl     x3, x3, x2
    dmb     sy
1:  dc      ivac, x0
    add     x0, x0, x3
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ret

/*
 * Another CPU, started by PSCI: MMU off, x0 = physical address of struct cpu_start. It is on
 * the boot tables only until it knows the final ones.
 */
    .global secondary_entry
secondary_entry:
    msr     daifset, #0xf
    ldr     x20, [x0, #CPU_START_ROOT]
    ldr     x22, [x0, #CPU_START_PERCPU]
    ldr     x23, [x0, #CPU_START_STACK]
    ldr     x24, [x0, #CPU_START_MAIN]
    ldr     x21, =secondary_virtual
    b       enable_mmu

secondary_virtual:
    msr     ttbr0_el2, x20
    isb
    tlbi    alle2
    dsb     nsh
    isb
    msr     tpidr_el2, x22
    mov     sp, x23
    mov     x29, xzr
    blr     x24
    b       .

/* Prints the string at x1 on the early UART, with the MMU off, and stops. */
early_stop:
    ldr     x2, =EARLY_PL011
1:  ldrb    w0, [x1], #1
    cbz     w0, 3f
2:  ldr     w3, [x2, #0x18]              /* UARTFR.TXFF */
    tbnz    w3, #5, 2b
    str     w0, [x2]
    b       1b
3:  wfe
    b       3b

    .section .rodata
msg_not_el2:
    .asciz "socle: not entered at EL2: a hypervisor needs EL2 (QEMU: -M virt,virtualization=on)\r\n"
msg_no_fdt:
    .asciz "socle: no device tree in x0: boot the .bin as an arm64 Image, not the ELF\r\n"

    .section .boot_tables, "aw", %nobits
    .balign 4096
    .global boot_l1_dm, boot_l2_dm
boot_tables:
boot_l0:     .skip 4096
boot_l1_id:  .skip 4096
boot_l2_id:  .skip 4096
boot_l1_img: .skip 4096
boot_l2_img: .skip 4096
boot_l3_img: .skip 4096
boot_l1_dev: .skip 4096
boot_l2_dev: .skip 4096
boot_l1_dm:  .skip 4096
boot_l2_dm:  .skip 4096 * 2 /* for the device tree; the others are C's */
boot_tables_end:
             .skip 4096 * (BOOT_L2_TABLES - 2)
