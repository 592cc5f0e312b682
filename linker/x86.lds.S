/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image: linked at LAYOUT_IMAGE, loaded at 2 MiB, and no larger than one 2 MiB block, bss
 * included. The file holds it as it is in memory, from the Multiboot headers on, so a loader
 * that goes by their addresses needs to know nothing about ELF (start.S).
 *
 *     text (RX) | rodata (R) | data, then read-only after init | bss (RW) | guard | boot stack
 */
#define IMAGE_BASE 0xffffffff80000000
#define LOAD_BASE 0x200000
#define PAGE 4096

ENTRY(_start)

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
}

SECTIONS
{
    . = IMAGE_BASE;
    __image_start = .;

    .text : AT(LOAD_BASE) {
        __text_start = .;
        KEEP(*(.text.header))
        *(.text .text.*)
        . = ALIGN(PAGE);
        __text_end = .;
    } :text
    .rodata : {
        __rodata_start = .;
        *(.rodata .rodata.*)
        . = ALIGN(PAGE);
        __rodata_end = .;
    } :rodata
    .data : {
        __data_start = .;
        *(.data .data.*)
        . = ALIGN(PAGE);
        __sealed_start = .;
        *(.sealed)
        . = ALIGN(PAGE);
        __sealed_end = .;
    } :data
    __load_end = .;
    .bss (NOLOAD) : {
        __bss_start = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(PAGE);
        __bss_end = .;
        __boot_tables_start = .;
        *(.boot_tables)
        . = ALIGN(PAGE);
        __data_end = .;
        . += PAGE; /* guard: never mapped */
        __boot_stack_bottom = .;
        . += 4 * PAGE;
        __boot_stack_top = .;
    } :data
    __image_end = .;

    /DISCARD/ : {
        *(.comment) *(.note .note.*) *(.eh_frame .eh_frame_hdr)
    }
}

ASSERT(__image_end - __image_start <= 0x200000, "the image and its bss must fit one 2 MiB block")
